-- A database with the function net_price.
CREATE TABLE articles (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    price numeric(10, 2) NOT NULL
);

CREATE FUNCTION net_price(gross numeric, rate numeric) RETURNS numeric LANGUAGE sql IMMUTABLE
AS 'SELECT gross / (1 + rate)';
