CREATE SCHEMA "My Schema";
CREATE TABLE "My Schema"."T" ("select" bigint, "a""b" text DEFAULT 'it''s');
CREATE INDEX "I x" ON "My Schema"."T" ("a""b");
