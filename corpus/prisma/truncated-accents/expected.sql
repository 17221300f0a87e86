-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "ééééééééééééééééééééééééééééééé" (
    "id" INTEGER NOT NULL,
    "üüüüüüüüüüüüüüüüüüüü" TEXT NOT NULL,

    CONSTRAINT "ééééééééééééééééééééééééééééé_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "ééééééééééééééééééééééééééééé_key" ON "ééééééééééééééééééééééééééééééé"("üüüüüüüüüüüüüüüüüüüü");

-- CreateIndex
CREATE INDEX "ééééééééééééééééééééééééééééé_idx" ON "ééééééééééééééééééééééééééééééé"("üüüüüüüüüüüüüüüüüüüü");
