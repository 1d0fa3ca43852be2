CREATE EXTENSION hstore;
CREATE TABLE bags (id int, tags hstore DEFAULT ''::hstore);
CREATE INDEX bags_tags ON bags USING gin (tags);
