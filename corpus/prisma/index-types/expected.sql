-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "T" (
    "id" INTEGER NOT NULL,
    "h" TEXT NOT NULL,
    "json" JSONB NOT NULL,
    "tags" TEXT[],
    "ip" INET NOT NULL,
    "moment" TIMESTAMP(3) NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "T_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "T_h_idx" ON "T" USING HASH ("h");

-- CreateIndex
CREATE INDEX "T_json_idx" ON "T" USING GIN ("json");

-- CreateIndex
CREATE INDEX "paths" ON "T" USING GIN ("json" jsonb_path_ops);

-- CreateIndex
CREATE INDEX "all" ON "T" USING GIN ("json" jsonb_ops);

-- CreateIndex
CREATE INDEX "T_tags_idx" ON "T" USING GIN ("tags");

-- CreateIndex
CREATE INDEX "tags_ops" ON "T" USING GIN ("tags" array_ops);

-- CreateIndex
CREATE INDEX "T_ip_idx" ON "T" USING GIST ("ip" inet_ops);

-- CreateIndex
CREATE INDEX "ip_sp" ON "T" USING SPGIST ("ip" inet_ops);

-- CreateIndex
CREATE INDEX "T_moment_idx" ON "T" USING BRIN ("moment");

-- CreateIndex
CREATE INDEX "T_name_idx" ON "T"("name");

-- CreateIndex
CREATE INDEX "name_sp" ON "T" USING SPGIST ("name" text_ops);

-- CreateIndex
CREATE INDEX "trigrams" ON "T" USING GIN ("name" gin_trgm_ops);

-- CreateIndex
CREATE INDEX "pattern" ON "T"("name" text_pattern_ops DESC);
