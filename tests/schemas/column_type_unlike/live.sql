CREATE TABLE t (a date, b uuid, c boolean, d jsonb, e inet);
