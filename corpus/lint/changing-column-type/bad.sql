ALTER TABLE users ALTER COLUMN age TYPE bigint;
-- migration
CREATE TABLE known (a varchar(20), b int);
-- migration
ALTER TABLE known ALTER a TYPE varchar(10), ALTER b TYPE bigint;
ALTER TABLE known ALTER COLUMN a SET DATA TYPE text USING upper(a);
