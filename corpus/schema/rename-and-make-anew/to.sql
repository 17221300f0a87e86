CREATE TABLE users_old (id int PRIMARY KEY, name text);
CREATE TABLE users (id uuid PRIMARY KEY, name text);
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users_old);
