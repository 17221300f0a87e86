DROP TABLE app.a;
