CREATE TABLE t (id serial, b bigserial);
ALTER TABLE u ADD COLUMN id smallserial;
