//! `backup` and `restore`: what is proven, what is refused, and what a kill leaves.

#![allow(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pgfleet_testkit::{Cluster, TestDb, client_command, majors};

use crate::stage::{Stage, assert_says};

const ROWS: &str = r#"
CREATE SCHEMA "we ird";
CREATE TYPE "we ird".mood AS ENUM ('sad', 'ok');
CREATE DOMAIN posint AS bigint CHECK (VALUE > 0);
CREATE TABLE "we ird"."Big" (id bigserial PRIMARY KEY, m "we ird".mood, d posint, n numeric,
    f float8, t timestamptz, i interval, j jsonb, b bytea, a int[], c char(5), r int4range, x xml,
    e "we ird".mood[], g int GENERATED ALWAYS AS (id::int * 2) STORED);
CREATE TABLE child (big bigint REFERENCES "we ird"."Big", note text);
CREATE TABLE nothing ();
INSERT INTO "we ird"."Big" (m, d, n, f, t, i, j, b, a, c, r, x, e)
SELECT CASE WHEN g % 2 = 0 THEN 'sad' END::"we ird".mood, g, g / 7.0, sqrt(g),
    timestamptz '2026-01-01' + g * interval '1 s', g * interval '1 min', jsonb_build_object('a', g),
    decode(md5(g::text), 'hex'), array[g, null], 'x', int4range(g, g + 2), '<a/>',
    array['ok', 'sad']::"we ird".mood[]
FROM generate_series(1, 2000) g;
INSERT INTO child SELECT g, repeat('é', g) FROM generate_series(1, 50) g;
SELECT lo_from_bytea(0, 'hello');
"#;

fn stage() -> Stage {
    let stage = Stage::of(&[]);
    stage.db.sql(ROWS);
    stage
}

