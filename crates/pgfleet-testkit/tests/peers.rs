//! Each peer from npm works here, on the folders that the testkit makes for it.

use pgfleet_testkit::{
    Cluster, Project, TestDb, majors,
    migrations::{Format, one_table_each, render},
    peers::npm,
};

fn tables(db: &TestDb) -> String {
    db.value(
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relname ~ '^t[0-9]$'",
    )
}

#[test]
fn dbmate_applies_and_lists() {
    let (db, project) = (TestDb::new(), Project::of(Format::Dbmate, &one_table_each(2)));
    npm::dbmate(project.path(), &db.url(), &["up"]).assert_success();
    assert_eq!(tables(&db), "t1 t2");
    let status = npm::dbmate(project.path(), &db.url(), &["status"]).assert_success();
    assert!(status.stdout.contains("Pending: 0"), "{}", status.stdout);
}

#[test]
fn supabase_applies_and_lists() {
    let (db, project) = (TestDb::new(), Project::of(Format::Supabase, &one_table_each(2)));
    npm::supabase(project.path(), &db.url(), &["db", "push", "--yes"]).assert_success();
    assert_eq!(tables(&db), "t1 t2");
    let history = "SELECT count(*) FROM supabase_migrations.schema_migrations";
    assert_eq!(db.value(history), "2");
    let list = npm::supabase(project.path(), &db.url(), &["migration", "list"]).assert_success();
    assert_eq!(list.stdout.matches("20240101000002").count(), 2, "{}", list.stdout);
}

#[test]
fn prisma_applies_and_reports() {
    let (db, project) = (TestDb::new(), Project::of(Format::Prisma, &one_table_each(2)));
    let status = npm::prisma(project.path(), &db.url(), &["migrate", "status"]);
    assert!(status.code == 1 && status.stdout.contains("have not yet been applied"), "{status:?}");
    npm::prisma(project.path(), &db.url(), &["migrate", "deploy"]).assert_success();
    assert_eq!(tables(&db), "t1 t2");
    let status = npm::prisma(project.path(), &db.url(), &["migrate", "status"]).assert_success();
    assert!(status.stdout.contains("Database schema is up to date"), "{}", status.stdout);
}

#[test]
fn typeorm_applies_and_shows() {
    let (db, project) = (TestDb::new(), Project::of(Format::TypeOrm, &one_table_each(2)));
    npm::typeorm(project.path(), &db.url(), &["migration:run"]).assert_success();
    assert_eq!(tables(&db), "t1 t2");
    let shown = npm::typeorm(project.path(), &db.url(), &["migration:show"]).assert_success();
    assert_eq!(shown.stdout.matches("[X]").count(), 2, "{}", shown.stdout);
}

#[test]
fn drizzle_applies() {
    let (db, project) = (TestDb::new(), Project::of(Format::Drizzle, &one_table_each(2)));
    npm::drizzle(project.path(), &db.url(), &["migrate"]).assert_success();
    assert_eq!(tables(&db), "t1 t2");
    assert_eq!(db.value("SELECT count(*) FROM drizzle.__drizzle_migrations"), "2");
}

#[test]
fn the_mixed_run_works_in_its_order() {
    let db = TestDb::new();
    let changes = pgfleet_testkit::migrations::mixed(42, 60);
    for (path, sql) in render(Format::Plain, &changes) {
        let outcome = db.psql(&sql);
        assert_eq!(outcome.code, 0, "{path}: {}", outcome.stderr);
    }
}

#[test]
fn the_newest_and_the_oldest_major_start() {
    for major in [14, 18] {
        let cluster = Cluster::fresh().installation(majors::major(major)).start();
        let number = cluster.database().value("SHOW server_version_num");
        assert!(number.starts_with(&major.to_string()), "{number}");
    }
}
