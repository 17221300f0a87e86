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
INSERT INTO roles (code, label) SELECT 'R' || i, 'Rôle ' || i FROM generate_series(1, 8) i;
INSERT INTO permissions (code, module) SELECT 'perm.' || i, 'module ' || i % 6 FROM generate_series(1, 30) i;
INSERT INTO role_permissions SELECT r.id, p.id FROM roles r JOIN permissions p ON (r.id + p.id) % 3 = 0;
INSERT INTO user_groups (id, name) SELECT md5('group' || i)::uuid, 'Équipe ' || i FROM generate_series(1, 6) i;
INSERT INTO user_group_members
SELECT md5('group' || 1 + row_number() OVER (ORDER BY id) % 6)::uuid, id, date '2026-01-01' FROM users;
INSERT INTO api_keys (id, user_id, prefix, hash)
SELECT md5('key' || email)::uuid, id, left(md5(email), 8), decode(md5(email), 'hex') FROM users WHERE role = 'ADMIN';
INSERT INTO countries
VALUES ('FR', 'France'), ('BE', 'Belgique'), ('DE', 'Allemagne'), ('ES', 'Espagne'), ('IT', 'Italie');
INSERT INTO currencies VALUES ('EUR', 'Euro', 2), ('USD', 'Dollar', 2), ('JPY', 'Yen', 0);
INSERT INTO units (code, factor) VALUES ('kg', 1), ('t', 1000), ('m', 1), ('mm', 0.001), ('u', 1);
INSERT INTO tax_rates (country_code, rate, valid_from) SELECT code, 20.00, date '2014-01-01' FROM countries;
INSERT INTO payment_terms (label, days)
VALUES ('Comptant', 0), ('30 jours', 30), ('45 jours fin de mois', 45), ('60 jours', 60);
INSERT INTO surface_treatments (code, label) SELECT 'T' || i, 'Traitement ' || i FROM generate_series(1, 8) i;
INSERT INTO tool_types (process_id, name) SELECT id, 'Outil ' || id FROM processes;
INSERT INTO article_categories (parent_id, name)
SELECT nullif(i / 4, 0), 'Catégorie ' || i FROM generate_series(1, 15) i;
INSERT INTO article_prices (article_id, currency_code, price, valid_from)
SELECT id, c, price, date '2026-01-01' FROM articles, unnest(ARRAY['EUR', 'USD']) c;
INSERT INTO warehouses (code, country_code) VALUES ('DEPOT-1', 'FR'), ('DEPOT-2', 'FR'), ('ANVERS', 'BE');
INSERT INTO stock_locations (warehouse_id, aisle, level)
SELECT w.id, 'A' || i, i % 5 FROM warehouses w, generate_series(1, 10) i;
INSERT INTO stock_reservations (stock_id, commande_id, quantity)
SELECT 1 + id % greatest(:n / 10, 10), id, 1 + id % 7 FROM commandes WHERE id % 5 = 0;
INSERT INTO fournisseur_contacts (fournisseur_id, name, email)
SELECT id, 'Contact ' || id, 'f' || id || '@fournisseur.example' FROM fournisseurs;
INSERT INTO achats (numero, fournisseur_id, buyer_id, status)
SELECT 'ACH-' || i, 1 + i % 20, md5('user' || 1 + i % 5)::uuid, (ARRAY['open', 'received', 'closed'])[1 + i % 3] FROM generate_series(1, greatest(:n / 10, 10)) i;
INSERT INTO achat_lignes (achat_id, article_id, quantity, unit_price)
SELECT a.id, 1 + (a.id + l) % greatest(:n / 10, 10), l, 8.5 FROM achats a, generate_series(1, 3) l;
INSERT INTO receptions (achat_id, received_on, received_by)
SELECT id, date '2026-03-01', buyer_id FROM achats WHERE status <> 'open';
INSERT INTO reception_lignes (reception_id, achat_ligne_id, quantity)
SELECT r.id, l.id, l.quantity FROM receptions r JOIN achat_lignes l USING (achat_id);
INSERT INTO livraisons (commande_id, shipped_on, carrier)
SELECT id, date '2026-04-01', 'Transports Girard' FROM commandes WHERE status = 'shipped';
INSERT INTO livraison_lignes (livraison_id, commande_ligne_id, quantity)
SELECT l.id, c.id, c.quantity FROM livraisons l JOIN commande_lignes c USING (commande_id);
INSERT INTO devis_lignes (devis_id, article_id, quantity, unit_price)
SELECT id, 1 + id % greatest(:n / 10, 10), 2, 50 FROM devis;
INSERT INTO avoirs (facture_id, amount, reason) SELECT id, 9.9, 'Retour' FROM factures WHERE id % 20 = 0;
INSERT INTO relances (facture_id, sent_on)
SELECT id, date '2026-05-01' FROM factures WHERE paid_at IS NULL AND id % 10 = 0;
INSERT INTO nomenclatures (article_id) SELECT id FROM articles WHERE id % 3 = 0;
INSERT INTO nomenclature_lignes (nomenclature_id, composant_id, quantity)
SELECT n.id, 1 + (n.article_id + l) % greatest(:n / 10, 10), 1.5 FROM nomenclatures n, generate_series(1, 2) l;
INSERT INTO gammes (article_id, label) SELECT article_id, 'Gamme ' || id FROM nomenclatures;
INSERT INTO gamme_operations (gamme_id, machine_id, rank, minutes)
SELECT g.id, 1 + g.id % 10, o, 12.25 FROM gammes g, generate_series(1, 2) o;
INSERT INTO operations (of_id, operator_id, started_at, minutes)
SELECT id, md5('user' || 1 + id % 5)::uuid, timestamptz '2026-06-01 08:00Z', 30 FROM ordres_fabrication WHERE id % 2 = 0;
INSERT INTO maintenances (machine_id, planned_on) SELECT id, date '2026-09-01' FROM machines;
INSERT INTO employees (id, user_id, matricule, hired_on, hourly_rate)
SELECT md5('emp' || email)::uuid, id, 'E-' || row_number() OVER (ORDER BY email), date '2020-01-01', 21.5 FROM users;
INSERT INTO pointages (employee_id, day, hours)
SELECT id, date '2026-01-01' + d, 7.5 FROM employees, generate_series(1, 5) d;
INSERT INTO conges (employee_id, period) SELECT id, '[2026-08-01,2026-08-15)' FROM employees;
INSERT INTO controles_qualite (of_id, standard_id, measures, passed)
SELECT id, 1 + id % 12, '{"mm": [12.1, 11.9]}', id % 9 > 0 FROM ordres_fabrication WHERE id % 4 = 0;
INSERT INTO non_conformites (controle_id, description)
SELECT id, 'Hors tolérance' FROM controles_qualite WHERE NOT passed;
INSERT INTO tickets (id, client_id, priority, subject)
SELECT md5('ticket' || id)::uuid, id, (ARRAY['low', 'normal', 'high'])[1 + id % 3], 'Question ' || id FROM clients WHERE id % 5 = 0;
INSERT INTO ticket_messages (ticket_id, author_id, body) SELECT id, md5('user1')::uuid, 'Bonjour' FROM tickets;
INSERT INTO projet_taches (projet_id, assigned_to, title)
SELECT id, md5('user2')::uuid, 'Relevé de cotes' FROM projets;
INSERT INTO comptes (numero, label) SELECT (400000 + i)::text, 'Compte ' || i FROM generate_series(1, 40) i;
INSERT INTO ecritures (compte_id, facture_id, debit) SELECT 1 + id % 40, id, amount FROM factures;
ANALYZE;
