CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TYPE app.width AS ENUM ('s', 'm', 'l');
CREATE TYPE app.widths AS RANGE (SUBTYPE = app.width);
CREATE TYPE app.period AS RANGE (SUBTYPE = integer, SUBTYPE_OPCLASS = int4_ops, MULTIRANGE_TYPE_NAME = app.periods);
CREATE TYPE other.goes AS RANGE (SUBTYPE = bigint);
CREATE TABLE app.t (
    fit app.widths DEFAULT app.widths('s', 'm'),
    at app.period DEFAULT app.period(1, 5, '[]'),
    many app.periods DEFAULT app.periods(app.period(1, 2), app.period(4, 5)),
    moved other.goes DEFAULT other.goes(1, 2)
);
CREATE VIEW app.v AS SELECT app.periods(at) AS s, app.periods() AS none FROM app.t;
CREATE FUNCTION app.f(app.period) RETURNS app.period LANGUAGE sql IMMUTABLE RETURN $1 + app.period(2, 9);
