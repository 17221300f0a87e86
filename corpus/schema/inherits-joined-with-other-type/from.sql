CREATE TABLE h (id bigint NOT NULL, v text DEFAULT 'x');
