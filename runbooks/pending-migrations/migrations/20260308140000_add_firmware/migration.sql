-- AlterTable
ALTER TABLE "Device" ADD COLUMN "firmware" TEXT NOT NULL DEFAULT 'unknown';
