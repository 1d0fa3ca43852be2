CREATE SCHEMA "Odd "" schema";
CREATE TABLE "Odd "" schema"."my; table" ("from" int PRIMARY KEY, "ünï" text);
