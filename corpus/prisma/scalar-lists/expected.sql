-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "Lists" (
    "id" INTEGER NOT NULL,
    "texts" TEXT[],
    "flags" BOOLEAN[],
    "numbers" INTEGER[],
    "bigs" BIGINT[],
    "floats" DOUBLE PRECISION[],
    "decimals" DECIMAL(65,30)[],
    "moments" TIMESTAMP(3)[],
    "jsons" JSONB[],
    "bytes" BYTEA[],
    "chars" VARCHAR(20)[],

    CONSTRAINT "Lists_pkey" PRIMARY KEY ("id")
);
