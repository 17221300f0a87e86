-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "Order" (
    "shop" TEXT NOT NULL,
    "number" INTEGER NOT NULL,

    CONSTRAINT "Order_pkey" PRIMARY KEY ("shop","number")
);

-- CreateTable
CREATE TABLE "Line" (
    "id" INTEGER NOT NULL,
    "shop_code" TEXT NOT NULL,
    "number" INTEGER NOT NULL,

    CONSTRAINT "Line_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "OrderNote" (
    "id" INTEGER NOT NULL,
    "shop" TEXT NOT NULL,
    "number" INTEGER,

    CONSTRAINT "OrderNote_pkey" PRIMARY KEY ("id")
);

-- AddForeignKey
ALTER TABLE "Line" ADD CONSTRAINT "Line_shop_code_number_fkey" FOREIGN KEY ("shop_code", "number") REFERENCES "Order"("shop", "number") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "OrderNote" ADD CONSTRAINT "note_of_order" FOREIGN KEY ("shop", "number") REFERENCES "Order"("shop", "number") ON DELETE NO ACTION ON UPDATE CASCADE;
