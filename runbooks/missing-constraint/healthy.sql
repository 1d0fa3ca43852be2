-- A database in which a user holds a preference once.
CREATE TABLE preferences (
    user_id bigint NOT NULL,
    name text NOT NULL,
    value text,
    UNIQUE (user_id, name)
);
