CREATE TABLE t (a json, b json[]);
