-- A database in which a user may hold the same preference twice.
CREATE TABLE preferences (
    user_id bigint NOT NULL,
    name text NOT NULL,
    value text
);

INSERT INTO preferences (user_id, name) SELECT n, 'theme' FROM generate_series(1, 20) AS n;
