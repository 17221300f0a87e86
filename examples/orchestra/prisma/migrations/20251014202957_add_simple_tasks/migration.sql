-- CreateTable
CREATE TABLE "simple_tasks" (
    "id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "is_done" BOOLEAN NOT NULL DEFAULT false,
    "user_id" TEXT NOT NULL,

    CONSTRAINT "simple_tasks_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "simple_tasks_user_id_day_idx" ON "simple_tasks"("user_id", "day");

-- AddForeignKey
ALTER TABLE "simple_tasks" ADD CONSTRAINT "simple_tasks_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
