-- since 18
CREATE EXTENSION btree_gist;
CREATE TABLE p (id int, during daterange, PRIMARY KEY (id, during));
CREATE TABLE c (id int, during daterange, FOREIGN KEY (id, during) REFERENCES p (id, during));
