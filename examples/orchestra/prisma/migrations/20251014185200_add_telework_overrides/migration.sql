-- CreateTable
CREATE TABLE "telework_overrides" (
    "id" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "is_remote" BOOLEAN NOT NULL,
    "user_id" TEXT NOT NULL,

    CONSTRAINT "telework_overrides_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "telework_overrides_user_id_day_key" ON "telework_overrides"("user_id", "day");

-- AddForeignKey
ALTER TABLE "telework_overrides" ADD CONSTRAINT "telework_overrides_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
