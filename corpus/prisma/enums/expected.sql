-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "Role" AS ENUM ('USER', 'ADMIN', 'Guest_2');

-- CreateEnum
CREATE TYPE "Unused" AS ENUM ('a', 'b');

-- CreateTable
CREATE TABLE "User" (
    "id" INTEGER NOT NULL,
    "role" "Role" NOT NULL DEFAULT 'USER',
    "maybe" "Role",
    "roles" "Role"[],

    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);
