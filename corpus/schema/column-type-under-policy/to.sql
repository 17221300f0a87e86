CREATE TABLE t (a bigint);
CREATE POLICY p ON t USING (a > 1);
