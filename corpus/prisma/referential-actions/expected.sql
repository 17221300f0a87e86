-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "Parent" (
    "id" INTEGER NOT NULL,

    CONSTRAINT "Parent_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Child" (
    "id" INTEGER NOT NULL,
    "pCascadeCascadeId" INTEGER DEFAULT 1,
    "pCascadeRestrictId" INTEGER DEFAULT 1,
    "pCascadeNoActionId" INTEGER DEFAULT 1,
    "pCascadeSetNullId" INTEGER DEFAULT 1,
    "pCascadeSetDefaultId" INTEGER DEFAULT 1,
    "pRestrictCascadeId" INTEGER DEFAULT 1,
    "pRestrictRestrictId" INTEGER DEFAULT 1,
    "pRestrictNoActionId" INTEGER DEFAULT 1,
    "pRestrictSetNullId" INTEGER DEFAULT 1,
    "pRestrictSetDefaultId" INTEGER DEFAULT 1,
    "pNoActionCascadeId" INTEGER DEFAULT 1,
    "pNoActionRestrictId" INTEGER DEFAULT 1,
    "pNoActionNoActionId" INTEGER DEFAULT 1,
    "pNoActionSetNullId" INTEGER DEFAULT 1,
    "pNoActionSetDefaultId" INTEGER DEFAULT 1,
    "pSetNullCascadeId" INTEGER DEFAULT 1,
    "pSetNullRestrictId" INTEGER DEFAULT 1,
    "pSetNullNoActionId" INTEGER DEFAULT 1,
    "pSetNullSetNullId" INTEGER DEFAULT 1,
    "pSetNullSetDefaultId" INTEGER DEFAULT 1,
    "pSetDefaultCascadeId" INTEGER DEFAULT 1,
    "pSetDefaultRestrictId" INTEGER DEFAULT 1,
    "pSetDefaultNoActionId" INTEGER DEFAULT 1,
    "pSetDefaultSetNullId" INTEGER DEFAULT 1,
    "pSetDefaultSetDefaultId" INTEGER DEFAULT 1,

    CONSTRAINT "Child_pkey" PRIMARY KEY ("id")
);

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pCascadeCascadeId_fkey" FOREIGN KEY ("pCascadeCascadeId") REFERENCES "Parent"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pCascadeRestrictId_fkey" FOREIGN KEY ("pCascadeRestrictId") REFERENCES "Parent"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pCascadeNoActionId_fkey" FOREIGN KEY ("pCascadeNoActionId") REFERENCES "Parent"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pCascadeSetNullId_fkey" FOREIGN KEY ("pCascadeSetNullId") REFERENCES "Parent"("id") ON DELETE CASCADE ON UPDATE SET NULL;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pCascadeSetDefaultId_fkey" FOREIGN KEY ("pCascadeSetDefaultId") REFERENCES "Parent"("id") ON DELETE CASCADE ON UPDATE SET DEFAULT;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pRestrictCascadeId_fkey" FOREIGN KEY ("pRestrictCascadeId") REFERENCES "Parent"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pRestrictRestrictId_fkey" FOREIGN KEY ("pRestrictRestrictId") REFERENCES "Parent"("id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pRestrictNoActionId_fkey" FOREIGN KEY ("pRestrictNoActionId") REFERENCES "Parent"("id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pRestrictSetNullId_fkey" FOREIGN KEY ("pRestrictSetNullId") REFERENCES "Parent"("id") ON DELETE RESTRICT ON UPDATE SET NULL;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pRestrictSetDefaultId_fkey" FOREIGN KEY ("pRestrictSetDefaultId") REFERENCES "Parent"("id") ON DELETE RESTRICT ON UPDATE SET DEFAULT;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pNoActionCascadeId_fkey" FOREIGN KEY ("pNoActionCascadeId") REFERENCES "Parent"("id") ON DELETE NO ACTION ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pNoActionRestrictId_fkey" FOREIGN KEY ("pNoActionRestrictId") REFERENCES "Parent"("id") ON DELETE NO ACTION ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pNoActionNoActionId_fkey" FOREIGN KEY ("pNoActionNoActionId") REFERENCES "Parent"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pNoActionSetNullId_fkey" FOREIGN KEY ("pNoActionSetNullId") REFERENCES "Parent"("id") ON DELETE NO ACTION ON UPDATE SET NULL;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pNoActionSetDefaultId_fkey" FOREIGN KEY ("pNoActionSetDefaultId") REFERENCES "Parent"("id") ON DELETE NO ACTION ON UPDATE SET DEFAULT;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pSetNullCascadeId_fkey" FOREIGN KEY ("pSetNullCascadeId") REFERENCES "Parent"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pSetNullRestrictId_fkey" FOREIGN KEY ("pSetNullRestrictId") REFERENCES "Parent"("id") ON DELETE SET NULL ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pSetNullNoActionId_fkey" FOREIGN KEY ("pSetNullNoActionId") REFERENCES "Parent"("id") ON DELETE SET NULL ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pSetNullSetNullId_fkey" FOREIGN KEY ("pSetNullSetNullId") REFERENCES "Parent"("id") ON DELETE SET NULL ON UPDATE SET NULL;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pSetNullSetDefaultId_fkey" FOREIGN KEY ("pSetNullSetDefaultId") REFERENCES "Parent"("id") ON DELETE SET NULL ON UPDATE SET DEFAULT;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pSetDefaultCascadeId_fkey" FOREIGN KEY ("pSetDefaultCascadeId") REFERENCES "Parent"("id") ON DELETE SET DEFAULT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pSetDefaultRestrictId_fkey" FOREIGN KEY ("pSetDefaultRestrictId") REFERENCES "Parent"("id") ON DELETE SET DEFAULT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pSetDefaultNoActionId_fkey" FOREIGN KEY ("pSetDefaultNoActionId") REFERENCES "Parent"("id") ON DELETE SET DEFAULT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pSetDefaultSetNullId_fkey" FOREIGN KEY ("pSetDefaultSetNullId") REFERENCES "Parent"("id") ON DELETE SET DEFAULT ON UPDATE SET NULL;

-- AddForeignKey
ALTER TABLE "Child" ADD CONSTRAINT "Child_pSetDefaultSetDefaultId_fkey" FOREIGN KEY ("pSetDefaultSetDefaultId") REFERENCES "Parent"("id") ON DELETE SET DEFAULT ON UPDATE SET DEFAULT;
