CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE events (id bigint, at date, user_id int REFERENCES users, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE notes (id bigint, at date, FOREIGN KEY (id, at) REFERENCES events);
