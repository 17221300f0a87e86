//! One function per format: names, sections, markers.

use serde_json::{Value, json};

use super::version::{Shape, next};
use super::{Block, Moment, NewFile, NewMigration};
use crate::folder::reading::{base_name, leading_digits, sha256_hex};
use crate::folder::{FileTree, Format};

const BREAKPOINT: &str = "--> statement-breakpoint";
const DRIZZLE_JOURNAL: &str = "meta/_journal.json";

pub(super) struct Composer<'a> {
    pub(super) format: Format,
    pub(super) tree: &'a FileTree,
    pub(super) migration: &'a NewMigration,
    pub(super) now: &'a Moment,
}

impl Composer<'_> {
    pub(super) fn compose(&self) -> Vec<NewFile> {
        match self.format {
            Format::Plain => self.plain(),
            Format::Supabase => self.one("_", Shape::Time, self.up()),
            Format::Flyway => self.flyway(),
            Format::Dbmate => self.one("_", Shape::Time, self.dbmate()),
            Format::Sqlx => self.sqlx(),
            Format::Diesel => self.diesel(),
            Format::Goose => self.one("_", Shape::Time, self.goose()),
            Format::GolangMigrate => self.golang_migrate(),
            Format::Drizzle => self.drizzle(),
            Format::Refinery => self.refinery(),
            Format::Typeorm => self.typeorm(),
            Format::Prisma => {
                let stem = self.stem("_", Shape::Time);
                vec![file(format!("{stem}/migration.sql"), self.up())]
            }
        }
    }

    fn up(&self) -> String {
        script(&self.migration.up)
    }

    fn down(&self) -> String {
        let notes: String =
            self.migration.down_notes.iter().map(|note| format!("-- {note}\n")).collect();
        format!("{notes}{}", script(&self.migration.down))
    }

    /// Digits at the beginning of the names in the folder.
    fn versions(&self) -> Vec<&str> {
        let names = self.tree.files.keys().map(String::as_str);
        let directories = self.tree.directories.iter().map(String::as_str);
        let all = names.chain(directories).map(base_name);
        all.filter_map(|name| leading_digits(name).map(|(digits, _)| digits)).collect()
    }

    /// `VERSION_name`.
    fn stem(&self, between: &str, usual: Shape) -> String {
        let version = next(&self.versions(), usual, self.now);
        format!("{version}{between}{}", self.migration.name)
    }

    fn one(&self, between: &str, usual: Shape, text: String) -> Vec<NewFile> {
        vec![file(format!("{}.sql", self.stem(between, usual)), text)]
    }

    /// As the folder's last file is named: `V` before the number, what stands after it, and where
    /// the files that take back are.
    fn plain(&self) -> Vec<NewFile> {
        let top =
            || self.tree.files.keys().map(String::as_str).filter(|path| path.ends_with(".sql"));
        let bare = |path: &str| base_name(path).trim_start_matches(['V', 'v']).to_owned();
        let names: Vec<_> = top().map(bare).collect();
        let versions: Vec<_> = names
            .iter()
            .filter_map(|name| leading_digits(name).map(|(digits, _)| digits))
            .collect();
        let version = next(&versions, Shape::Number(4), self.now);
        let last = top().rfind(|path| !path.contains('/')).unwrap_or_default();
        let prefix =
            last.get(..1).filter(|letter| matches!(*letter, "V" | "v")).unwrap_or_default();
        let after =
            leading_digits(last.trim_start_matches(['V', 'v'])).map_or("_", |(_, rest)| rest);
        let end = after.find(|c: char| !matches!(c, '_' | '-' | '.' | ' ')).unwrap_or(1);
        let between = after.get(..end).filter(|text| !text.is_empty()).unwrap_or("_");
        let stem = format!("{prefix}{version}{between}{}", self.migration.name);
        let ups = if top().any(|path| path.ends_with(".up.sql")) { ".up" } else { "" };
        let folder =
            ["down", "rollback"].into_iter().find(|name| self.tree.directories.contains(*name));
        let down = match folder {
            Some(folder) => format!("{folder}/{stem}.sql"),
            None => format!("{stem}.down.sql"),
        };
        self.with_down(down, file(format!("{stem}{ups}.sql"), self.up()))
    }

    /// What takes back comes first: a migration that is there is whole.
    fn with_down(&self, path: String, up: NewFile) -> Vec<NewFile> {
        let takes_back = self.format.takes_back(self.tree);
        let down = (takes_back && !self.migration.down.is_empty()).then(|| file(path, self.down()));
        down.into_iter().chain([up]).collect()
    }

    fn flyway(&self) -> Vec<NewFile> {
        let versioned = |path: &&String| base_name(path).starts_with('V') && path.contains("__");
        let paths: Vec<_> = self.tree.files.keys().filter(versioned).collect();
        let last = paths.iter().max_by(|a, b| compare_dotted(&dotted(a), &dotted(b)));
        let version = match last {
            None => "1".to_owned(),
            Some(path) => flyway_next(&raw(path), self.now),
        };
        let folder =
            last.and_then(|path| path.rsplit_once('/')).map(|(folder, _)| format!("{folder}/"));
        let folder = folder.unwrap_or_default();
        let name = format!("{version}__{}.sql", self.migration.name);
        let mut files = Vec::new();
        let (up, down) = (self.up(), self.down());
        for (prefix, text) in [("U", &down), ("V", &up)] {
            if prefix == "U"
                && (!self.format.takes_back(self.tree) || self.migration.down.is_empty())
            {
                continue;
            }
            let path = format!("{folder}{prefix}{name}");
            if text.contains("${") {
                let settings = "placeholderReplacement=false\n".to_owned();
                files.push(file(format!("{path}.conf"), settings));
            }
            files.push(file(path, text.clone()));
        }
        files
    }

    fn dbmate(&self) -> String {
        let mark = |blocks: &[Block]| if outside(blocks) { " transaction:false" } else { "" };
        let (up, down) = (mark(&self.migration.up), mark(&self.migration.down));
        format!("-- migrate:up{up}\n{}\n-- migrate:down{down}\n{}", self.up(), self.down())
    }

    fn sqlx(&self) -> Vec<NewFile> {
        let stem = self.stem("_", Shape::Time);
        let mark = |blocks: &[Block]| if outside(blocks) { "-- no-transaction\n" } else { "" };
        let up = format!("{}{}", mark(&self.migration.up), self.up());
        if !self.format.takes_back(self.tree) {
            return vec![file(format!("{stem}.sql"), up)];
        }
        let down = format!("{}{}", mark(&self.migration.down), self.down());
        vec![file(format!("{stem}.down.sql"), down), file(format!("{stem}.up.sql"), up)]
    }

    /// `2024-01-02-030405_name/`, as `diesel migration generate` names it.
    fn diesel(&self) -> Vec<NewFile> {
        let compact = |path: &String| {
            let version = base_name(path).split('_').next().unwrap_or_default();
            version.replace('-', "")
        };
        let digits = |text: &String| text.len() >= 14 && text.bytes().all(|b| b.is_ascii_digit());
        let versions: Vec<_> = self.tree.directories.iter().map(compact).filter(digits).collect();
        let cut: Vec<_> = versions.iter().filter_map(|version| version.get(..14)).collect();
        let version = next(&cut, Shape::Time, self.now);
        let part = |range: std::ops::Range<usize>| version.get(range).unwrap_or_default();
        let stem = format!("{}-{}-{}-{}", part(0..4), part(4..6), part(6..8), part(8..14));
        let stem = format!("{stem}_{}", self.migration.name);
        let mut files = Vec::new();
        if outside(&self.migration.up) || outside(&self.migration.down) {
            let settings = "run_in_transaction = false\n".to_owned();
            files.push(file(format!("{stem}/metadata.toml"), settings));
        }
        files.push(file(format!("{stem}/down.sql"), self.down()));
        files.push(file(format!("{stem}/up.sql"), self.up()));
        files
    }

    fn goose(&self) -> String {
        let alone = outside(&self.migration.up) || outside(&self.migration.down);
        let head = if alone { "-- +goose NO TRANSACTION\n" } else { "" };
        let notes: String =
            self.migration.down_notes.iter().map(|note| format!("-- {note}\n")).collect();
        let (up, down) = (goose_script(&self.migration.up), goose_script(&self.migration.down));
        format!("{head}-- +goose Up\n{up}\n-- +goose Down\n{notes}{down}")
    }

    fn golang_migrate(&self) -> Vec<NewFile> {
        let stem = self.stem("_", Shape::Number(6));
        let down = format!("{stem}.down.sql");
        self.with_down(down, file(format!("{stem}.up.sql"), self.up()))
    }

    fn refinery(&self) -> Vec<NewFile> {
        let of = |path: &String| {
            let rest = base_name(path).strip_prefix(['V', 'U'])?.to_owned();
            leading_digits(&rest).map(|(digits, _)| digits.to_owned())
        };
        let versions: Vec<_> = self.tree.files.keys().filter_map(of).collect();
        let versions: Vec<_> = versions.iter().map(String::as_str).collect();
        let version = next(&versions, Shape::Number(1), self.now);
        vec![file(format!("V{version}__{}.sql", self.migration.name), self.up())]
    }

    fn typeorm(&self) -> Vec<NewFile> {
        let version = next(&self.versions(), Shape::Milliseconds, self.now);
        let class = pascal(&self.migration.name);
        let notes: String =
            self.migration.down_notes.iter().map(|note| format!("        // {note}\n")).collect();
        let (up, down) = (queries(&self.migration.up), queries(&self.migration.down));
        let only_js = {
            let mut code = self.tree.files.keys().filter(|path| !path.ends_with(".d.ts"));
            !code.any(|path| path.ends_with(".ts"))
                && self.tree.files.keys().any(|path| path.ends_with(".js"))
        };
        let text = match only_js {
            true => format!(
                "module.exports = class {class}{version} {{\n    name = '{class}{version}'\n\n    \
                 async up(queryRunner) {{\n{up}    }}\n\n    \
                 async down(queryRunner) {{\n{notes}{down}    }}\n}}\n"
            ),
            false => format!(
                "import {{ MigrationInterface, QueryRunner }} from \"typeorm\";\n\n\
                 export class {class}{version} implements MigrationInterface {{\n    \
                 name = '{class}{version}'\n\n    \
                 public async up(queryRunner: QueryRunner): Promise<void> {{\n{up}    }}\n\n    \
                 public async down(queryRunner: QueryRunner): Promise<void> {{\n{notes}{down}    \
                 }}\n}}\n"
            ),
        };
        let ending = if only_js { "js" } else { "ts" };
        vec![file(format!("{version}-{class}.{ending}"), text)]
    }

    /// With a copy of the newest snapshot, as `drizzle-kit generate --custom` does: drizzle-kit
    /// compares its next generation with it.
    fn drizzle(&self) -> Vec<NewFile> {
        let parted = self.up().replace(";\n", &format!(";\n{BREAKPOINT}\n"));
        let text = parted.trim_end_matches(&format!("{BREAKPOINT}\n")).to_owned();
        let journal = self.tree.files.get(DRIZZLE_JOURNAL);
        let known: Option<Value> = journal.and_then(|bytes| serde_json::from_slice(bytes).ok());
        let uses_directories = self.tree.files.keys().any(|path| path.ends_with("/migration.sql"));
        if known.is_none() && uses_directories {
            let stem = self.stem("_", Shape::Time);
            let newest = self.tree.files.keys().rfind(|path| path.ends_with("/snapshot.json"));
            let snapshot = self.snapshot_after(newest, &stem);
            let files = [snapshot.map(|text| file(format!("{stem}/snapshot.json"), text))];
            return files
                .into_iter()
                .flatten()
                .chain([file(format!("{stem}/migration.sql"), text)])
                .collect();
        }
        self.drizzle_journal(known, text)
    }

    fn drizzle_journal(&self, known: Option<Value>, text: String) -> Vec<NewFile> {
        let mut journal = known
            .unwrap_or_else(|| json!({ "version": "7", "dialect": "postgresql", "entries": [] }));
        let version = journal["version"].as_str().unwrap_or("7").to_owned();
        let Some(entries) = journal["entries"].as_array_mut() else { return Vec::new() };
        let last = entries.iter().filter_map(|entry| entry["when"].as_i64()).max();
        let when = self.now.unix_ms.max(last.map_or(i64::MIN, |last| last + 1));
        let index =
            entries.iter().filter_map(|e| e["idx"].as_i64()).max().map_or(0, |last| last + 1);
        let tag = format!("{index:04}_{}", self.migration.name);
        let version =
            entries.last().and_then(|e| e["version"].as_str()).unwrap_or(&version).to_owned();
        entries.push(json!({
            "idx": index, "version": version, "when": when, "tag": tag, "breakpoints": true
        }));
        let newest = self.tree.files.keys().rfind(|path| path.ends_with("_snapshot.json"));
        let snapshot = self.snapshot_after(newest, &tag);
        let mut files = vec![file(format!("{tag}.sql"), text)];
        files.extend(snapshot.map(|text| file(format!("meta/{index:04}_snapshot.json"), text)));
        let replaces = self.tree.files.contains_key(DRIZZLE_JOURNAL);
        let text = serde_json::to_string_pretty(&journal).unwrap_or_default();
        files.push(NewFile { path: DRIZZLE_JOURNAL.to_owned(), text, replaces });
        files
    }

    fn snapshot_after(&self, newest: Option<&String>, seed: &str) -> Option<String> {
        let mut snapshot: Value = serde_json::from_slice(self.tree.files.get(newest?)?).ok()?;
        let fields = snapshot.as_object_mut()?;
        let id = fields.get("id")?.clone();
        let hash = sha256_hex(format!("{id}{seed}").as_bytes());
        let part = |range: std::ops::Range<usize>| hash.get(range).unwrap_or_default().to_owned();
        let fresh = [
            part(0..8),
            part(8..12),
            format!("4{}", part(13..16)),
            format!("8{}", part(17..20)),
            part(20..32),
        ];
        if fields.contains_key("prevIds") {
            fields.insert("prevIds".to_owned(), json!([id]));
        } else {
            fields.insert("prevId".to_owned(), id);
        }
        fields.insert("id".to_owned(), json!(fresh.join("-")));
        serde_json::to_string_pretty(&snapshot).ok()
    }
}

