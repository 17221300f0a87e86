CREATE TABLE stays (id bigint);
