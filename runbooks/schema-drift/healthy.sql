-- A database that is what the application states, and has a table of its own besides.
CREATE TABLE "Harbour" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "Berth" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "harbourId" bigint NOT NULL REFERENCES "Harbour",
    draught numeric(4, 1) NOT NULL DEFAULT 2.5
);
CREATE INDEX "Berth_harbourId_idx" ON "Berth" ("harbourId");
CREATE TABLE notes (written timestamptz NOT NULL DEFAULT now(), note text);
