-- One change of shop.sql a line.
ALTER TABLE users ADD phone text
ALTER TABLE users ADD token uuid NOT NULL DEFAULT gen_random_uuid()
ALTER TABLE users DROP COLUMN name CASCADE
ALTER TABLE users RENAME COLUMN name TO full_name
ALTER TABLE users RENAME TO people
ALTER TABLE users ALTER country SET NOT NULL, ALTER updated_at SET DEFAULT now()
ALTER TABLE users DROP CONSTRAINT users_mail, ADD CONSTRAINT users_mail UNIQUE (mail, country)
ALTER TABLE countries ALTER code TYPE char(2) COLLATE "C"
ALTER TABLE sales.products ALTER name SET DEFAULT 'thing', ALTER made SET NOT NULL
ALTER TABLE categories DROP CONSTRAINT categories_parent_fkey
ALTER TABLE sales.lines ADD discount sales.percent
ALTER TABLE sales.lines DROP COLUMN quantity CASCADE
ALTER TABLE sales.orders DROP COLUMN invoice; DROP SEQUENCE sales.invoice_number
ALTER TABLE sales.orders DISABLE ROW LEVEL SECURITY; DROP POLICY own ON sales.orders
ALTER TABLE notes ADD author text; ALTER TABLE notes ALTER body SET NOT NULL
ALTER TABLE audit.log DETACH PARTITION audit.log_2025
ALTER TABLE audit.log ADD who bigint; CREATE INDEX log_who ON audit.log (who)
DROP INDEX audit.log_relation; CREATE INDEX log_relation ON audit.log (relation, at DESC)
CREATE TABLE audit.log_2027 PARTITION OF audit.log FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')
ALTER TYPE sales.state ADD VALUE 'lost' BEFORE 'returned'
ALTER TYPE sales.state RENAME VALUE 'new' TO 'open'
ALTER TYPE sales.state RENAME TO order_state
ALTER DOMAIN sales.email DROP CONSTRAINT has_at; ALTER DOMAIN sales.email ADD CONSTRAINT has_at CHECK (VALUE ~ '@')
ALTER DOMAIN sales.percent SET NOT NULL
DROP FUNCTION sales.gross(numeric, numeric) CASCADE
ALTER FUNCTION sales.slug(text) RENAME TO slugged
CREATE OR REPLACE FUNCTION sales.me() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1::bigint'
DROP VIEW sales.customers CASCADE
DROP MATERIALIZED VIEW sales.best CASCADE; CREATE MATERIALIZED VIEW sales.best AS SELECT 1 AS product
CREATE OR REPLACE VIEW sales.open_orders AS SELECT id, user_id, placed_at, total FROM sales.orders WHERE state = 'new'
DROP SCHEMA sales CASCADE
DROP SCHEMA audit CASCADE
DROP TABLE users CASCADE
DROP EXTENSION pg_trgm CASCADE
ALTER TABLE cache SET LOGGED; ALTER TABLE sessions SET UNLOGGED, RESET (fillfactor)
ALTER TABLE sales.returns DROP CONSTRAINT returns_line_order_line_number_fkey; ALTER TABLE sales.lines DROP CONSTRAINT lines_pkey
REVOKE SELECT ON ALL TABLES IN SCHEMA sales FROM reader; GRANT ALL ON users TO "Häfen writer"
ALTER PUBLICATION outward DROP TABLE sales.lines; ALTER PUBLICATION outward ADD TABLE users
COMMENT ON TABLE users IS 'people'; COMMENT ON COLUMN sales.customers.spent IS NULL
ALTER TABLE bookings DROP CONSTRAINT bookings_during_excl; ALTER TABLE rooms ADD UNIQUE (name) INCLUDE (id)
ALTER TABLE reviews ALTER id DROP DEFAULT; DROP SEQUENCE reviews_id_seq; ALTER TABLE reviews ALTER id ADD GENERATED ALWAYS AS IDENTITY
DROP TRIGGER touch ON users; ALTER TABLE sales.orders DISABLE TRIGGER note; ALTER TABLE sales.lines DISABLE TRIGGER checked
ALTER TABLE documents DROP COLUMN search; ALTER TABLE documents ADD search tsvector
