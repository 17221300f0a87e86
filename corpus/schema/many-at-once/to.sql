CREATE TYPE role AS ENUM ('user', 'admin');
CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL, role role DEFAULT 'user', created timestamptz DEFAULT now());
CREATE TABLE posts (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE, title text, body text);
CREATE TABLE tags (post_id bigint REFERENCES posts, tag text, PRIMARY KEY (post_id, tag));
CREATE VIEW authors AS SELECT u.name, u.role, count(*) AS n FROM users u JOIN posts p ON p.user_id = u.id GROUP BY u.name, u.role;
CREATE INDEX ON posts (user_id);
