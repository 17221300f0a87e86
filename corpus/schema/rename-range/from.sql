CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TYPE app.size AS ENUM ('s', 'm', 'l');
CREATE TYPE app.sizes AS RANGE (SUBTYPE = app.size);
CREATE TYPE app."Span" AS RANGE (SUBTYPE = integer, SUBTYPE_OPCLASS = int4_ops, MULTIRANGE_TYPE_NAME = app.spans);
CREATE TYPE app.stays AS RANGE (SUBTYPE = bigint);
CREATE TABLE app.t (
    fit app.sizes DEFAULT app.sizes('s', 'm'),
    at app."Span" DEFAULT app."Span"(1, 5, '[]'),
    many app.spans DEFAULT app.spans(app."Span"(1, 2), app."Span"(4, 5)),
    moved app.stays DEFAULT app.stays(1, 2)
);
CREATE VIEW app.v AS SELECT app.spans(at) AS s, app.spans() AS none FROM app.t;
CREATE FUNCTION app.f(app."Span") RETURNS app."Span" LANGUAGE sql IMMUTABLE RETURN $1 + app."Span"(2, 9);
