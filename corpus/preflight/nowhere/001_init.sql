CREATE TABLE "Users" (id bigint PRIMARY KEY);
CREATE TABLE organizations (id bigint PRIMARY KEY);
