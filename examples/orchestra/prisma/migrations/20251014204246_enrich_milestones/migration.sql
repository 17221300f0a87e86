-- CreateEnum
CREATE TYPE "MilestonePriority" AS ENUM ('LOW', 'NORMAL', 'HIGH');

-- AlterTable
ALTER TABLE "milestones" ADD COLUMN     "priority" "MilestonePriority" NOT NULL DEFAULT 'NORMAL',
ADD COLUMN     "reached_at" TIMESTAMP(3),
ADD COLUMN     "tags" TEXT[] DEFAULT ARRAY[]::TEXT[];
