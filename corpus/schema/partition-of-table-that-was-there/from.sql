CREATE TABLE p (id int NOT NULL, c text);
CREATE TABLE p1 (id int NOT NULL, c text);
