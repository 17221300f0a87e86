CREATE TABLE a (id int PRIMARY KEY, x int, y int);
CREATE TABLE b (id int PRIMARY KEY, name text);
CREATE TYPE mood AS ENUM ('good', 'bad', 'ugly');
CREATE TABLE moods (mood mood);
