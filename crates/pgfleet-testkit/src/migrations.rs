//! Migration folders made by the number, in every format.
//!
//! Invariant: what is made depends on the arguments alone, so that every tool in a comparison gets
//! the same SQL and every failure can be repeated.

use std::fmt::Write as _;

/// A dialect of migration folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `migrations/NNNN_name.sql`.
    Plain,
    /// `supabase/migrations/TIMESTAMP_name.sql`.
    Supabase,
    /// `prisma/migrations/TIMESTAMP_name/migration.sql`.
    Prisma,
    /// `migrations/MILLIS-Name.ts`.
    TypeOrm,
    /// `migrations/V1__name.sql` and `U1__name.sql`.
    Flyway,
    /// `db/migrations/TIMESTAMP_name.sql` with both directions.
    Dbmate,
    /// `migrations/TIMESTAMP_name.up.sql` and `.down.sql`.
    Sqlx,
    /// `migrations/NAME/up.sql` and `down.sql`.
    Diesel,
    /// `migrations/NNNNN_name.sql` with both directions.
    Goose,
    /// `migrations/NNNNNN_name.up.sql` and `.down.sql`.
    GolangMigrate,
    /// `drizzle/NNNN_name.sql` and `drizzle/meta/_journal.json`.
    Drizzle,
    /// `migrations/V1__name.sql`.
    Refinery,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Plain,
        Self::Supabase,
        Self::Prisma,
        Self::TypeOrm,
        Self::Flyway,
        Self::Dbmate,
        Self::Sqlx,
        Self::Diesel,
        Self::Goose,
        Self::GolangMigrate,
        Self::Drizzle,
        Self::Refinery,
    ];
}

/// One migration before it is written in some format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is called: letters, digits and `_`.
    pub name: String,
    /// The SQL that does it.
    pub up: String,
    /// The SQL that takes it back.
    pub down: String,
    /// Whether it can run in a transaction.
    pub transactional: bool,
}

/// A file of a project: its path there and its content.
pub type ProjectFile = (String, String);

/// `count` changes that create one table each.
pub fn one_table_each(count: usize) -> Vec<Change> {
    (1..=count).map(create_table).collect()
}

/// `count` changes that mix new tables, columns, rows and indexes with indexes built CONCURRENTLY,
/// in an order and a mixture that `seed` decides. Each works after those before it.
pub fn mixed(seed: u64, count: usize) -> Vec<Change> {
    let mut random = Random(seed);
    let mut tables = 0;
    let mut changes = Vec::with_capacity(count);
    for number in 1..=count {
        let kind = if tables == 0 { 0 } else { random.below(5) };
        if kind == 0 {
            tables = number;
            changes.push(create_table(number));
        } else {
            changes.push(change_table(kind, number, tables));
        }
    }
    changes
}

fn create_table(number: usize) -> Change {
    Change {
        name: format!("t{number}"),
        up: format!(
            "CREATE TABLE t{number} (id bigserial PRIMARY KEY, name text NOT NULL, \
             created_at timestamptz NOT NULL DEFAULT now());\n"
        ),
        down: format!("DROP TABLE t{number};\n"),
        transactional: true,
    }
}

/// A change of the table `t{table}`, which exists.
fn change_table(kind: u64, number: usize, table: usize) -> Change {
    let (name, up, down) = match kind {
        1 => (
            format!("column_c{number}"),
            format!("ALTER TABLE t{table} ADD COLUMN c{number} int;\n"),
            format!("ALTER TABLE t{table} DROP COLUMN c{number};\n"),
        ),
        2 => (
            format!("rows_{number}"),
            format!(
                "INSERT INTO t{table} (name) SELECT 'r{number}' FROM generate_series(1, 20);\n"
            ),
            format!("DELETE FROM t{table} WHERE name = 'r{number}';\n"),
        ),
        3 => (
            format!("index_{number}"),
            format!("CREATE INDEX i{number} ON t{table} (name);\n"),
            format!("DROP INDEX i{number};\n"),
        ),
        _ => (
            format!("concurrent_index_{number}"),
            format!("CREATE INDEX CONCURRENTLY i{number} ON t{table} (created_at);\n"),
            format!("DROP INDEX CONCURRENTLY i{number};\n"),
        ),
    };
    Change { name, up, down, transactional: kind < 4 }
}

/// The files of a project in `format` that holds these changes.
pub fn render(format: Format, changes: &[Change]) -> Vec<ProjectFile> {
    let numbered = (1..).zip(changes);
    let mut files: Vec<ProjectFile> =
        numbered.flat_map(|(number, change)| render_one(format, number, change)).collect();
    files.extend(shared_files(format, changes));
    files
}

