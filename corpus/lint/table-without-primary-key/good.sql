CREATE TABLE tags (post_id bigint, tag text);
-- migration
ALTER TABLE tags ADD PRIMARY KEY (post_id, tag);
CREATE TABLE likes (LIKE tags INCLUDING ALL);
CREATE TEMP TABLE t (a int);
CREATE TABLE c AS SELECT 1;
