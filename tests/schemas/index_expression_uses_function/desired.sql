CREATE TABLE t (a text);
CREATE FUNCTION norm(word text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(word)';
CREATE INDEX t_norm ON t (norm(a));
