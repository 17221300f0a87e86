-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "Place" (
    "id" INTEGER NOT NULL,
    "point" point NOT NULL,
    "area" geometry(Polygon, 4326),
    "many" circle[],
    "vector" vector(1536),
    "circle" circle NOT NULL DEFAULT '<(10,4),11>'::circle,
    "search" tsvector DEFAULT to_tsvector('x'),

    CONSTRAINT "Place_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Place_point_idx" ON "Place" USING GIST ("point");
