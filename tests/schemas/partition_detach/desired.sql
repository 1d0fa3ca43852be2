CREATE TABLE events (id int NOT NULL, at date NOT NULL) PARTITION BY LIST (id);
CREATE TABLE events_1 (id int NOT NULL, at date NOT NULL);
