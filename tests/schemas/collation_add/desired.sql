CREATE COLLATION numeric_order (provider = icu, locale = 'en-u-kn-true');
COMMENT ON COLLATION numeric_order IS '2 before 10';
CREATE TABLE names (n text COLLATE numeric_order);
