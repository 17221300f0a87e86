CREATE TABLE a (id bigint PRIMARY KEY, code text UNIQUE);
CREATE TABLE b (a_id int REFERENCES a, code int, FOREIGN KEY (code) REFERENCES a (code));
