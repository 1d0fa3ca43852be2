CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'old words';