/// A disk of two megabytes at a folder of the project.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where this user may not mount one.
    fn at(folder: PathBuf) -> Option<Self> {
        std::fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(&folder);
        mount.output().is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_disk_that_may_be_too_small_is_said_before_anything_is_written() {
    let stage = Stage::of(&[]);
    stage
        .db
        .sql("CREATE TABLE wide AS SELECT g, repeat('x', 1000) FROM generate_series(1, 4000) g");
    let Some(disk) = SmallDisk::at(stage.project.path().join("small")) else {
        eprintln!("skipped: this user may not mount a small disk");
        return;
    };
    let args = ["backup", "--no-globals", "--name", "one", "--backup-dir", "small"];
    let refused = stage.ends(&args, 5);
    assert_says(&refused, &["PF472", "the rows take 5 MiB in the database, 2 MiB are free at"]);
    assert!(std::fs::read_dir(&disk.0).unwrap().all(|target| {
        std::fs::read_dir(target.unwrap().path()).is_ok_and(|mut left| left.next().is_none())
    }));
    // They compress well.
    let args = [&args[..], &["--skip-space-check", "--verify"]].concat();
    assert_says(&stage.run(&args).assert_success().stdout, &["good"]);
}

/// The folder of the stage's backups.
fn folder(stage: &Stage) -> PathBuf {
    let root = stage.project.path().join(".pgfleet/backups");
    let mut folders = std::fs::read_dir(root).unwrap();
    folders.next().unwrap().unwrap().path()
}

fn backup(stage: &Stage, args: &[&str]) -> PathBuf {
    let args = [&["backup", "--no-globals", "--name", "one"], args].concat();
    stage.run(&args).assert_success();
    folder(stage).join("one")
}

fn drop_database(stage: &Stage, name: &str) {
    stage.db.cluster().sql(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"));
}

#[test]
fn every_kind_and_form_is_good_once_it_was_restored() {
    let stage = stage();
    for (name, args) in [
        ("full", &["--verify"][..]),
        ("file", &["--verify", "--single-file"]),
        ("rows", &["--verify", "--data-only", "--jobs", "1"]),
        ("structure", &["--verify", "--schema-only"]),
    ] {
        let args = [&["backup", "--name", name], args].concat();
        let made = stage.run(&args).assert_success();
        assert_says(&made.stdout, &[name, "good"]);
    }
    stage.run(&["backup", "--name", "unproven"]).assert_success();
    let list = stage.run(&["backup", "list"]).assert_success().stdout;
    assert_says(&list, &["unproven", "not verified", "5 backups", "4 good"]);
    assert!(folder(&stage).join("full/globals.sql").is_file());
    let left = "SELECT count(*) FROM pg_database WHERE shobj_description(oid, 'pg_database') \
                = 'pgfleet: a backup is being verified' AND NOT EXISTS \
                (SELECT FROM pg_stat_activity a WHERE a.datname = pg_database.datname)";
    assert_eq!(stage.db.value(left), "0");
}

#[test]
fn a_backup_comes_back_with_its_settings_and_the_old_database_is_kept() {
    let stage = stage();
    let name = stage.db.name();
    stage.db.sql(&format!(
        "ALTER DATABASE {name} SET search_path TO \"$user\", public, \"we ird\";
         ALTER DATABASE {name} SET work_mem TO '7MB'; COMMENT ON DATABASE {name} IS 'it''s';"
    ));
    backup(&stage, &["--verify"]);
    stage.db.sql("DELETE FROM child");
    let refused = stage.ends(&["restore"], 5);
    assert_says(&refused, &["PF402", "--allow-data-loss", "_restored"]);
    let said = stage.run(&["restore", "--allow-data-loss"]).assert_success().stdout;
    assert_eq!(stage.db.value("SELECT count(*) FROM child"), "50");
    assert_eq!(stage.db.value("SHOW work_mem"), "7MB");
    assert_eq!(stage.db.value("SHOW search_path"), "\"$user\", public, \"we ird\"");
    let comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database \
                   WHERE datname = current_database()";
    assert_eq!(stage.db.value(comment), "it's");
    let prior = said.split_whitespace().find(|word| word.contains("_before_")).unwrap();
    let prior = prior.trim_end_matches('.');
    assert_eq!(
        stage.db.value(&format!("SELECT true FROM pg_database WHERE datname = '{prior}'")),
        "t"
    );
    drop_database(&stage, prior);
    let args = ["restore", "one", "--allow-data-loss", "--drop-prior"];
    stage.run(&args).assert_success();
    let kept = format!("SELECT count(*) FROM pg_database WHERE datname LIKE '{name}\\_%'");
    assert_eq!(stage.db.value(&kept), "0");
}

#[test]
fn sessions_do_not_hold_up_a_restore() {
    let stage = stage();
    backup(&stage, &[]);
    let url = stage.db.url();
    let sleeper = std::thread::spawn(move || {
        let mut psql = client_command("psql");
        psql.args(["-X", "-d", &url, "-c", "SELECT pg_sleep(60)"]).output().unwrap()
    });
    std::thread::sleep(Duration::from_millis(300));
    stage.run(&["restore", "--allow-data-loss", "--drop-prior"]).assert_success();
    assert!(!sleeper.join().unwrap().status.success());
}

fn damaged(stage: &Stage, what: &str, change: impl Fn(&Path)) {
    let path = backup(stage, &[]);
    change(&path);
    for args in [&["backup", "verify", "one"][..], &["restore", "one", "--into", "never_made"]] {
        assert_says(&stage.ends(args, 5), &["PF470", what]);
    }
    std::fs::remove_dir_all(path).unwrap();
}

fn rewrite(path: &Path, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let bytes = change(std::fs::read(path).unwrap());
    std::fs::write(path, bytes).unwrap();
}

fn largest(folder: &Path) -> PathBuf {
    let files = std::fs::read_dir(folder.join("dump")).unwrap().map(|file| file.unwrap());
    files.max_by_key(|file| file.metadata().unwrap().len()).unwrap().path()
}

#[test]
fn a_damaged_backup_is_refused_with_the_reason() {
    let stage = stage();
    damaged(&stage, "is cut off", |path| {
        rewrite(&largest(path), |mut bytes| {
            bytes.truncate(bytes.len() / 2);
            bytes
        });
    });
    damaged(&stage, "has other bytes", |path| {
        rewrite(&largest(path), |mut bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes
        });
    });
    damaged(&stage, "UTF-16", |path| {
        rewrite(&path.join("dump/toc.dat"), |bytes| {
            let wide = bytes.iter().flat_map(|byte| [*byte, 0]);
            [0xff, 0xfe].into_iter().chain(wide).collect()
        });
    });
    damaged(&stage, "another encoding", |path| {
        rewrite(&largest(path), |bytes| {
            bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()
        });
    });
    damaged(&stage, "is not there", |path| std::fs::remove_file(largest(path)).unwrap());
}

#[test]
fn a_dump_without_manifest_is_restored_or_refused() {
    let stage = stage();
    let file = stage.project.path().join("old.dump");
    let dump = |format: &str| {
        let mut pg_dump = client_command("pg_dump");
        pg_dump.args([format, "-d", &stage.db.url(), "-f"]).arg(&file);
        assert!(pg_dump.status().unwrap().success());
    };
    dump("-Fc");
    let into = format!("{}_old", stage.db.name());
    let said = stage.run(&["restore", "old.dump", "--into", &into]).assert_success().stdout;
    assert_says(&said, &["no manifest"]);
    drop_database(&stage, &into);
    rewrite(&file, |bytes| bytes.iter().map(|b| char::from(*b)).collect::<String>().into());
    assert_says(&stage.ends(&["restore", "old.dump", "--into", &into], 5), &["PF470", "encoding"]);
    dump("-Fc");
    rewrite(&file, |bytes| bytes[..bytes.len() - 2000].to_vec());
    assert_says(&stage.ends(&["restore", "old.dump", "--into", &into], 4), &["PF370"]);
    dump("-Fp");
    assert_says(&stage.ends(&["restore", "old.dump", "--into", &into], 2), &["PF172", "psql"]);
    std::fs::write(&file, "hello").unwrap();
    assert_says(&stage.ends(&["restore", "old.dump", "--into", &into], 5), &["PF470", "no dump"]);
}

#[test]
fn a_backup_that_does_not_hold_what_it_says_is_bad() {
    let stage = stage();
    let path = backup(&stage, &[]);
    rewrite(&path.join("manifest.json"), |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        text.replace("\"rows\": 50", "\"rows\": 51").into_bytes()
    });
    let said = stage.ends(&["backup", "verify"], 1);
    assert_says(&said, &["PF550", "public.child: expected 51 rows, found 50 rows"]);
    assert_says(&stage.run(&["backup", "list"]).stdout, &["bad", "0 good"]);
    assert_says(&stage.ends(&["restore", "--into", "never_made"], 1), &["PF550", "as it was"]);
    rewrite(&path.join("manifest.json"), |_| b"{}".to_vec());
    assert_says(&stage.run(&["backup", "list"]).stdout, &["damaged"]);
    assert_says(&stage.ends(&["backup", "verify", "one"], 2), &["PF172"]);
}

