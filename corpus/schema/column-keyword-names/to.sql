CREATE SCHEMA app;
CREATE TABLE app."select" ("from" int, "order" int, "Ünï" text);
