CREATE TABLE tags (post_id bigint, tag text);
