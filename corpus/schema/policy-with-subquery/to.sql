CREATE TABLE t (a integer, b text);
CREATE POLICY p ON t USING (a IN (SELECT 1));
