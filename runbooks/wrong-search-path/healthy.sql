-- A database whose role looks into the application's schema.
CREATE SCHEMA shop;
CREATE TABLE shop.baskets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer text NOT NULL);
DO $$
BEGIN
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path TO shop, public', current_user, current_database());
END $$;
