DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''16MB''', current_database()); END$$;
DO $$BEGIN EXECUTE format('ALTER ROLE reader IN DATABASE %I SET search_path = "$user", public, "odd name"', current_database()); END$$;
