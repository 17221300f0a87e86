CREATE TABLE users (id int, name text, position int, "timestamp" date);
