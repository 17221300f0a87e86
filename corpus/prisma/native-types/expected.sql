-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "Native" (
    "id" INTEGER NOT NULL,
    "small" SMALLINT NOT NULL,
    "oid" OID NOT NULL,
    "big" BIGINT NOT NULL,
    "decimal" DECIMAL NOT NULL,
    "money" DECIMAL(10,2) NOT NULL,
    "cash" MONEY NOT NULL,
    "inet" INET NOT NULL,
    "citext" CITEXT NOT NULL,
    "real" REAL NOT NULL,
    "double" DOUBLE PRECISION NOT NULL,
    "varchar" VARCHAR NOT NULL,
    "varchar2" VARCHAR(255) NOT NULL,
    "char" CHAR NOT NULL,
    "char2" CHAR(2) NOT NULL,
    "text" TEXT NOT NULL,
    "bytea" BYTEA NOT NULL,
    "stamp" TIMESTAMP NOT NULL,
    "stamp6" TIMESTAMP(6) NOT NULL,
    "stampz" TIMESTAMPTZ NOT NULL,
    "stampz0" TIMESTAMPTZ(0) NOT NULL,
    "date" DATE NOT NULL,
    "time" TIME NOT NULL,
    "time3" TIME(3) NOT NULL,
    "timetz" TIMETZ NOT NULL,
    "timetz3" TIMETZ(3) NOT NULL,
    "boolean" BOOLEAN NOT NULL,
    "bit" BIT NOT NULL,
    "bit8" BIT(8) NOT NULL,
    "varbit" VARBIT NOT NULL,
    "varbit8" VARBIT(8) NOT NULL,
    "uuid" UUID NOT NULL,
    "xml" XML NOT NULL,
    "json" JSON NOT NULL,
    "jsonb" JSONB NOT NULL,

    CONSTRAINT "Native_pkey" PRIMARY KEY ("id")
);
