//! The figures as Markdown: to stdout while they come, and into `benches/results.md` at the end.

use std::{fmt::Write as _, fs, process::Command};

use pgfleet_testkit::client_command;

use super::{
    Options,
    contender::{Contender, PG_DUMP, PSQL_ONE, Role},
    contest::Entry,
    tenancy::Figures,
};
use crate::checkout;

/// What a schema of some size costs, medians in milliseconds.
pub(super) struct Size {
    /// How many tables each side has.
    pub tables: usize,
    /// pgfleet on both sides.
    pub ours: f64,
    /// pg_dump on one.
    pub dump: f64,
    /// pgfleet's memory.
    pub peak_mb: Option<f64>,
}

/// The result so far.
pub(super) struct Results {
    text: String,
    shown: usize,
}

impl Results {
    /// Machine, date, versions and commands.
    pub(super) fn begin(options: &Options, contenders: &[Contender]) -> Self {
        let mut results = Self { text: String::new(), shown: 0 };
        results.head(options);
        results.commands(contenders);
        results.show();
        results
    }

    /// One table of contenders.
    pub(super) fn contest(&mut self, title: &str, entries: Vec<Entry>) {
        let fastest = |role| {
            let times = entries.iter().filter(|e| e.role == role).map(|e| e.elapsed_ms);
            times.fold(f64::INFINITY, f64::min)
        };
        let ours = fastest(Role::Ours);
        self.line(&format!("\n## {}{}\n", title[..1].to_uppercase(), &title[1..]));
        self.line(
            "| tool | median ms | fastest ms | × fastest pgfleet | server CPU ms | peak MB |",
        );
        self.line("| --- | ---: | ---: | ---: | ---: | ---: |");
        for entry in &entries {
            let peak = entry.peak_mb.map_or_else(|| "–".to_owned(), |mb| format!("{mb:.1}"));
            self.line(&format!(
                "| {} | {:.0} | {:.0} | {:.2} | {:.0} | {peak} |",
                entry.name,
                entry.elapsed_ms,
                entry.fastest_ms,
                entry.elapsed_ms / ours,
                entry.server_cpu_ms
            ));
        }
        self.against_floor(&entries);
        self.against_peers(&entries);
        self.show();
    }

