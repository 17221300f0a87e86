CREATE TABLE b (id int PRIMARY KEY, y int, x int);
CREATE TABLE a (id int PRIMARY KEY, name text);
CREATE TYPE mood AS ENUM ('bad', 'ugly', 'good');
CREATE TABLE moods (mood mood);
