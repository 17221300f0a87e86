CREATE COLLATION coll (locale = 'POSIX');
CREATE TABLE a (id int);
CREATE TABLE b (id bigint);
