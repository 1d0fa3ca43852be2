CREATE TABLE u (id int, x int);
