-- Add down migration script here
SELECT 2;
