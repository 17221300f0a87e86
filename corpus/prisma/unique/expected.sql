-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "U" (
    "id" INTEGER NOT NULL,
    "email" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "desc" INTEGER NOT NULL,
    "a" INTEGER NOT NULL,
    "b" INTEGER,

    CONSTRAINT "U_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "U_email_key" ON "U"("email");

-- CreateIndex
CREATE UNIQUE INDEX "code_is_unique" ON "U"("code");

-- CreateIndex
CREATE UNIQUE INDEX "U_desc_key" ON "U"("desc" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "U_a_b_key" ON "U"("a", "b");

-- CreateIndex
CREATE UNIQUE INDEX "U_b_a_key" ON "U"("b", "a");

-- CreateIndex
CREATE UNIQUE INDEX "sorted_key" ON "U"("a" DESC, "b" ASC);
