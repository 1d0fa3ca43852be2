CREATE TYPE textrange AS RANGE (subtype = text);
CREATE TABLE spans (s textrange);
