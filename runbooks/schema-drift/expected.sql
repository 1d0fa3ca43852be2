-- What the application states.
CREATE TABLE "Harbour" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "Berth" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "harbourId" bigint NOT NULL REFERENCES "Harbour",
    draught numeric(4, 1) NOT NULL DEFAULT 2.5
);
CREATE INDEX "Berth_harbourId_idx" ON "Berth" ("harbourId");
