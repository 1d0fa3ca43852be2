-- A database whose invoices were made again, without the grants that they had.
DO $$
BEGIN
    CREATE ROLE mendbook_reports NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

CREATE TABLE invoices (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount numeric(10, 2) NOT NULL);
INSERT INTO invoices (amount) SELECT n FROM generate_series(1, 20) AS n;
