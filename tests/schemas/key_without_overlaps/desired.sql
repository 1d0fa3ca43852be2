-- since 18
CREATE EXTENSION btree_gist;
CREATE TABLE p (id int, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
CREATE TABLE c (id int, during daterange, FOREIGN KEY (id, PERIOD during) REFERENCES p (id, PERIOD during));
