-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "B" (
    "id" INTEGER NOT NULL,
    "i2" SMALLINT NOT NULL,
    "i4" INTEGER NOT NULL,
    "i8" BIGINT NOT NULL,
    "f4" REAL NOT NULL,
    "f8" DOUBLE PRECISION NOT NULL,
    "n" DECIMAL(65,30) NOT NULL,
    "t" TEXT NOT NULL,
    "c" CHAR(3) NOT NULL,
    "bt" BIT(3) NOT NULL,
    "vb" VARBIT(3) NOT NULL,
    "by" BYTEA NOT NULL,
    "d" DATE NOT NULL,
    "ts" TIMESTAMP(3) NOT NULL,
    "tz" TIMESTAMPTZ NOT NULL,
    "ti" TIME NOT NULL,
    "tt" TIMETZ NOT NULL,
    "u" UUID NOT NULL,
    "ip" INET NOT NULL,
    "o" OID NOT NULL,

    CONSTRAINT "B_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "i01" ON "B" USING BRIN ("i2" int2_bloom_ops);

-- CreateIndex
CREATE INDEX "i02" ON "B" USING BRIN ("i2" int2_minmax_ops);

-- CreateIndex
CREATE INDEX "i03" ON "B" USING BRIN ("i4" int4_minmax_multi_ops);

-- CreateIndex
CREATE INDEX "i04" ON "B" USING BRIN ("i8" int8_minmax_ops);

-- CreateIndex
CREATE INDEX "i05" ON "B" USING BRIN ("f4" float4_minmax_multi_ops);

-- CreateIndex
CREATE INDEX "i06" ON "B" USING BRIN ("f8" float8_bloom_ops);

-- CreateIndex
CREATE INDEX "i07" ON "B" USING BRIN ("n" numeric_minmax_ops);

-- CreateIndex
CREATE INDEX "i08" ON "B" USING BRIN ("t" text_minmax_ops);

-- CreateIndex
CREATE INDEX "i09" ON "B" USING BRIN ("t" text_bloom_ops);

-- CreateIndex
CREATE INDEX "i10" ON "B" USING BRIN ("c" bpchar_minmax_ops);

-- CreateIndex
CREATE INDEX "i11" ON "B" USING BRIN ("c" bpchar_bloom_ops);

-- CreateIndex
CREATE INDEX "i12" ON "B" USING BRIN ("bt" bit_minmax_ops);

-- CreateIndex
CREATE INDEX "i13" ON "B" USING BRIN ("vb" varbit_minmax_ops);

-- CreateIndex
CREATE INDEX "i14" ON "B" USING BRIN ("by" bytea_minmax_ops);

-- CreateIndex
CREATE INDEX "i15" ON "B" USING BRIN ("d" date_minmax_multi_ops);

-- CreateIndex
CREATE INDEX "i16" ON "B" USING BRIN ("ts" timestamp_bloom_ops);

-- CreateIndex
CREATE INDEX "i17" ON "B" USING BRIN ("ts" timestamp_minmax_ops);

-- CreateIndex
CREATE INDEX "i18" ON "B" USING BRIN ("tz" timestamptz_minmax_multi_ops);

-- CreateIndex
CREATE INDEX "i19" ON "B" USING BRIN ("ti" time_minmax_ops);

-- CreateIndex
CREATE INDEX "i20" ON "B" USING BRIN ("tt" timetz_bloom_ops);

-- CreateIndex
CREATE INDEX "i21" ON "B" USING BRIN ("u" uuid_minmax_ops);

-- CreateIndex
CREATE INDEX "i22" ON "B" USING BRIN ("ip" inet_inclusion_ops);

-- CreateIndex
CREATE INDEX "i23" ON "B" USING BRIN ("ip" inet_minmax_multi_ops);

-- CreateIndex
CREATE INDEX "i24" ON "B" USING BRIN ("o" oid_minmax_ops);
