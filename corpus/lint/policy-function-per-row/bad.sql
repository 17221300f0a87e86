CREATE POLICY own ON notes USING (user_id = auth.uid());
CREATE POLICY tenant ON notes USING (tenant = current_setting('app.tenant')::uuid) WITH CHECK ((SELECT auth.uid()) = a AND auth.role() = 'x');
