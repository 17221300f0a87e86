\set ON_ERROR_STOP on
\echo 'begin; here'
CREATE TABLE t (
\echo inside
  a int
);
COPY t (a) FROM stdin; -- rows
1
\\.
2;
\.
SELECT 1 \g
SELECT 2 \; SELECT 3; \echo a \\ SELECT 4;
COPY t TO stdout;
