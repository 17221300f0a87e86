CREATE TABLE a_table_with_a_name_that_is_much_longer_than_sixty_three_bytes_are (a int);
CREATE INDEX an_index_with_a_name_that_is_much_longer_than_sixty_three_bytes_are ON t (a);
ALTER TABLE t ADD CONSTRAINT "ein_Name_mit_Umlauten_äöüäöüäöüäöüäöüäöüäöü_zu_lang" CHECK (a > 0) NOT VALID;
ALTER TABLE t RENAME TO another_name_that_is_much_longer_than_sixty_three_bytes_are_allowed;
