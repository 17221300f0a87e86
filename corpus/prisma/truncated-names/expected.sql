-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" (
    "id" INTEGER NOT NULL,
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" TEXT NOT NULL,
    "cccccccccccccccccccccccccccccc" INTEGER NOT NULL,
    "parentId" INTEGER,

    CONSTRAINT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssss" (
    "id" INTEGER NOT NULL,
    "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddd" INTEGER NOT NULL,
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee" INTEGER NOT NULL,

    CONSTRAINT "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssss_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_bbbbbbbbbbbbbbbbbb_key" ON "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");

-- CreateIndex
CREATE INDEX "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_bbbbbbbbbbbbbbbbbb_idx" ON "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccccccccccccc");

-- CreateIndex
CREATE UNIQUE INDEX "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_cccccccccccccccccc_key" ON "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"("cccccccccccccccccccccccccccccc", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");

-- CreateIndex
CREATE UNIQUE INDEX "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssss__key" ON "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");

-- CreateIndex
CREATE INDEX "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssss__idx" ON "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"("ddddddddddddddddddddddddddddddddddddddddddddddddddddddddd");

-- AddForeignKey
ALTER TABLE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" ADD CONSTRAINT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_parentId_fkey" FOREIGN KEY ("parentId") REFERENCES "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"("id") ON DELETE SET NULL ON UPDATE CASCADE;
