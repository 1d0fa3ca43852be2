-- A database without the function net_price.
CREATE TABLE articles (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    price numeric(10, 2) NOT NULL
);

INSERT INTO articles (price) SELECT n FROM generate_series(1, 20) AS n;
