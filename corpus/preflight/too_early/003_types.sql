CREATE TABLE people (mood mood[] NOT NULL, role "Role", place point);
CREATE TYPE mood AS ENUM ('sad');
CREATE TYPE "Role" AS ENUM ('ADMIN');
CREATE TYPE point AS (x int);
