//! What `generate` writes and `apply` applies, judged by Prisma's own schema engine: nothing is left to
//! change, and folder, history and database belong together; at the start and after changes.

use pgfleet_testkit::{Project, TestDb, peers::schema_engine};
use serde_json::Value;

use super::{json, run};

const HEAD: &str = "datasource db {\n  provider = \"postgresql\"\n}\n";

const AT_FIRST: &str = "
enum Role {
  admin
  member
  guest
}
model User {
  id    Int     @id @default(autoincrement())
  email String  @unique
  name  String?
  role  Role    @default(member)
  nick  String?
  tags  String[]
  posts Post[]
  @@index([name])
}
model Post {
  id       Int      @id @default(autoincrement())
  title    String
  at       DateTime @default(now())
  authorId Int
  author   User     @relation(fields: [authorId], references: [id])
  @@map(\"posts\")
}
";

/// What schema.prisma has no word for.
const BY_HAND: &str = "
ALTER TABLE \"User\" ADD CONSTRAINT has_at CHECK (email LIKE '%@%');
ALTER TABLE \"User\" ALTER COLUMN tags SET NOT NULL;
CREATE UNIQUE INDEX one_admin ON \"User\" (role) WHERE role = 'admin';
CREATE VIEW addresses AS SELECT id, email FROM \"User\";
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN NEW.title := upper(NEW.title); RETURN NEW; END $$;
CREATE TRIGGER shouting BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION shout();
COMMENT ON COLUMN posts.title IS 'in capitals';
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON posts USING (\"authorId\" > 0);
";

/// Columns come, go, get other types and names; values come and go; a table has another name; there
/// are other indexes, another rule of a foreign key, and a relation with a table of its own.
const LATER: &str = "
enum Role {
  admin
  member
  owner
}
model User {
  id       Int     @id @default(autoincrement())
  email    String  @unique @db.VarChar(200)
  fullName String?
  role     Role    @default(member)
  age      Int     @default(0)
  tags     String[]
  posts    Post[]
  @@index([fullName, role])
}
model Post {
  id       Int      @id @default(autoincrement())
  title    String
  slug     String?  @unique
  at       DateTime @default(now())
  authorId Int
  author   User     @relation(fields: [authorId], references: [id], onDelete: Cascade)
  labels   Label[]
  @@map(\"articles\")
}
model Label {
  name  String @id
  posts Post[]
}
";

/// Prisma finds nothing to change, and nothing wrong.
fn assert_clean(project: &Project, db: &TestDb) {
    let schema = project.path().join("prisma/schema.prisma");
    let rest = schema_engine::rest(&[schema], &db.url()).assert_success();
    assert!(rest.stdout.contains("This is an empty migration"), "{}", rest.stdout);
    let migrations = project.path().join("prisma/migrations");
    let said = schema_engine::diagnose(&migrations, &db.url()).assert_success();
    let said: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(said["hasMigrationsTable"], true, "{said}");
    for name in ["drift", "history", "errorInUnappliedMigration"] {
        assert!(said[name].is_null(), "{said}");
    }
    for name in ["failedMigrationNames", "editedMigrationNames"] {
        assert_eq!(said[name].as_array().map(Vec::len), Some(0), "{said}");
    }
}

fn only_directory(project: &Project) -> String {
    let entries = std::fs::read_dir(project.path().join("prisma/migrations")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let names: Vec<_> =
        paths.map(|p| p.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    names[0].clone()
}

fn write_schema(project: &Project, schema: &str) {
    project.write("prisma/schema.prisma", format!("{HEAD}{schema}"));
}

#[test]
fn prismas_own_diagnosis_is_clean_from_nothing_and_after_changes() {
    let (project, db) = (Project::new(), TestDb::new());
    write_schema(&project, AT_FIRST);
    std::fs::create_dir_all(project.path().join("prisma/migrations")).unwrap();
    run(&project, &db, &["generate", "init"]).assert_success();
    let init = only_directory(&project);
    project.write(format!("prisma/migrations/{init}_by_hand/migration.sql"), BY_HAND);
    run(&project, &db, &["apply"]).assert_success();
    assert_clean(&project, &db);
    db.sql("INSERT INTO \"User\" (email, name, tags) VALUES ('a@b', 'Ann', '{x}')");
    db.sql("INSERT INTO posts (title, \"authorId\") VALUES ('hello', 1)");

    write_schema(&project, LATER);
    let names = ["--rename", "posts=articles", "--rename", "User.name=fullName"];
    run(&project, &db, &[&["generate", "later"][..], &names].concat()).assert_success();
    run(&project, &db, &["apply", "--allow-data-loss"]).assert_success();
    assert_clean(&project, &db);
    assert_eq!(json(&project, &db, &["missing"]).0, 0);
    run(&project, &db, &["drift"]).assert_success();
    run(&project, &db, &["diff", "target", "prisma", "--exit-code"]).assert_success();
    let again = run(&project, &db, &["generate", "more"]).assert_success();
    assert!(again.stdout.starts_with("Nothing to generate"), "{}", again.stdout);
    let kept =
        db.value("SELECT \"fullName\" || title FROM articles a JOIN \"User\" u ON u.id = a.id");
    assert_eq!(kept, "AnnHELLO", "rows, and what the trigger did");
    for kept in [
        "SELECT count(*) FROM pg_constraint WHERE conname = 'has_at'",
        "SELECT count(*) FROM pg_indexes WHERE indexname = 'one_admin'",
        "SELECT count(*) FROM addresses",
        "SELECT count(*) FROM pg_trigger WHERE tgname = 'shouting'",
        "SELECT count(*) FROM pg_policies WHERE policyname = 'own'",
        "SELECT count(*) FROM pg_description WHERE description = 'in capitals'",
    ] {
        assert_eq!(db.value(kept), "1", "{kept}");
    }
}
