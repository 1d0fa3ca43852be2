-- A database whose berths lost a column, an index and a foreign key, and got a table that the application does not know.
CREATE TABLE "Harbour" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "Berth" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "harbourId" bigint NOT NULL);
CREATE TABLE notes (written timestamptz NOT NULL DEFAULT now(), note text);

INSERT INTO "Harbour" (name) SELECT 'harbour ' || n FROM generate_series(1, 5) AS n;
INSERT INTO "Berth" ("harbourId") SELECT 1 + n % 5 FROM generate_series(1, 20) AS n;
