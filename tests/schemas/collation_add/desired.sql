CREATE COLLATION numeric_order (provider = libc, locale = 'C');
COMMENT ON COLLATION numeric_order IS 'by bytes';
CREATE TABLE names (n text COLLATE numeric_order);
