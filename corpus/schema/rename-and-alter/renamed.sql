ALTER TABLE public.customers RENAME TO clients;
ALTER TABLE public.clients RENAME COLUMN mail TO email;
ALTER TABLE public.clients RENAME CONSTRAINT customers_pkey TO clients_pkey;
DROP VIEW public.mails;
ALTER TABLE public.clients DROP COLUMN gone;
ALTER TABLE public.clients ALTER COLUMN id TYPE bigint;
ALTER TABLE public.clients ALTER COLUMN email TYPE text;
ALTER TABLE public.clients ALTER COLUMN email SET NOT NULL;
ALTER TABLE public.clients ALTER COLUMN joined TYPE timestamp with time zone USING joined::timestamp with time zone;
ALTER TABLE ONLY public.clients ALTER COLUMN joined SET DEFAULT now();
CREATE VIEW public.mails (mail) AS
 SELECT clients.email AS mail
   FROM public.clients;
ALTER TABLE ONLY public.clients ADD CONSTRAINT clients_email_key UNIQUE (email);
