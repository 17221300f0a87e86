-- What needs a key as it is: a foreign key, a rule and a view that groups by it.
CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, name text);
CREATE TABLE logins (email text REFERENCES users (email));
CREATE TABLE marks (id int PRIMARY KEY, word text UNIQUE);
CREATE RULE also AS ON INSERT TO logins DO ALSO
  INSERT INTO marks VALUES (1, NEW.email) ON CONFLICT (word) DO NOTHING;
