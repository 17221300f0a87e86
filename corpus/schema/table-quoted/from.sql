CREATE SCHEMA "My Schema";
CREATE TABLE "My Schema"."T" ("select" integer);
