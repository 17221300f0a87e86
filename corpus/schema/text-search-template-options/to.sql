CREATE SCHEMA app;
CREATE TEXT SEARCH DICTIONARY app.d (TEMPLATE = pg_catalog.simple, STOPWORDS = english, ACCEPT = false); CREATE TEXT SEARCH CONFIGURATION app.c (COPY = pg_catalog.english); ALTER TEXT SEARCH CONFIGURATION app.c ALTER MAPPING FOR asciiword WITH app.d, english_stem;
