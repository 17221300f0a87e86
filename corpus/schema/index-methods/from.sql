CREATE SCHEMA app;
CREATE TABLE app.t (a int, j jsonb, p point, s text);
