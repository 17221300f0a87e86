-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "Pair" (
    "a" INTEGER NOT NULL,
    "b" TEXT NOT NULL,
    "c" INTEGER NOT NULL,

    CONSTRAINT "Pair_pkey" PRIMARY KEY ("a","b")
);

-- CreateTable
CREATE TABLE "Named" (
    "a" INTEGER NOT NULL,
    "b" INTEGER NOT NULL,

    CONSTRAINT "named_key" PRIMARY KEY ("b","a")
);

-- CreateTable
CREATE TABLE "Single" (
    "a" INTEGER NOT NULL,

    CONSTRAINT "single_key" PRIMARY KEY ("a")
);
