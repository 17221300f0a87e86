-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "Keyless" (
    "a" INTEGER NOT NULL,
    "b" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "Several" (
    "a" INTEGER NOT NULL,
    "b" INTEGER NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "Keyless_a_key" ON "Keyless"("a");

-- CreateIndex
CREATE UNIQUE INDEX "Several_a_b_key" ON "Several"("a", "b");
