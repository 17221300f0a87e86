ALTER TABLE users ADD CONSTRAINT users_plan_fkey FOREIGN KEY (age) REFERENCES plans (id);
ALTER TABLE plans ADD CONSTRAINT plans_fkey FOREIGN KEY (id) REFERENCES users (id);
