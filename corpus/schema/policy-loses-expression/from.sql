CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE POLICY p ON app.t FOR UPDATE USING (a = 1) WITH CHECK (a = 2);
