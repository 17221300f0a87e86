use super::*;

fn read_one(text: &str) -> Result<Database, Vec<Problem>> {
    read(&[SchemaFile { path: "prisma/schema.prisma".to_owned(), text: text.to_owned() }])
}

#[test]
fn errors_name_their_place() {
    for (text, at, what) in [
        ("model A {\n  id Int @id\n  b Bee\n}\n", "3:5", "the type \"Bee\" is not known"),
        ("model A {\n  id Int @id(\n", "3:1", "expected a value"),
        ("model A {\n  id Int @idd\n}\n", "2:11", "the attribute @idd is not known here"),
        ("model A {\n  id Int @default(\"x\")\n}\n", "2:19", "this is no value of type Int"),
        ("enum E {\n}\n", "1:6", "an enum must have a value"),
        ("model A {\n  a String @db.Vector(3)\n}\n", "2:13", "PostgreSQL has no type"),
        ("datasource db {\n  provider = \"mysql\"\n}\n", "2:14", "the schema is for mysql"),
        ("model A {\n  s String \"\n}\n", "2:12", "this text does not end"),
    ] {
        let problems = read_one(text).unwrap_err();
        let problem = problems.first().unwrap();
        let place = problem.place.as_ref().unwrap().to_string();
        assert_eq!(place, format!("prisma/schema.prisma:{at}"), "{text}");
        assert!(problem.what.starts_with(what), "{}", problem.what);
    }
}

#[test]
fn every_broken_declaration_is_named() {
    let problems = read_one("model A {\n  x ?\n}\nmodel B {\n  y Int @\n}\n").unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn a_nesting_without_end_is_refused() {
    let deep = format!("model A {{\n  id Int @default({}\n}}\n", "[".repeat(100_000));
    assert!(read_one(&deep).unwrap_err().first().unwrap().what.starts_with("nested deeper"));
}

#[test]
fn names_with_quotes_are_escaped() {
    let database =
        read_one("model A {\n  id Int @id @map(\"i\\\"d\")\n  @@map(\"a\\\"; --\")\n}\n");
    let sql = ddl(&database.unwrap());
    assert!(sql.contains("CREATE TABLE \"a\"\"; --\" (\n    \"i\"\"d\" INTEGER"), "{sql}");
}

#[test]
fn parts_can_be_chosen() {
    let database = read_one("enum E {\n  a\n}\nmodel A {\n  id Int @id\n}\n").unwrap();
    let only_enums = ddl_of(&database, &|part| matches!(part, Part::Enum(_)));
    assert_eq!(only_enums, "-- CreateEnum\nCREATE TYPE \"E\" AS ENUM ('a');\n");
    assert_eq!(ddl_of(&database, &|_| false), "-- This is an empty migration.\n");
}

const MANY_THINGS: &str = r#"
datasource db {
  provider = "postgresql"
  schemas  = ["a", "b"]
}
enum E {
  x @map("é")
  @@schema("a")
}
model A {
  id   Int       @id @default(autoincrement())
  at   DateTime? @default("2020-01-01T00:00:00.5Z") @db.Timestamptz(3)
  b    Bytes[]   @default(["AQID", ""])
  e    E         @default(x)
  up   A?        @relation("r", fields: [id], references: [id], onDelete: NoAction)
  down A[]       @relation("r")
  @@index([at(sort: Desc, ops: raw("o"))], type: Gin, where: { e: { not: null } })
  @@schema("b")
}
"#;

proptest::proptest! {
    /// Whatever a file holds, there is an answer.
    #[test]
    fn broken_schemas_are_told_and_nothing_panics(
        at in 0..MANY_THINGS.len(),
        length in 0..40_usize,
        insert in "[ -~é\n\"@{}\\[\\]()\\\\]{0,4}",
    ) {
        let start = (0..=at).rev().find(|at| MANY_THINGS.is_char_boundary(*at)).unwrap_or(0);
        let end = (at + length).min(MANY_THINGS.len());
        let end = (end..).find(|end| MANY_THINGS.is_char_boundary(*end)).unwrap_or(0);
        let text = format!("{}{insert}{}", &MANY_THINGS[..start], &MANY_THINGS[end..]);
        match read_one(&text) {
            Ok(database) => assert!(ddl(&database).starts_with("-- ")),
            Err(problems) => assert!(problems.iter().all(|problem| problem.place.is_some())),
        }
    }
}

#[test]
fn the_schema_of_many_things_is_valid() {
    assert!(read_one(MANY_THINGS).is_ok());
}
