CREATE TABLE "50%" ("%s" int DEFAULT 2, "{x}" text DEFAULT '%(a)s {b}' CHECK ("{x}" LIKE '%{y}%'));
COMMENT ON TABLE "50%" IS '100% {sure}';
CREATE VIEW "v{0}" AS SELECT '%' AS "%" FROM "50%";
