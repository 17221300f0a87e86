//! A server whose disk is full stops a split and says so; when there is room, the same command goes
//! on.

use std::path::PathBuf;
use std::process::Command;

use pgfleet_testkit::{Cluster, ProgramOutput, TestDb};

use super::{Stage, assert_says};

/// A tablespace on a disk of few megabytes.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// None where this user may not mount one.
    fn before(cluster: &Cluster, size: &str) -> Option<Self> {
        let folder = cluster.socket_dir().join("small");
        std::fs::create_dir(&folder).unwrap();
        let disk = Self { folder };
        if !disk.mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]) {
            return None;
        }
        let owner = std::fs::metadata(cluster.socket_dir()).unwrap();
        let (uid, gid) = {
            use std::os::unix::fs::MetadataExt;
            (owner.uid(), owner.gid())
        };
        std::os::unix::fs::chown(&disk.folder, Some(uid), Some(gid)).unwrap();
        cluster.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.folder.display()));
        Some(disk)
    }

    fn mount(&self, options: &[&str]) -> bool {
        let mut mount = Command::new("mount");
        ProgramOutput::of(mount.args(options).arg(&self.folder)).code == 0
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).output();
    }
}

#[test]
fn a_full_disk_stops_the_split_and_with_room_it_goes_on() {
    let cluster = Cluster::fresh().start();
    let Some(disk) = SmallDisk::before(&cluster, "5m") else {
        eprintln!("skipped: this user may not mount a small disk");
        return;
    };
    let stage = Stage::on(TestDb::on(&cluster), 6_000);
    stage.db.sql("ALTER ROLE postgres SET default_tablespace = small");
    let full = stage.run(&["split", "run"]);
    assert_eq!(full.code, 4, "{}", full.stderr);
    let says = ["PF312", "could not be", "No space left on", "Make room", "split run"];
    assert_says(&full.stderr, &says);
    assert!(!full.stderr.contains("Correct the row"), "{}", full.stderr);

    assert!(disk.mount(&["-o", "remount,size=200m"]));
    let run = stage.run(&["split", "run"]).assert_success();
    assert_says(&run.stdout, &["all rows arrived"]);
    assert_eq!(stage.value("_topsteel", "SELECT count(*) FROM commande_lignes"), "24000");
    stage.run(&["split", "rollback"]).assert_success();
    // The tablespace is on the small disk, which goes before the server.
    stage.db.sql("ALTER ROLE postgres RESET default_tablespace");
}

#[test]
fn the_plan_says_what_a_split_needs_of_the_disk() {
    let stage = Stage::new(10);
    let plan = stage.run(&["split", "plan", "--all"]).assert_success();
    assert_says(
        &plan.stdout,
        &["SUCCESS disk of ", "needs about", "are free at", "SUCCESS time: "],
    );
    // Nobody is told of a disk that only the server's administrator may know.
    let name = format!("{}_reader", stage.db.name());
    stage.db.sql(&format!(
        "CREATE ROLE {name} LOGIN CREATEDB; GRANT pg_read_all_data TO {name}; \
         GRANT CREATE ON DATABASE {} TO {name}",
        stage.db.name()
    ));
    let url = stage.db.url().replace("postgres@", &format!("{name}@"));
    let plan = stage.command(&["split", "plan", "--all"]).env("DATABASE_URL", url).run();
    assert_says(&plan.stdout, &["what is free there cannot be seen from here"]);
    stage.db.sql(&format!("DROP OWNED BY {name}; DROP ROLE {name}"));
}
