-- Rows as years of use leave them: each of them would break the split.
INSERT INTO users (id, email, password_hash, role) VALUES
  (md5('boss')::uuid, 'boss@atelier.example', 'x', 'SUPERVISOR'),
  (md5('twin')::uuid, 'user1@atelier.example', 'x', 'OPERATOR');
INSERT INTO clients (code, name) VALUES (NULL, 'Sans code'), ('C-SANS-NOM', NULL),
  ('C-' || repeat('9', 40), 'Code trop long');
INSERT INTO commandes (numero, client_id, total) VALUES
  ('CMD-ORPHELINE', 999999, '10'), ('CMD-ILLISIBLE', 1, 'douze'), ('CMD-ARRONDI', 1, '10.005');
