CREATE TABLE "user" (id int, "order" int, "group" text);
ALTER TABLE t RENAME COLUMN a TO "end";
