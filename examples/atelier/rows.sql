-- Rows for the monolith, `n` orders and what belongs to them; clean.
-- psql -v n=1000 -f monolith.sql -f rows.sql
\if :{?n}
\else
\set n 1000
\endif

INSERT INTO users (id, email, password_hash, first_name, last_name, role, deleted_at)
SELECT md5('user' || i)::uuid, 'user' || i || '@atelier.example', md5(i::text), 'Prénom ' || i, 'Nom ' || i,
  (ARRAY['ADMIN', 'MANAGER', 'OPERATOR'])[1 + i % 3]::user_role, CASE WHEN i % 17 = 0 THEN now() END
FROM generate_series(1, greatest(:n / 20, 5)) i;
INSERT INTO user_sessions (user_id, token, expires_at)
SELECT id, md5(id::text), now() + interval '1 day' FROM users;
INSERT INTO user_preferences (user_id, name, value)
SELECT id, 'theme', '{"dark": true}' FROM users;
INSERT INTO password_resets (user_id, code, expires_at)
SELECT id, left(md5(email), 6), now() FROM users WHERE role = 'ADMIN';
INSERT INTO audit_logs (user_id, action, payload)
SELECT id, 'login', jsonb_build_object('ip', '192.0.2.1') FROM users;
INSERT INTO materials (code, name, density)
SELECT 'M' || i, 'Matière ' || i, i / 10.0 FROM generate_series(1, 40) i;
INSERT INTO material_grades (material_id, grade, yield_strength)
SELECT id, 'S' || 200 + id, 235.5 FROM materials;
INSERT INTO processes (code, label) SELECT 'P' || i, 'Procédé ' || i FROM generate_series(1, 10) i;
INSERT INTO quality_standards (code, title) SELECT 'ISO' || 9000 + i, 'Norme ' || i FROM generate_series(1, 12) i;
INSERT INTO material_standards SELECT m.id, s.id FROM materials m JOIN quality_standards s ON (m.id + s.id) % 5 = 0;
INSERT INTO clients (code, name, email, siret, owner_id, deleted_at)
SELECT 'C' || i, 'Client "' || i || '"', 'c' || i || '@client.example', lpad(i::text, 14, '0'),
  md5('user' || 1 + i % 5)::uuid, CASE WHEN i % 11 = 0 THEN now() END
FROM generate_series(1, greatest(:n / 5, 5)) i;
INSERT INTO client_contacts (client_id, name, phone) SELECT id, 'Contact ' || id, '+33 1' FROM clients;
INSERT INTO client_addresses (client_id, street, city, postal_code) SELECT id, id || ' rue des Forges', 'Lyon', '69007' FROM clients;
INSERT INTO fournisseurs (code, name, rating) SELECT 'F' || i, 'Fournisseur ' || i, 4.5 FROM generate_series(1, 20) i;
INSERT INTO articles (reference, label, material_id, fournisseur_id, price)
SELECT 'A' || i, 'Article ' || i, 1 + i % 40, 1 + i % 20, i * 1.25 FROM generate_series(1, greatest(:n / 10, 10)) i;
INSERT INTO stocks (article_id, quantity) SELECT id, id * 3 FROM articles;
INSERT INTO stock_movements (stock_id, delta, moved_by)
SELECT id, d, md5('user1')::uuid FROM stocks, generate_series(1, 3) d;
INSERT INTO commandes (numero, client_id, status, total, ordered_by)
SELECT 'CMD-' || i, 1 + i % greatest(:n / 5, 5), (ARRAY['draft', 'confirmed', 'shipped'])[1 + i % 3],
  (i * 10.5)::text, md5('user' || 1 + i % 5)::uuid
FROM generate_series(1, :n) i;
INSERT INTO commande_lignes (commande_id, article_id, quantity, unit_price)
SELECT c.id, 1 + (c.id + l) % greatest(:n / 10, 10), l, 12.5 FROM commandes c, generate_series(1, 4) l;
INSERT INTO devis (client_id, commande_id, amount, valid_until) SELECT client_id, id, 100, date '2026-12-31' FROM commandes WHERE id % 2 = 0;
INSERT INTO factures (commande_id, numero, amount) SELECT id, 'FAC-' || id, 99.9 FROM commandes WHERE id % 3 = 0;
INSERT INTO paiements (facture_id, amount) SELECT id, 99.9 FROM factures;
INSERT INTO machines (code, process_id, name) SELECT 'X' || i, i, 'Machine ' || i FROM generate_series(1, 10) i;
INSERT INTO ordres_fabrication (commande_id, machine_id, planned_on) SELECT id, 1 + id % 10, date '2026-06-01' FROM commandes;
INSERT INTO projets (client_id, name, budget) SELECT id, 'Projet ' || id, 1e6 FROM clients WHERE id % 4 = 0;
INSERT INTO documents (projet_id, name, content) SELECT id, 'plan.pdf', '\x255044462d00ff' FROM projets;
INSERT INTO notifications (user_id, title) SELECT id, 'Bienvenue' FROM users;
ANALYZE;
