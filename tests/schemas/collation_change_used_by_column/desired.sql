CREATE COLLATION c (provider = libc, locale = 'POSIX');
CREATE TABLE t (a text COLLATE c);
