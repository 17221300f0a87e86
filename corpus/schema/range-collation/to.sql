CREATE SCHEMA app;
CREATE TYPE app.r AS RANGE (SUBTYPE = text, SUBTYPE_OPCLASS = text_pattern_ops);