/// The files of one change. Timestamps are 2024-01-01 plus its number.
fn render_one(format: Format, number: u64, change: &Change) -> Vec<ProjectFile> {
    let Change { name, up, down, transactional } = change;
    let stamp = 20_240_101_000_000 + number;
    let file = |path: String, text: String| (path, text);
    match format {
        Format::Plain => vec![file(format!("migrations/{number:04}_{name}.sql"), up.clone())],
        Format::Supabase => {
            vec![file(format!("supabase/migrations/{stamp}_{name}.sql"), up.clone())]
        }
        Format::Prisma => {
            vec![file(format!("prisma/migrations/{stamp}_{name}/migration.sql"), up.clone())]
        }
        Format::TypeOrm => vec![typeorm_class(number, change)],
        Format::Flyway => vec![
            file(format!("migrations/V{number}__{name}.sql"), up.clone()),
            file(format!("migrations/U{number}__{name}.sql"), down.clone()),
        ],
        Format::Dbmate => vec![file(
            format!("db/migrations/{stamp}_{name}.sql"),
            two_directions("-- migrate:up", "-- migrate:down", " transaction:false", change),
        )],
        Format::Sqlx => {
            let head = if *transactional { "" } else { "-- no-transaction\n" };
            vec![
                file(format!("migrations/{stamp}_{name}.up.sql"), format!("{head}{up}")),
                file(format!("migrations/{stamp}_{name}.down.sql"), format!("{head}{down}")),
            ]
        }
        Format::Diesel => diesel_folder(number, change),
        Format::Goose => vec![goose_file(number, change)],
        Format::GolangMigrate => vec![
            file(format!("migrations/{number:06}_{name}.up.sql"), up.clone()),
            file(format!("migrations/{number:06}_{name}.down.sql"), down.clone()),
        ],
        Format::Drizzle => vec![file(format!("drizzle/{:04}_{name}.sql", number - 1), up.clone())],
        Format::Refinery => vec![file(format!("migrations/V{number}__{name}.sql"), up.clone())],
    }
}

fn two_directions(up: &str, down: &str, no_transaction: &str, change: &Change) -> String {
    let option = if change.transactional { "" } else { no_transaction };
    format!("{up}{option}\n{}\n{down}{option}\n{}", change.up, change.down)
}

fn goose_file(number: u64, change: &Change) -> ProjectFile {
    let head = if change.transactional { "" } else { "-- +goose NO TRANSACTION\n" };
    let mut change = change.clone();
    if change.up.contains("$body$") {
        // goose cuts at every semicolon that ends a line, unless it is told otherwise.
        change.up = format!("-- +goose StatementBegin\n{}-- +goose StatementEnd\n", change.up);
    }
    let text = two_directions("-- +goose Up", "-- +goose Down", "", &change);
    (format!("migrations/{number:05}_{}.sql", change.name), format!("{head}{text}"))
}

fn diesel_folder(number: u64, change: &Change) -> Vec<ProjectFile> {
    let folder = format!("migrations/2024-01-01-{number:06}_{}", change.name);
    let mut files = vec![
        (format!("{folder}/up.sql"), change.up.clone()),
        (format!("{folder}/down.sql"), change.down.clone()),
    ];
    if !change.transactional {
        files.push((format!("{folder}/metadata.toml"), "run_in_transaction = false\n".to_owned()));
    }
    files
}

fn typeorm_class(number: u64, change: &Change) -> ProjectFile {
    let millis = 1_704_067_200_000 + number;
    let class: String = change.name.split('_').map(capitalized).collect();
    let no_transaction =
        if change.transactional { "" } else { "    transaction = false as const;\n\n" };
    let (up, down) = (change.up.trim_end(), change.down.trim_end());
    let text = format!(
        "import {{ MigrationInterface, QueryRunner }} from \"typeorm\";\n\n\
         export class {class}{millis} implements MigrationInterface {{\n\
         \x20   name = '{class}{millis}'\n\n{no_transaction}\
         \x20   public async up(queryRunner: QueryRunner): Promise<void> {{\n\
         \x20       await queryRunner.query(`{up}`);\n    }}\n\n\
         \x20   public async down(queryRunner: QueryRunner): Promise<void> {{\n\
         \x20       await queryRunner.query(`{down}`);\n    }}\n}}\n"
    );
    (format!("migrations/{millis}-{class}.ts"), text)
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// Files that a format wants beside its migrations.
fn shared_files(format: Format, changes: &[Change]) -> Vec<ProjectFile> {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    match format {
        Format::Supabase => vec![file("supabase/config.toml", "project_id = \"x\"\n")],
        Format::Prisma => vec![
            file("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n"),
            file(
                "prisma/schema.prisma",
                "datasource db {\n  provider = \"postgresql\"\n  url = env(\"DATABASE_URL\")\n}\n",
            ),
        ],
        Format::Drizzle => vec![file("drizzle/meta/_journal.json", &drizzle_journal(changes))],
        _ => Vec::new(),
    }
}

fn drizzle_journal(changes: &[Change]) -> String {
    let mut entries = String::new();
    for (index, change) in (0_u64..).zip(changes) {
        let separator = if index == 0 { "" } else { "," };
        let when = 1_704_067_200_001 + index;
        // Writing to a String cannot fail.
        let _ = write!(
            entries,
            "{separator}\n    {{\"idx\":{index},\"version\":\"7\",\"when\":{when},\
             \"tag\":\"{index:04}_{}\",\"breakpoints\":true}}",
            change.name
        );
    }
    format!(
        "{{\n  \"version\": \"7\",\n  \"dialect\": \"postgresql\",\n  \"entries\": [{entries}\n  ]\n}}\n"
    )
}

/// splitmix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_the_mixture_and_both_kinds_are_in_it() {
        assert_eq!(mixed(7, 60), mixed(7, 60));
        assert_ne!(mixed(7, 60), mixed(8, 60));
        let concurrent = mixed(7, 60).iter().filter(|change| !change.transactional).count();
        assert!((5..40).contains(&concurrent), "{concurrent}");
    }

    #[test]
    fn every_format_holds_every_change_once() {
        for format in Format::ALL {
            let files = render(format, &one_table_each(3));
            for number in 1..=3 {
                let create = format!("CREATE TABLE t{number} ");
                let holding = files.iter().filter(|(_, text)| text.contains(&create)).count();
                assert_eq!(holding, 1, "{format:?}");
            }
        }
    }
}
