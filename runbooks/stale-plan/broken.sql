-- A database before a deployment changes it.
CREATE TABLE parcels (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    weight integer NOT NULL
);

INSERT INTO parcels (weight) SELECT n FROM generate_series(1, 20) AS n;
