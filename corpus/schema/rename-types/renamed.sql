ALTER FUNCTION public.f(public.mood) RENAME TO g;
ALTER TYPE public.mood RENAME TO feeling;
ALTER DOMAIN public.mail RENAME TO address;
ALTER TYPE public.feeling RENAME VALUE 'so-so' TO 'meh';
ALTER TYPE public.pair RENAME ATTRIBUTE b TO second CASCADE;
ALTER DOMAIN public.address RENAME CONSTRAINT mail_check TO address_check;
