-- CreateTable
CREATE TABLE "user_telework_profiles" (
    "id" TEXT NOT NULL,
    "days_per_week" INTEGER NOT NULL DEFAULT 2,
    "user_id" TEXT NOT NULL,

    CONSTRAINT "user_telework_profiles_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "team_telework_rules" (
    "id" TEXT NOT NULL,
    "max_remote_percent" INTEGER NOT NULL DEFAULT 60,
    "department_id" TEXT NOT NULL,

    CONSTRAINT "team_telework_rules_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "user_telework_profiles_user_id_key" ON "user_telework_profiles"("user_id");

-- AddForeignKey
ALTER TABLE "user_telework_profiles" ADD CONSTRAINT "user_telework_profiles_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "team_telework_rules" ADD CONSTRAINT "team_telework_rules_department_id_fkey" FOREIGN KEY ("department_id") REFERENCES "departments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
