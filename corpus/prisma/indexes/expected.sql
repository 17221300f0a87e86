-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "I" (
    "id" INTEGER NOT NULL,
    "a" INTEGER NOT NULL,
    "b" TEXT NOT NULL,
    "c" TEXT NOT NULL,

    CONSTRAINT "I_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "I_c_key" ON "I"("c");

-- CreateIndex
CREATE INDEX "I_a_idx" ON "I"("a");

-- CreateIndex
CREATE INDEX "I_a_b_idx" ON "I"("a", "b");

-- CreateIndex
CREATE INDEX "index_of_b" ON "I"("b");

-- CreateIndex
CREATE INDEX "old_spelling" ON "I"("c");

-- CreateIndex
CREATE INDEX "sorted" ON "I"("a" DESC, "b" ASC);

-- CreateIndex
CREATE UNIQUE INDEX "I_a_b_key" ON "I"("a", "b");
