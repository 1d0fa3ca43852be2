-- A database whose migrations stopped after the first.
CREATE TABLE _prisma_migrations (
    id varchar(36) PRIMARY KEY NOT NULL,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
);

-- CreateTable
CREATE TABLE "Device" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "Device_pkey" PRIMARY KEY ("id")
);

INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count) VALUES (
    gen_random_uuid()::text,
    'a6a7bbcb5b007bc319ba2455a6a31e7e1b97581d9583fc15885bcf99404aa058',
    now(),
    '20260301090000_create_devices',
    1
);

INSERT INTO "Device" (name) SELECT 'device ' || n FROM generate_series(1, 20) AS n;
