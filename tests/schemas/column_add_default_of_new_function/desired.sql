CREATE TABLE t (id int);
CREATE FUNCTION next_code() RETURNS text LANGUAGE sql VOLATILE AS $$SELECT md5(random()::text)$$;
ALTER TABLE t ADD code text NOT NULL DEFAULT next_code();
