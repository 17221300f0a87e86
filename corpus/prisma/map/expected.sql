-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "app users" (
    "user_id" INTEGER NOT NULL,
    "first_name" TEXT NOT NULL,
    "e_mail" TEXT NOT NULL,
    "org_id" INTEGER NOT NULL,

    CONSTRAINT "app users_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "organisations" (
    "org_id" INTEGER NOT NULL,

    CONSTRAINT "organisations_pkey" PRIMARY KEY ("org_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "app users_e_mail_key" ON "app users"("e_mail");

-- CreateIndex
CREATE INDEX "app users_org_id_idx" ON "app users"("org_id");

-- CreateIndex
CREATE UNIQUE INDEX "app users_first_name_org_id_key" ON "app users"("first_name", "org_id");

-- AddForeignKey
ALTER TABLE "app users" ADD CONSTRAINT "app users_org_id_fkey" FOREIGN KEY ("org_id") REFERENCES "organisations"("org_id") ON DELETE RESTRICT ON UPDATE CASCADE;
