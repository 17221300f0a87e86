CREATE TYPE shade AS ENUM ('red');
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TABLE t (a shade, b span, c interval, d shade[] DEFAULT '{}');
ALTER TABLE t ALTER a SET STORAGE PLAIN;
