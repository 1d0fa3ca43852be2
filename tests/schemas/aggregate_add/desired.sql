CREATE FUNCTION later(text, text) RETURNS text LANGUAGE sql AS 'SELECT $2';
CREATE AGGREGATE last_of(text) (SFUNC = later, STYPE = text);
CREATE AGGREGATE pct(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE how_many(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
