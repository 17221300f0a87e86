CREATE TABLE organisations (
    id integer PRIMARY KEY,
    code text NOT NULL UNIQUE,
    database_name text NOT NULL,
    is_active boolean NOT NULL DEFAULT true
);
INSERT INTO organisations VALUES
    (1, 'velosi', 'velosi', true),
    (2, 'atlas', 'organisation_2', true),
    (3, 'nadir', 'organisation_3', true),
    (4, 'closed', 'organisation_4', false),
    (5, 'ghost', 'organisation_5', true);
-- The ids of organisations that `pgfleet tenant create` enters.
CREATE SEQUENCE organisation_ids START 6;
