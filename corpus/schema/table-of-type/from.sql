CREATE TYPE pair AS (a int, b text);
CREATE TABLE other (a int, b text);
