-- Comments on objects, on their columns, and on the checks of domains.
SELECT CASE WHEN k.contypid <> 0 THEN 'pg_type'::regclass::oid ELSE d.classoid END,
    CASE WHEN k.contypid <> 0 THEN k.contypid ELSE d.objoid END,
    CASE WHEN k.contypid <> 0 THEN k.conname ELSE a.attname END,
    d.description
FROM pg_description d
LEFT JOIN pg_attribute a ON d.classoid = 'pg_class'::regclass AND d.objsubid > 0
    AND a.attrelid = d.objoid AND a.attnum = d.objsubid
LEFT JOIN pg_constraint k ON d.classoid = 'pg_constraint'::regclass AND k.oid = d.objoid
WHERE (d.objoid >= 16384 AND d.classoid <> 'pg_extension'::regclass)
    OR (d.classoid = 'pg_namespace'::regclass AND d.objoid = 2200
        AND d.description <> 'standard public schema')
