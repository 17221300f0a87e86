//! Row checksums: equal on every major version, different when a value is.

#![allow(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

use pgfleet_core::backup::{Algorithm, TableSum};
use pgfleet_core::config::{ConfigFile, Flags, Scope, resolve};
use pgfleet_engine::backup::{read_tables, sum_tables};
use pgfleet_engine::conduct::Target;
use pgfleet_engine::connect::{ConnectSpec, Surroundings};
use pgfleet_testkit::{Cluster, TestDb, majors};

const ROWS: &str = "
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN posint AS bigint CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE every (id int PRIMARY KEY, m mood, d posint, n numeric, f float8, r real, t timestamptz,
    ts timestamp, da date, ti time, tz timetz, i interval, j jsonb, js json, b bytea, a int[],
    c char(5), vc varchar(9), te text, ra int4range, ip inet, u uuid, bo boolean, p pair, ma mood[],
    po point, mo money, bi bit(3), ts2 tsvector, sm smallint, na name, o oid);
INSERT INTO every SELECT g, CASE g % 3 WHEN 0 THEN 'sad' WHEN 1 THEN 'ok' END::mood, g, g / 7.0,
    sqrt(g), g / 3.0, timestamptz '2026-01-01 UTC' + g * interval '1 s', timestamp '2020-02-02' + g * interval '1 us',
    date '2020-01-01' + g, time '10:00' + g * interval '1 s', timetz '10:00+02', g * interval '1 month 1 s',
    jsonb_build_object('b', g, 'a', 1.50), '{\"x\":  1}', decode(md5(g::text), 'hex'), array[g, null],
    'x', 'é' || g, repeat('z', g), int4range(g, g + 2), '10.0.0.1/8', md5(g::text)::uuid, g % 2 = 0,
    (g, 'x,\"y'::text)::pair, array['ok', 'sad']::mood[], point(g, 1.5), g::money, B'101', 'a b'::tsvector, g, 'n', g
FROM generate_series(1, 300) g;
INSERT INTO every (id) VALUES (1000);
CREATE TABLE parts (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_2 (v text, id int);
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (100) TO (200);
INSERT INTO parts SELECT g, 'v' || g FROM generate_series(1, 199) g;";

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn target(db: &TestDb) -> Target {
    let none = Default::default();
    let settings =
        resolve(&ConfigFile::default(), &none, &none, &Flags::default(), Scope::Target).unwrap();
    let spec = ConnectSpec::parse(&db.url(), &Surroundings::new(none)).unwrap();
    Target::at("t", spec, &settings.into())
}

fn sums(db: &TestDb, algorithm: Algorithm, jobs: usize) -> Vec<TableSum> {
    let target = target(db);
    block_on(async {
        let session = target.connect().await.unwrap();
        let tables = read_tables(&target, &session, true).await.unwrap();
        sum_tables(&target, None, &tables, algorithm, jobs).await.unwrap()
    })
}

#[test]
fn sums_are_equal_on_every_major_version() {
    let mut first = None;
    for major in 14..=18 {
        let cluster = Cluster::fresh().installation(majors::major(major)).start();
        let db = cluster.database();
        db.sql(ROWS);
        let found =
            [Algorithm::Record1, Algorithm::Record2, Algorithm::Text1].map(|one| sums(&db, one, 2));
        assert_eq!(found[0].iter().map(|table| table.rows).sum::<u64>(), 301 + 199);
        let first = first.get_or_insert_with(|| found.clone());
        assert_eq!(first, &found, "14 and {major}");
    }
}

#[test]
fn order_of_rows_and_columns_does_not_count_and_every_value_does() {
    let db = TestDb::new();
    db.sql(
        "CREATE TABLE a (x bigint, y text); INSERT INTO a VALUES (1, 'p'), (2, 'q'), (2, 'q');
         CREATE TABLE b (y text, x bigint); INSERT INTO b VALUES ('q', 2), ('p', 1), ('q', 2);",
    );
    let both = sums(&db, Algorithm::Record2, 1);
    assert_eq!((both[0].rows, &both[0].sum), (3, &both[1].sum));
    for change in [
        "UPDATE b SET x = 4294967296 WHERE x = 1",
        "UPDATE b SET x = -2 WHERE x = 1",
        "UPDATE b SET y = 'P' WHERE x = 1",
        "UPDATE b SET y = '' WHERE x = 1",
        "UPDATE b SET y = NULL WHERE x = 1",
        "UPDATE b SET x = CASE x WHEN 1 THEN 2 ELSE 1 END",
        "INSERT INTO b VALUES (NULL, NULL)",
        "DELETE FROM b WHERE ctid = '(0,1)'",
    ] {
        db.sql("TRUNCATE b; INSERT INTO b VALUES ('q', 2), ('p', 1), ('q', 2)");
        db.sql(change);
        assert_ne!(sums(&db, Algorithm::Record2, 1)[1], both[1], "{change}");
    }
}

/// Each column holds the same values as before, in other rows.
#[test]
fn values_that_changed_places_between_rows_count() {
    let db = TestDb::new();
    db.sql("CREATE TABLE a (x int, y text); CREATE TABLE b (x int, y text)");
    for x in 0..12 {
        db.sql(&format!(
            "TRUNCATE a, b; INSERT INTO a VALUES ({x}, 'p'), (-{x}, 'q'); \
             INSERT INTO b VALUES ({x}, 'q'), (-{x}, 'p')"
        ));
        let both = sums(&db, Algorithm::Record2, 1);
        assert_eq!(both[0].sum == both[1].sum, x == 0, "{x}");
    }
}

#[test]
fn numerics_of_another_scale_and_negative_zero_count() {
    let db = TestDb::new();
    for (kind, one, other) in [
        ("numeric", "1.0", "1.00"),
        ("float8", "'-0'", "0"),
        ("timestamptz", "'2026-01-01 00:00:00+00'", "'2026-01-01 00:00:00.000001+00'"),
        ("jsonb", "'{\"a\": 1}'", "'{\"a\": 1.0}'"),
    ] {
        db.sql(&format!(
            "DROP TABLE IF EXISTS a, b; CREATE TABLE a (v {kind}); CREATE TABLE b (v {kind});
             INSERT INTO a VALUES ({one}); INSERT INTO b VALUES ({other})"
        ));
        let both = sums(&db, Algorithm::Record2, 2);
        assert_ne!(both[0].sum, both[1].sum, "{kind}");
    }
}

#[test]
fn a_large_table_is_summed_in_parts_that_add_up() {
    let db = TestDb::new();
    db.sql(
        "CREATE TABLE big (id int, pad text); ALTER TABLE big ALTER pad SET STORAGE PLAIN;
            INSERT INTO big SELECT g, repeat('x', 7000) FROM generate_series(1, 40000) g;
            DELETE FROM big WHERE id % 1000 = 0",
    );
    let whole = "SELECT count(*), sum(hashint4extended(0, hash_record_extended(ROW(id, pad), 0))) \
                 FROM big";
    let expected = db.rows(whole).remove(0);
    let found = sums(&db, Algorithm::Record2, 3).remove(0);
    assert_eq!(expected, [Some(found.rows.to_string()), Some(found.sum)]);
}
