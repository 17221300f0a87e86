ALTER TABLE users ADD COLUMN email text;
CREATE INDEX ON organisations (id);
CREATE VIEW v AS WITH recent AS (SELECT * FROM "Users") SELECT * FROM recent r JOIN missing_table m ON m.id = r.id;
INSERT INTO missing_table VALUES (1);
CREATE TABLE app.t (id int);
DROP TABLE never_there;
DROP TABLE IF EXISTS never_there_either;
