-- CreateEnum
CREATE TYPE "ContractKind" AS ENUM ('PERMANENT', 'FIXED_TERM', 'INTERN');

-- CreateTable
CREATE TABLE "user_capacities" (
    "id" TEXT NOT NULL,
    "week" DATE NOT NULL,
    "hours" DECIMAL(5,2) NOT NULL,
    "user_id" TEXT NOT NULL,

    CONSTRAINT "user_capacities_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "work_contracts" (
    "id" TEXT NOT NULL,
    "kind" "ContractKind" NOT NULL,
    "starts_on" DATE NOT NULL,
    "ends_on" DATE,
    "weekly_hours" DECIMAL(4,2) NOT NULL DEFAULT 35,
    "user_id" TEXT NOT NULL,

    CONSTRAINT "work_contracts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "resource_allocations" (
    "id" TEXT NOT NULL,
    "percent" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "project_id" TEXT NOT NULL,

    CONSTRAINT "resource_allocations_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "user_capacities_user_id_week_key" ON "user_capacities"("user_id", "week");

-- CreateIndex
CREATE UNIQUE INDEX "resource_allocations_user_id_project_id_key" ON "resource_allocations"("user_id", "project_id");

-- AddForeignKey
ALTER TABLE "user_capacities" ADD CONSTRAINT "user_capacities_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "work_contracts" ADD CONSTRAINT "work_contracts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "resource_allocations" ADD CONSTRAINT "resource_allocations_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "resource_allocations" ADD CONSTRAINT "resource_allocations_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE CASCADE ON UPDATE CASCADE;
