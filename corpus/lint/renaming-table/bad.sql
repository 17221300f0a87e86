ALTER TABLE users RENAME TO people;
ALTER TABLE orders SET SCHEMA archive;