#[test]
fn names_and_programs_are_checked_first() {
    let stage = stage();
    backup(&stage, &[]);
    assert_says(&stage.ends(&["backup", "--name", "one"], 5), &["PF471"]);
    assert_says(&stage.ends(&["backup", "--name", "../two"], 2), &["PF100"]);
    assert_says(&stage.ends(&["backup", "verify", "two"], 2), &["PF171", "one"]);
    assert_says(&stage.ends(&["restore", "two"], 2), &["PF171"]);
    stage.db.sql("CREATE ROLE backup_reader LOGIN");
    let url = stage.db.url().replace("postgres://postgres", "postgres://backup_reader");
    let denied = stage.cli_at(&url, &["backup", "--no-globals"]).run();
    stage.db.sql("DROP OWNED BY backup_reader; DROP ROLE backup_reader");
    assert_eq!(denied.code, 4, "{}", denied.stderr);
    assert_says(&denied.stderr, &["permission denied"]);
    let left = std::fs::read_dir(folder(&stage)).into_iter().flatten().flatten();
    assert!(left.map(|entry| entry.file_name()).all(|name| name == "one"), "a draft is left");
}

#[test]
fn a_name_that_nobody_chose_is_a_free_one() {
    let stage = stage();
    backup(&stage, &[]);
    // What a run that was killed has made of this second, and what two others make of the next ones.
    for ahead in 0..3 {
        let moment = format!("(now() + interval '{ahead} s') AT TIME ZONE 'UTC'");
        let name = stage.db.value(&format!("SELECT to_char({moment}, 'YYYYMMDD\"T\"HH24MISS')"));
        std::fs::create_dir(folder(&stage).join(format!("{name}Z-schema-only"))).unwrap();
    }
    let made = stage.run(&["backup", "--schema-only", "--no-globals"]).assert_success();
    assert_says(&made.stdout, &["Z-schema-only"]);
    let manifests = std::fs::read_dir(folder(&stage)).unwrap().flatten();
    let made = manifests.filter(|entry| entry.path().join("manifest.json").is_file()).count();
    assert_eq!(made, 2, "the first one and the new one");
}

#[test]
fn a_newer_server_needs_newer_programs() {
    let cluster = Cluster::fresh().installation(majors::major(18)).start();
    let stage = Stage::on(cluster.database(), &[]);
    if Cluster::shared().installation().version.major < 18 {
        assert_says(&stage.ends(&["backup"], 2), &["PF170", "postgresql-client-18"]);
    }
}

