CREATE TABLE t (a integer, b text);
CREATE VIEW v WITH (security_barrier, security_invoker = true) AS SELECT a FROM t WITH CASCADED CHECK OPTION;
