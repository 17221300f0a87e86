-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "Native" (
    "id" UUID NOT NULL,
    "ids" UUID[],
    "money" DECIMAL(10,2)[] DEFAULT ARRAY[1, 2.5]::DECIMAL(10,2)[],
    "days" DATE[],
    "maybe" VARCHAR(3),

    CONSTRAINT "Native_pkey" PRIMARY KEY ("id")
);
