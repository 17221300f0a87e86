-- Rows as years of use leave them: each of them would break the split.
INSERT INTO users (id, email, password_hash, role) VALUES
  (md5('boss')::uuid, 'boss@atelier.example', 'x', 'SUPERVISOR'),
  (md5('twin')::uuid, 'user1@atelier.example', 'x', 'OPERATOR');
INSERT INTO clients (code, name) VALUES (NULL, 'Sans code'), ('C-SANS-NOM', NULL),
  ('C-' || repeat('9', 40), 'Code trop long');
INSERT INTO commandes (numero, client_id, total) VALUES
  ('CMD-ORPHELINE', 999999, '10'), ('CMD-ILLISIBLE', 1, 'douze'), ('CMD-ARRONDI', 1, '10.005');
INSERT INTO tickets (id, client_id, priority, subject) VALUES (md5('cri')::uuid, 1, 'URGENTISSIME', 'Tout est arrêté');
INSERT INTO employees (id, matricule) VALUES (md5('double')::uuid, 'E-1');
-- And these, which an audit finds and `clean` takes away.
INSERT INTO users (id, email, password_hash, role)
SELECT md5('pilot' || i)::uuid, 'pilot' || i || '@example.com', 'x', 'OPERATOR' FROM generate_series(1, 3) i;
INSERT INTO user_sessions (user_id, token, expires_at)
SELECT id, md5(email), now() - interval '90 days' FROM users WHERE email LIKE '%@example.com';
