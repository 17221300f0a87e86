-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "user's \ table" (
    "select" INTEGER NOT NULL,
    "from table" TEXT NOT NULL,
    "ünïcode" INTEGER NOT NULL,

    CONSTRAINT "user's \ table_pkey" PRIMARY KEY ("select")
);

-- CreateIndex
CREATE UNIQUE INDEX "user's \ table_from table_key" ON "user's \ table"("from table");
