-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "Small" (
    "id" SMALLSERIAL NOT NULL,

    CONSTRAINT "Small_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Usual" (
    "id" SERIAL NOT NULL,
    "other" SERIAL NOT NULL,

    CONSTRAINT "Usual_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Large" (
    "id" BIGSERIAL NOT NULL,

    CONSTRAINT "Large_pkey" PRIMARY KEY ("id")
);
