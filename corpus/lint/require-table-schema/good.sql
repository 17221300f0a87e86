CREATE TABLE app.users (id bigint);
CREATE TEMP TABLE t (a int);
