CREATE SCHEMA "Odd "" schema";
CREATE TYPE "Odd "" schema"."Ty.pe" AS ENUM ('a b', 'c"d', 'e''f');
CREATE TABLE "Odd "" schema"."my; table" ("from" bigint PRIMARY KEY, "ünï" varchar(10) DEFAULT 'ü', "select" "Odd "" schema"."Ty.pe" DEFAULT 'a b', CONSTRAINT "check me" CHECK ("from" > 0));
CREATE INDEX "in dex" ON "Odd "" schema"."my; table" ("ünï");
CREATE VIEW "Odd "" schema"."Vi ew" AS SELECT "from" AS "WHERE" FROM "Odd "" schema"."my; table";
CREATE FUNCTION "Odd "" schema"."F n"("A rg" int) RETURNS int LANGUAGE sql AS 'SELECT 1';
COMMENT ON FUNCTION "Odd "" schema"."F n"(int) IS 'odd';
GRANT SELECT ("WHERE") ON "Odd "" schema"."Vi ew" TO "Häfen writer";
