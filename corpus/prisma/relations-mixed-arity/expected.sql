-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "Target" (
    "a" INTEGER NOT NULL,
    "b" INTEGER NOT NULL,

    CONSTRAINT "Target_pkey" PRIMARY KEY ("a","b")
);

-- CreateTable
CREATE TABLE "Use" (
    "id" INTEGER NOT NULL,
    "a" INTEGER,
    "b" INTEGER,

    CONSTRAINT "Use_pkey" PRIMARY KEY ("id")
);

-- AddForeignKey
ALTER TABLE "Use" ADD CONSTRAINT "Use_a_b_fkey" FOREIGN KEY ("a", "b") REFERENCES "Target"("a", "b") ON DELETE SET NULL ON UPDATE CASCADE;
