CREATE TABLE events (id bigint NOT NULL, at timestamptz NOT NULL, what text);
CREATE VIEW v AS SELECT id FROM events;