#[test]
fn another_server_needs_the_roles() {
    let stage = stage();
    stage.db.sql("CREATE ROLE backup_owner; ALTER TABLE child OWNER TO backup_owner");
    let path = backup(&stage, &[]);
    let other = Cluster::fresh().start();
    let elsewhere = other.url("postgres");
    let path = path.to_string_lossy().into_owned();
    let restore = ["restore", path.as_str(), "--into", "moved"];
    let refused = stage.cli_at(&elsewhere, &restore).run();
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert_says(&refused.stderr, &["PF473", "backup_owner"]);
    other.sql("CREATE ROLE backup_owner NOLOGIN");
    stage.cli_at(&elsewhere, &restore).run().assert_success();
    stage.db.sql("DROP OWNED BY backup_owner; DROP ROLE backup_owner");
}

#[test]
fn only_backups_with_newer_good_ones_go() {
    let stage = stage();
    let make = |args: &[&str]| {
        // Names are of whole seconds.
        std::thread::sleep(Duration::from_millis(1100));
        stage.run(&[&["backup", "--schema-only", "--no-globals"], args].concat()).assert_success()
    };
    make(&["--verify"]);
    make(&[]);
    assert!(!make(&["--keep", "1"]).stdout.contains("Removed"), "the last good one stays");
    let said = make(&["--keep", "1", "--verify"]).stdout;
    assert_eq!(said.matches("Removed").count(), 3, "{said}");
    assert_says(&stage.run(&["backup", "list"]).stdout, &["1 backup in", "1 good"]);
}

#[test]
fn a_killed_backup_never_looks_like_one() {
    let stage = stage();
    stage.db.sql("INSERT INTO child SELECT 1, md5(g::text) FROM generate_series(1, 60000) g");
    let scratch = "SELECT count(*) FROM pg_database WHERE datname LIKE 'pgfleet\\_scratch\\_%'";
    for round in 0..12_u64 {
        let name = format!("b{round}");
        let args = ["backup", "--verify", "--no-globals", "--jobs", "2", "--name", &name];
        let mut running = stage.spawn(&args);
        running.wait_for(Duration::from_millis(20 + round * 90));
        running.kill();
        drop(running);
        let list = stage.run(&["backup", "list", "--output", "json"]).assert_success().stdout;
        for line in list.lines().filter(|line| line.contains("\"id\"")) {
            let whole = !line.contains(".partial");
            let id = line.split('"').nth(3).unwrap();
            // A partial one may have its manifest, when the kill came just before its name.
            let has_manifest = folder(&stage).join(id).join("manifest.json").is_file();
            assert!(has_manifest || !whole, "{line}");
        }
    }
    stage.run(&["backup", "--verify", "--no-globals", "--name", "last"]).assert_success();
    let left: Vec<_> = std::fs::read_dir(folder(&stage)).unwrap().flatten().collect();
    let partial = left.iter().filter(|e| e.file_name().to_string_lossy().ends_with(".partial"));
    assert_eq!(partial.count(), 0);
    // A verification of another test may run beside this one.
    assert!(stage.db.value(scratch).parse::<u32>().unwrap() < 5);
}

/// The server may still be at the transaction that renames. Who connects meanwhile waits for it, and
/// is told then that the database of this name is another: once.
fn wait_for_renaming(stage: &Stage) {
    if let Err(why) = stage.db.try_sql("SELECT 1") {
        assert!(why.contains("just been dropped or renamed"), "{why}");
    }
}

#[test]
fn a_killed_restore_leaves_the_old_database_or_the_new_one() {
    let stage = stage();
    stage.db.sql("INSERT INTO child SELECT 1, md5(g::text) FROM generate_series(1, 30000) g");
    backup(&stage, &[]);
    let name = stage.db.name().to_owned();
    let args = ["restore", "--allow-data-loss", "--drop-prior"];
    for round in 0..12_u64 {
        let mut running = stage.spawn(&args);
        running.wait_for(Duration::from_millis(30 + round * 110));
        running.kill();
        drop(running);
        wait_for_renaming(&stage);
        assert_eq!(stage.db.value("SELECT count(*) FROM child"), "30050", "round {round}");
    }
    stage.run(&args).assert_success();
    let side = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}_pgfleet_restore'");
    assert_eq!(stage.db.value(&side), "0");
    let prior = format!("SELECT datname FROM pg_database WHERE datname LIKE '{name}\\_before\\_%'");
    for row in TestDb::rows(&stage.db, &prior) {
        drop_database(&stage, row[0].as_deref().unwrap());
    }
}
