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
    (4, 'sahel', 'organisation_4', true),
    (5, 'oasis', 'organisation_5', true),
    (6, 'closed', 'organisation_6', false),
    (7, 'ghost', 'organisation_7', true);
