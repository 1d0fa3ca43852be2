CREATE TABLE t (id int, tag varchar(9), memo text, n int, CONSTRAINT pos CHECK (n > 0)) PARTITION BY LIST (tag);
ALTER TABLE t ADD PRIMARY KEY (tag, id);
CREATE TABLE t_1 PARTITION OF t FOR VALUES IN ('1');
CREATE TABLE t_2 PARTITION OF t (memo NOT NULL) FOR VALUES IN ('2');
CREATE INDEX i ON t (memo, n);
CREATE UNIQUE INDEX u ON t_1 (memo);
CREATE TABLE other (id int, tag varchar(9), FOREIGN KEY (tag, id) REFERENCES t (tag, id));
