CREATE TABLE t (a integer, b text);
CREATE VIEW v AS SELECT a, JSON_OBJECT('k': b ABSENT ON NULL) AS o, any_value(b) OVER () AS w, b IS JSON OBJECT AS j FROM t;
