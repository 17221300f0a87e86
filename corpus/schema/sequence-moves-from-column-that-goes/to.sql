CREATE SEQUENCE t_id_seq AS integer;
CREATE TABLE t (c int, other int DEFAULT nextval('t_id_seq'));
ALTER SEQUENCE t_id_seq OWNED BY t.other;
CREATE TABLE u (c int);
CREATE SEQUENCE u_id_seq AS integer;
CREATE TABLE v (c int);
CREATE SEQUENCE v_id_seq AS integer;
CREATE TABLE w (c int, id int DEFAULT nextval('v_id_seq'));
ALTER SEQUENCE v_id_seq OWNED BY w.id;
