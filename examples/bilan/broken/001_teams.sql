-- Fine by itself.
CREATE TABLE teams (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL
);

CREATE TABLE members (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  team_id integer REFERENCES teams (id),
  email text
);

INSERT INTO teams (name) VALUES ('Conseil'), ('Accueil');
INSERT INTO members (team_id, email) VALUES
  (1, 'ada@example.org'), (1, 'grace@example.org'), (2, NULL), (2, 'ada@example.org');