    /// What a contest's other tools are: version and command.
    pub(super) fn tools<'v>(&mut self, tools: impl Iterator<Item = (&'v str, String)>) {
        self.line("");
        for (version, command) in tools {
            self.line(&format!("- {version}: `{command}`"));
        }
        self.show();
    }

    /// What a move spends its time with.
    pub(super) fn phases(&mut self, phases: &[(String, f64)]) {
        self.line("\n| phase of `pgfleet split run` | median ms |\n| --- | ---: |");
        for (name, ms) in phases {
            self.line(&format!("| {name} | {ms:.0} |"));
        }
        self.show();
    }

    /// How fast rows are read, by one session.
    pub(super) fn checksums(&mut self, ways: &[(String, f64)]) {
        self.line("\n| reading all rows by | MB/s |\n| --- | ---: |");
        for (name, speed) in ways {
            self.line(&format!("| {name} | {speed:.0} |"));
        }
        self.show();
    }

    /// What pgfleet needs as schemas grow.
    pub(super) fn growth(&mut self, sizes: &[Size]) {
        self.line("\n## Schema: as schemas grow\n");
        self.line("`pgfleet diff --no-proof` of two databases; `pg_dump -s` of one of them.\n");
        self.line("| tables | pgfleet ms | µs a table | peak MB | pg_dump ms | µs a table |");
        self.line("| ---: | ---: | ---: | ---: | ---: | ---: |");
        for size in sizes {
            let each = |ms: f64| ms * 1000.0 / size.tables as f64;
            self.line(&format!(
                "| {} | {:.0} | {:.0} | {:.1} | {:.0} | {:.0} |",
                size.tables,
                size.ours,
                each(size.ours),
                size.peak_mb.unwrap_or(f64::NAN),
                size.dump,
                each(size.dump)
            ));
        }
        self.show();
    }

    /// Start-up times in milliseconds.
    pub(super) fn start_up(&mut self, programs: &[(String, f64)]) {
        self.line("\n## Start-up\n\n| command | median ms |\n| --- | ---: |");
        for (name, ms) in programs {
            self.line(&format!("| {name} | {ms:.1} |"));
        }
        self.show();
    }

    /// Ways to a tenant column; the first is what the others are held against.
    pub(super) fn tenancy(&mut self, title: &str, ways: &[Figures]) {
        self.line(&format!("\n## {}{}\n", title[..1].to_uppercase(), &title[1..]));
        self.line("A client writes single rows beside each.\n");
        self.line(
            "| way | total ms | × plain UPDATE | longest write ms | writes | table grows by MB |",
        );
        self.line("| --- | ---: | ---: | ---: | ---: | ---: |");
        let plain = ways.first().map_or(f64::NAN, |way| way.total_ms);
        for way in ways {
            self.line(&format!(
                "| {} | {:.0} | {:.2} | {:.0} | {} | {:.0} |",
                way.name,
                way.total_ms,
                way.total_ms / plain,
                way.longest_write_ms,
                way.writes,
                way.grown_mb
            ));
        }
        self.show();
    }

    /// The lines `NAME MB/s` of the program that measures them.
    pub(super) fn reading_sql(&mut self, lines: &str) {
        self.line("\n## Reading a script of 5 MB\n\n| function | MB/s |\n| --- | ---: |");
        for line in lines.lines() {
            let (name, speed) = line.rsplit_once(' ').unwrap_or((line, "?"));
            self.line(&format!("| {name} | {speed} |"));
        }
        self.show();
    }

    /// Writes the file, unless only a part was measured.
    pub(super) fn finish(self, complete: bool) {
        if complete {
            let folder = checkout::root().join("benches");
            fs::create_dir_all(&folder).expect("create benches");
            fs::write(folder.join("results.md"), self.text).expect("write benches/results.md");
        }
    }

    fn head(&mut self, options: &Options) {
        let Options { rounds, slow_rounds, .. } = options;
        let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
        let psql = first_line(client_command("psql").arg("--version"));
        let rustc = first_line(Command::new("rustc").arg("--version"));
        self.line("# Benchmarks\n");
        self.line("Written by `make bench`. Whole processes, over TCP on 127.0.0.1; contenders take turns within a");
        self.line("round, and figures are medians. Read the ratios: other work on the machine falls on all alike.\n");
        self.line(&format!("- {today}; {}; load {} at the start", machine(), load()));
        self.line(&format!("- {psql}; {rustc}"));
        self.line(&format!(
            "- {rounds} rounds on the local socket, {slow_rounds} through the proxy"
        ));
        self.line("- server CPU: processor time of the server's processes that ended with the run");
        self.line("- peak: resident set of the client, the kernel's high-water mark\n");
    }

    fn commands(&mut self, contenders: &[Contender]) {
        self.line("| tool | version | apply | status |\n| --- | --- | --- | --- |");
        for contender in contenders {
            let status = contender.status.as_ref();
            self.line(&format!(
                "| {} | {} | `{}` | {} |",
                contender.name,
                contender.version,
                contender.command_line(&contender.apply),
                status.map_or_else(
                    || "–".to_owned(),
                    |words| format!("`{}`", contender.command_line(words))
                )
            ));
        }
    }

    fn against_floor(&mut self, entries: &[Entry]) {
        let is_floor = |e: &&Entry| e.name == PSQL_ONE || e.name == PG_DUMP;
        let Some(floor) = entries.iter().find(is_floor) else { return };
        let ours = entries.iter().filter(|entry| entry.role == Role::Ours);
        let ratios: Vec<_> = ours.map(|entry| entry.elapsed_ms / floor.elapsed_ms).collect();
        let (least, most) = range(&ratios);
        self.line(&format!("\npgfleet takes {least:.2} to {most:.2} × `{}`.", floor.name));
    }

    fn against_peers(&mut self, entries: &[Entry]) {
        let peers = entries.iter().filter(|entry| entry.role == Role::Peer);
        let Some(fastest) = peers.min_by(|a, b| a.elapsed_ms.total_cmp(&b.elapsed_ms)) else {
            return;
        };
        let ours = entries.iter().filter(|entry| entry.role == Role::Ours);
        let ratios: Vec<_> = ours.map(|entry| fastest.elapsed_ms / entry.elapsed_ms).collect();
        let (least, most) = range(&ratios);
        self.line(&format!(
            "\nThe fastest peer, {}, takes {least:.2} to {most:.2} × pgfleet's time.",
            fastest.name
        ));
    }

    fn line(&mut self, line: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn show(&mut self) {
        print!("{}", &self.text[self.shown..]);
        self.shown = self.text.len();
    }
}

fn range(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, values.iter().copied().fold(0.0, f64::max))
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or("?").to_owned()
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": ")).map_or("?", |(_, name)| name);
    format!("{cores} cores, {model}")
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}
