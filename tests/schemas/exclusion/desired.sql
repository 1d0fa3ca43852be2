CREATE EXTENSION btree_gist;
CREATE TABLE rooms (room int, during tstzrange, CONSTRAINT free EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 0));
