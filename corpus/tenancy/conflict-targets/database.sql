-- Functions of both languages, a trigger's too, rely on keys that become per-tenant; one key is kept.
CREATE TABLE devices (id int PRIMARY KEY, code text UNIQUE, owner int, serial text, CONSTRAINT by_serial UNIQUE (serial));
CREATE TABLE seen (device int NOT NULL, day date NOT NULL, times int NOT NULL DEFAULT 1);
CREATE UNIQUE INDEX seen_once ON seen (device, day);
CREATE FUNCTION note(d int) RETURNS void LANGUAGE sql AS $$
  INSERT INTO public.seen (device, day) VALUES (d, current_date)
    ON CONFLICT (day, device) DO UPDATE SET times = seen.times + 1;
$$;
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO devices (id, code) VALUES (NEW.device, 'd' || NEW.device) ON CONFLICT (code) DO NOTHING;
  INSERT INTO devices (id, serial) VALUES (NEW.device, 's') ON CONFLICT (serial) DO NOTHING;
  RETURN NEW;
END $body$;
CREATE TRIGGER keep BEFORE INSERT ON seen FOR EACH ROW EXECUTE FUNCTION keep();
