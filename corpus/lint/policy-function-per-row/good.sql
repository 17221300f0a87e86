CREATE POLICY own ON notes USING (user_id = (SELECT auth.uid()));
CREATE POLICY tenant ON notes USING (tenant = ( select current_setting('app.tenant'))::uuid);
CREATE POLICY text ON notes USING (a = 'auth.uid()');
