CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS (a * 3) VIRTUAL, c integer GENERATED ALWAYS AS (a + 1) VIRTUAL, d text GENERATED ALWAYS AS ('x'::text) VIRTUAL);
