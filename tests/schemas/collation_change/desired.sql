CREATE COLLATION c (provider = libc, locale = 'POSIX');
