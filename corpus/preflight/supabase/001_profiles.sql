CREATE TABLE profiles (id uuid PRIMARY KEY REFERENCES auth.users (id), avatar uuid REFERENCES storage.objects (id));
CREATE TRIGGER moved BEFORE UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION extensions.moddatetime(updated_at);
CREATE FUNCTION handle_new_user() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.handle_new_user();
CREATE POLICY p ON storage.objects USING (auth.uid() = owner);
ALTER TABLE profile ENABLE ROW LEVEL SECURITY;
