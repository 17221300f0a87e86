-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "Colour" AS ENUM ('RED', 'green');

-- CreateTable
CREATE TABLE "Lists" (
    "id" INTEGER NOT NULL,
    "none" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "texts" TEXT[] DEFAULT ARRAY['a', 'it''s', 'b"c']::TEXT[],
    "flags" BOOLEAN[] DEFAULT ARRAY[true, false]::BOOLEAN[],
    "numbers" INTEGER[] DEFAULT ARRAY[1, -2, 3]::INTEGER[],
    "bigs" BIGINT[] DEFAULT ARRAY[9007199254740993]::BIGINT[],
    "floats" DOUBLE PRECISION[] DEFAULT ARRAY[1.5, 2]::DOUBLE PRECISION[],
    "decimals" DECIMAL(65,30)[] DEFAULT ARRAY[1.10]::DECIMAL(65,30)[],
    "moments" TIMESTAMPTZ(6)[] DEFAULT ARRAY['2020-01-01 00:00:00 +00:00']::TIMESTAMPTZ(6)[],
    "jsons" JSONB[] DEFAULT ARRAY['{}', '{"a": [1]}']::JSONB[],
    "bytes" BYTEA[] DEFAULT ARRAY['\x010203']::BYTEA[],
    "colours" "Colour"[] DEFAULT ARRAY['RED', 'green']::"Colour"[],
    "later" TEXT[] DEFAULT ARRAY['x']::text[],

    CONSTRAINT "Lists_pkey" PRIMARY KEY ("id")
);
