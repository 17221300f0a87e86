-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "Kind" AS ENUM ('a', 'b');

-- CreateTable
CREATE TABLE "Setting" (
    "kind" "Kind" NOT NULL,

    CONSTRAINT "Setting_pkey" PRIMARY KEY ("kind")
);

-- CreateTable
CREATE TABLE "Use" (
    "id" INTEGER NOT NULL,
    "kind" "Kind" NOT NULL DEFAULT 'b',

    CONSTRAINT "Use_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Many" (
    "id" INTEGER NOT NULL,

    CONSTRAINT "Many_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "_ManyToSetting" (
    "A" INTEGER NOT NULL,
    "B" "Kind" NOT NULL,

    CONSTRAINT "_ManyToSetting_AB_pkey" PRIMARY KEY ("A","B")
);

-- CreateIndex
CREATE INDEX "_ManyToSetting_B_index" ON "_ManyToSetting"("B");

-- AddForeignKey
ALTER TABLE "Use" ADD CONSTRAINT "Use_kind_fkey" FOREIGN KEY ("kind") REFERENCES "Setting"("kind") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_ManyToSetting" ADD CONSTRAINT "_ManyToSetting_A_fkey" FOREIGN KEY ("A") REFERENCES "Many"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_ManyToSetting" ADD CONSTRAINT "_ManyToSetting_B_fkey" FOREIGN KEY ("B") REFERENCES "Setting"("kind") ON DELETE CASCADE ON UPDATE CASCADE;
