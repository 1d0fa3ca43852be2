CREATE TYPE span AS (a int, b int);
CREATE FUNCTION before(span, span) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).b < ($2).b';
CREATE FUNCTION after(span, span) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).b > ($2).b';
CREATE FUNCTION compared(span, span) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT ($1).b - ($2).b';
CREATE FUNCTION compared(span, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT ($1).b - $2';
CREATE OPERATOR <<< (FUNCTION = before, LEFTARG = span, RIGHTARG = span, RESTRICT = scalarltsel);
CREATE OPERATOR >>> (FUNCTION = after, LEFTARG = span, RIGHTARG = span);
CREATE OPERATOR FAMILY "span family" USING btree;
ALTER OPERATOR FAMILY "span family" USING btree ADD FUNCTION 1 (span, int) compared(span, int);
CREATE OPERATOR CLASS span_ops DEFAULT FOR TYPE span USING btree FAMILY "span family"
  AS OPERATOR 1 <<<, OPERATOR 5 >>>, FUNCTION 1 compared(span, span);
CREATE TABLE t (s span);
CREATE INDEX i ON t (s);
CREATE VIEW v AS SELECT s FROM t WHERE s <<< ROW(1, 2)::span;
