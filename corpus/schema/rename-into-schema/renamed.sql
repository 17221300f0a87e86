ALTER FUNCTION public.f(integer) SET SCHEMA app;
ALTER TABLE public.t RENAME TO things;
ALTER TABLE public.things SET SCHEMA app;
ALTER SEQUENCE app.t_id_seq RENAME TO things_id_seq;
ALTER INDEX app.t_n_idx RENAME TO things_n_idx;
ALTER TABLE app.things RENAME CONSTRAINT t_pkey TO things_pkey;
