SELEC 1;
DROP TABEL a;
CREATE TABLE storage (id int) WIHT (fillfactor = 70);
DELETE a WHERE id = 1;
UPDATE a SET b = ;
COMMENT ON TABLE a 'all of them';
