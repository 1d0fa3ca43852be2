CREATE TABLE a (id int PRIMARY KEY, x int, y int, UNIQUE (x, y));
CREATE TABLE b (id int PRIMARY KEY, a int, x int, y int, parent int);
