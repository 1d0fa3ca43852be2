CREATE SEQUENCE shared;
CREATE TABLE a (id int DEFAULT nextval('shared') PRIMARY KEY);
CREATE TABLE b (id int DEFAULT nextval('shared') PRIMARY KEY);
