CREATE TYPE textrange AS RANGE (subtype = text, collation = "C");
CREATE TABLE spans (s textrange);
