-- A database that was restored without the search_path of its role: the tables are in a schema that nobody looks into.
CREATE SCHEMA shop;
CREATE TABLE shop.baskets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer text NOT NULL);
INSERT INTO shop.baskets (customer) SELECT 'customer ' || n FROM generate_series(1, 20) AS n;
