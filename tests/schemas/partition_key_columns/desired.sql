CREATE TABLE t (id int, tag varchar(9) DEFAULT 'x', memo varchar(20) NOT NULL DEFAULT 'm', extra date NOT NULL DEFAULT now(),
  CHECK (length(memo) > 1)) PARTITION BY LIST (tag);
ALTER TABLE t ADD CONSTRAINT other_pk PRIMARY KEY (id, tag);
CREATE TABLE t_1 PARTITION OF t FOR VALUES IN ('1', '1a');
CREATE TABLE t_2 PARTITION OF t FOR VALUES IN ('2');
CREATE INDEX i ON t (memo, extra);
CREATE TABLE other (id int, tag varchar(9), FOREIGN KEY (id, tag) REFERENCES t (id, tag) ON DELETE CASCADE);