fn file(path: String, text: String) -> NewFile {
    NewFile { path, text, replaces: false }
}

fn outside(blocks: &[Block]) -> bool {
    blocks.iter().any(|block| block.outside)
}

/// Blocks with `BEGIN` and `COMMIT` around them where there are several.
fn script(blocks: &[Block]) -> String {
    let several = blocks.len() > 1;
    let mut text = String::new();
    for block in blocks {
        let framed = several && !block.outside;
        text.push_str(if framed { "BEGIN;\n" } else { "" });
        for statement in &block.statements {
            text.push_str(&format!("{};\n", statement.trim_end()));
        }
        text.push_str(if framed { "COMMIT;\n" } else { "" });
    }
    text
}

/// goose cuts at semicolons unless it is told where a statement ends.
fn goose_script(blocks: &[Block]) -> String {
    let mut text = String::new();
    for statement in blocks.iter().flat_map(|block| &block.statements) {
        let statement = statement.trim_end();
        match statement.contains(';') || statement.contains("--") {
            true => text.push_str(&format!(
                "-- +goose StatementBegin\n{statement};\n-- +goose StatementEnd\n"
            )),
            false => text.push_str(&format!("{statement};\n")),
        }
    }
    text
}

fn queries(blocks: &[Block]) -> String {
    let statements = blocks.iter().flat_map(|block| &block.statements);
    let query = |statement: &String| {
        let escaped =
            statement.trim_end().replace('\\', "\\\\").replace('`', "\\`").replace("${", "\\${");
        format!("        await queryRunner.query(`{escaped}`);\n")
    };
    statements.map(query).collect()
}

/// `add_users` is `AddUsers`.
fn pascal(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    let name: String = words.map(capital).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("M{name}") } else { name }
}

/// The version of `V1_10__name.sql` as it is written.
fn raw(path: &str) -> String {
    let name = base_name(path).get(1..).unwrap_or_default();
    name.split("__").next().unwrap_or_default().to_owned()
}

fn dotted(path: &str) -> Vec<u128> {
    raw(path).split(['_', '.']).map(|part| part.parse().unwrap_or(0)).collect()
}

fn compare_dotted(a: &[u128], b: &[u128]) -> std::cmp::Ordering {
    a.cmp(b)
}

/// The last part of the version goes on; a version of one part as in every other folder.
fn flyway_next(last: &str, now: &Moment) -> String {
    match last.rfind(['_', '.']) {
        None => next(&[last], Shape::Number(1), now),
        Some(at) => {
            let (head, part) = last.split_at(at + 1);
            format!("{head}{}", next(&[part], Shape::Number(part.len()), now))
        }
    }
}
