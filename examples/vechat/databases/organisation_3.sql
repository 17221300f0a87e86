-- Nothing of the chat yet.
CREATE TABLE sites (id bigint PRIMARY KEY, name text NOT NULL);
