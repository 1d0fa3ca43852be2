CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'it''s new';
