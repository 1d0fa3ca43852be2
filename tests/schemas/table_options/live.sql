CREATE TABLE t (a text) WITH (fillfactor = 80, autovacuum_enabled = off);
