-- A database whose invoices can be read by the reports.
DO $$
BEGIN
    CREATE ROLE mendbook_reports NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

CREATE TABLE invoices (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount numeric(10, 2) NOT NULL);
GRANT SELECT ON invoices TO mendbook_reports;
