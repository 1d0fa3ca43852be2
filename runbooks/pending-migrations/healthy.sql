-- A database on which every migration ran.
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

-- AlterTable
ALTER TABLE "Device" ADD COLUMN "firmware" TEXT NOT NULL DEFAULT 'unknown';

INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count) VALUES (
    gen_random_uuid()::text,
    'b5565573ad85e8ff95e7374252b4e9656888dbd94a4230e4216b1d71d58443d5',
    now(),
    '20260308140000_add_firmware',
    1
);

-- CreateTable
CREATE TABLE "Reading" (
    "id" SERIAL NOT NULL,
    "deviceId" INTEGER NOT NULL,
    "value" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "Reading_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Reading_deviceId_idx" ON "Reading"("deviceId");

-- AddForeignKey
ALTER TABLE "Reading" ADD CONSTRAINT "Reading_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device"("id") ON DELETE CASCADE ON UPDATE CASCADE;

INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count) VALUES (
    gen_random_uuid()::text,
    'b31ea109956217ba476ad047e61e37607a7f0631cc5cbbb47752b0a78c4d8d04',
    now(),
    '20260315110000_create_readings',
    1
);
