CREATE TABLE "a" ("id" serial);
--> statement-breakpoint
CREATE INDEX "i" ON "a" ("id");