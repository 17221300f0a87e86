ALTER TABLE public.orders RENAME COLUMN customer_id TO client_id;
ALTER TABLE public.customers RENAME COLUMN mail TO email;
ALTER TABLE public.customers RENAME CONSTRAINT customers_mail_key TO customers_email_key;
ALTER INDEX public.orders_customer_id_idx RENAME TO orders_client_id_idx;
ALTER INDEX public.orders_customer_id_lower_idx RENAME TO orders_client_id_lower_idx;
ALTER TABLE public.orders RENAME CONSTRAINT orders_customer_id_fkey TO orders_client_id_fkey;
