-- Settles what dirty.sql planted and `pgfleet split plan` found.
UPDATE users SET role = 'MANAGER' WHERE role = 'SUPERVISOR';
UPDATE users SET email = 'user1-bis@atelier.example' WHERE id = md5('twin')::uuid;
UPDATE clients SET code = 'C-' || id WHERE code IS NULL OR length(code) > 30;
UPDATE clients SET name = 'Client ' || id WHERE name IS NULL;
DELETE FROM commandes WHERE numero = 'CMD-ORPHELINE';
UPDATE commandes SET total = '12' WHERE numero = 'CMD-ILLISIBLE';
UPDATE commandes SET total = '10.01' WHERE numero = 'CMD-ARRONDI';
UPDATE tickets SET priority = 'high' WHERE priority = 'URGENTISSIME';
UPDATE employees SET matricule = 'E-1-BIS' WHERE id = md5('double')::uuid;
