ALTER TABLE public.users RENAME TO users_old;
ALTER TABLE public.users_old RENAME CONSTRAINT users_pkey TO users_old_pkey;
CREATE TABLE public.users (
    id uuid NOT NULL,
    name text
);
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
