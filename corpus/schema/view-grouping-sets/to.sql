CREATE TABLE sale (region text, product text, amount numeric(12,2));
CREATE VIEW totals AS SELECT region, product, sum(amount) FILTER (WHERE amount > 0) AS amount, grouping(region) AS g FROM sale GROUP BY GROUPING SETS ((region), (product), ());
