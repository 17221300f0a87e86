CREATE TABLE known (a varchar(20), n numeric(8, 2));
ALTER TABLE known ALTER a TYPE int USING 1;
-- migration
CREATE TABLE wide (a varchar(20), n numeric(8, 2));
-- migration
ALTER TABLE wide ALTER COLUMN a TYPE varchar(40);
ALTER TABLE wide ALTER COLUMN a TYPE text;
ALTER TABLE wide ALTER COLUMN n TYPE numeric(12, 2);
