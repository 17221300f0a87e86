CREATE TABLE users (id serial PRIMARY KEY, name varchar(50), role text DEFAULT 'user');
CREATE TABLE posts (id serial PRIMARY KEY, user_id integer REFERENCES users, title text);
CREATE VIEW authors AS SELECT u.name, count(*) AS n FROM users u JOIN posts p ON p.user_id = u.id GROUP BY u.name;
