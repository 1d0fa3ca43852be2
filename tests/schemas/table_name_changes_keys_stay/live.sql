CREATE TABLE users (id serial PRIMARY KEY, name text);
CREATE STATISTICS s ON id, name FROM users;
CREATE VIEW v AS SELECT id FROM users;
CREATE TABLE orders (user_id int REFERENCES users);
