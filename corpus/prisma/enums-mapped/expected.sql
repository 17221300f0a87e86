-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "user_role" AS ENUM ('user', 'an admin', 'OTHER');

-- CreateTable
CREATE TABLE "User" (
    "id" INTEGER NOT NULL,
    "role" "user_role" NOT NULL DEFAULT 'an admin',

    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);
