CREATE SCHEMA app;
CREATE TABLE app.p (a int, d timestamptz) PARTITION BY RANGE (timezone('UTC', d), (a / 10));
