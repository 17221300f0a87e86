DROP INDEX CONCURRENTLY unknown_index;
-- migration
CREATE TABLE t (id int PRIMARY KEY, a int REFERENCES o);
CREATE INDEX i ON t (a);
CREATE INDEX j ON t (a, id);
-- migration
DROP INDEX i;
-- migration
CREATE TABLE bids (id int PRIMARY KEY, auction int REFERENCES auctions, who int);
CREATE UNIQUE INDEX bids_once ON bids (auction, who);
CREATE TABLE judges (id int PRIMARY KEY, who int CONSTRAINT judges_who_fkey REFERENCES users);
CREATE UNIQUE INDEX judges_who ON judges (who);
-- migration
ALTER TABLE bids ADD COLUMN account text;
DROP INDEX bids_once;
CREATE UNIQUE INDEX bids_once_each ON bids (auction, who, account);
-- migration
DROP INDEX judges_who;
ALTER TABLE judges DROP CONSTRAINT judges_who_fkey;
