-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "Functions" (
    "id" TEXT NOT NULL,
    "seven" TEXT NOT NULL,
    "c" TEXT NOT NULL,
    "c2" TEXT NOT NULL,
    "ulid" TEXT NOT NULL,
    "nano" TEXT NOT NULL,
    "nano10" TEXT NOT NULL,
    "now" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "today" DATE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sql" UUID NOT NULL DEFAULT gen_random_uuid(),
    "other" TEXT NOT NULL,
    "updated" TIMESTAMP(3) NOT NULL,
    "both" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Functions_pkey" PRIMARY KEY ("id")
);
