CREATE TYPE point3 AS (x integer, y integer, z integer);
CREATE TYPE line3 AS (a point3, b point3);
CREATE TABLE t (l line3, many point3[]);
