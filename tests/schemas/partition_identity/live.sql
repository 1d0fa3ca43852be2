-- since 17
CREATE TABLE p (id int, n int) PARTITION BY LIST (n);
