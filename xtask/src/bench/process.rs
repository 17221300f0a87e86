//! Runs a contender and measures the process as a whole.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use pgfleet_testkit::Cluster;

use super::contender::Contender;

/// How often a process's peak memory is read.
const PEAK_INTERVAL: Duration = Duration::from_millis(1);

/// One run of one process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// From start to end.
    pub elapsed_ms: f64,
    /// Processor time of the server's processes that ended with it.
    pub server_cpu_ms: f64,
}

/// Runs a contender against a database and measures it.
pub(super) fn run(
    contender: &Contender,
    arguments: &[String],
    url: &str,
    cluster: &Cluster,
) -> Sample {
    let before = server_cpu_ms(cluster);
    let begun = Instant::now();
    let child = spawn(contender, arguments, url);
    wait(contender, child);
    let elapsed_ms = begun.elapsed().as_secs_f64() * 1000.0;
    // The server's process ends a little after its client.
    std::thread::sleep(Duration::from_millis(50));
    Sample { elapsed_ms, server_cpu_ms: server_cpu_ms(cluster) - before }
}

/// Peak memory (resident set) of a run in MB. The kernel's own high-water mark is read until the
/// process ends: `wait4` would count what the process was before it became the program.
pub(super) fn peak_mb(contender: &Contender, arguments: &[String], url: &str) -> f64 {
    let mut child = spawn(contender, arguments, url);
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kb = 0.0_f64;
    while child.try_wait().expect("look after a process").is_none() {
        peak_kb = peak_kb.max(high_water_kb(Path::new(&status)).unwrap_or(0.0));
        std::thread::sleep(PEAK_INTERVAL);
    }
    wait(contender, child);
    peak_kb / 1024.0
}

fn high_water_kb(status: &Path) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn spawn(contender: &Contender, arguments: &[String], url: &str) -> Child {
    let url = format!("{url}{}", contender.url_suffix);
    let mut command = Command::new(&contender.program);
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.current_dir(contender.project.path()).env("HOME", contender.project.path());
    command.env("DATABASE_URL", &url).env("NO_COLOR", "1");
    command.args(arguments.iter().map(|word| if word == "URL" { &url } else { word }));
    let log = fs::File::create(contender.project.path().join("bench.log")).expect("a log");
    let errors = log.try_clone().expect("a log");
    command.stdin(Stdio::null()).stdout(log).stderr(errors);
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn wait(contender: &Contender, mut child: Child) {
    let status = child.wait().expect("wait for a process");
    let log = || contender.project.read("bench.log");
    assert!(status.code() == Some(contender.exit_code), "{} failed:\n{}", contender.name, log());
}

/// Processor time of all the server's processes that have ended: columns 16 and 17 of its main
/// process in `/proc` (cutime and cstime), in ticks of 10 ms.
fn server_cpu_ms(cluster: &Cluster) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", cluster.pid())).unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = after_name.split(' ').skip(13).take(2).filter_map(|word| word.parse::<f64>().ok());
    ticks.sum::<f64>() * 10.0
}
