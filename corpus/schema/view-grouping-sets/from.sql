CREATE TABLE sale (region text, product text, amount numeric);
CREATE VIEW totals AS SELECT region, sum(amount) AS amount FROM sale GROUP BY region;
