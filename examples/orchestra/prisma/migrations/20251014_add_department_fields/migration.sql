-- AlterTable
ALTER TABLE "departments" ADD COLUMN     "code" VARCHAR(12),
ADD COLUMN     "colour" TEXT NOT NULL DEFAULT '#336699',
ADD COLUMN     "is_active" BOOLEAN NOT NULL DEFAULT true;

-- CreateIndex
CREATE UNIQUE INDEX "departments_code_key" ON "departments"("code");
