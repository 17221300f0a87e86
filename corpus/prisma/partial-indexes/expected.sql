-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "A" (
    "id" INTEGER NOT NULL,
    "the_text" TEXT,
    "flag" BOOLEAN NOT NULL,
    "n" INTEGER NOT NULL,
    "email" TEXT NOT NULL,

    CONSTRAINT "A_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "A_email_key" ON "A"("email") WHERE (deleted IS NULL);

-- CreateIndex
CREATE INDEX "A_the_text_id_idx" ON "A"("the_text", "id") WHERE ("the_text" IS NOT NULL AND "flag" = true AND "n" = 3);

-- CreateIndex
CREATE INDEX "A_the_text_n_idx" ON "A"("the_text", "n") WHERE ("the_text" = 'it''s' AND "flag" = false AND "n" != -3);

-- CreateIndex
CREATE INDEX "A_n_idx" ON "A" USING HASH ("n") WHERE ("the_text" IS NULL);

-- CreateIndex
CREATE INDEX "A_n_flag_idx" ON "A"("n", "flag") WHERE ("the_text" != 'x' AND "flag" != true);

-- CreateIndex
CREATE UNIQUE INDEX "A_the_text_key" ON "A"("the_text") WHERE (the_text <> 'x');
