CREATE TABLE ${schema}.a (id int);
SELECT 1;
