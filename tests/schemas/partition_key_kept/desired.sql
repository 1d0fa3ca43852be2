CREATE TABLE t (id int, tag text, PRIMARY KEY (tag, id)) PARTITION BY LIST (tag);
CREATE TABLE t_1 PARTITION OF t FOR VALUES IN ('1');
CREATE TABLE t_2 (id int, tag text, PRIMARY KEY (tag, id));
