CREATE TABLE a (id bigint PRIMARY KEY, code varchar(9) UNIQUE);
CREATE TABLE b (a_id int8 REFERENCES a, n bigserial REFERENCES a (id), code text REFERENCES a (code), x int REFERENCES elsewhere);
