-- Rows lead to their tenant over two tables, of which none has a foreign key on the way out; orphans go to 0.
CREATE TABLE "Users" ("Id" uuid PRIMARY KEY, tenant int NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, "User" uuid NOT NULL REFERENCES "Users");
CREATE TABLE lines (id int PRIMARY KEY, order_id int, sku text);
