//! One running `postgres` process: start, wait until it accepts connections, stop.
//!
//! Invariant: the thread that started the server waits for it until it ends. The system's
//! parent-death signal is tied to that thread, not to the process, so it must not end earlier.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::channel,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{Account, Installation, ServerError};

const POLL: Duration = Duration::from_millis(5);
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// How a server is asked to stop (PostgreSQL manual, "Shutting Down the Server").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Roll back what is open, write a checkpoint: the data can be started again at once.
    Fast,
    /// Abort: for data that nobody will read again.
    Immediate,
}

/// A running server process.
#[derive(Debug)]
pub(super) struct Postmaster {
    pub(super) pid: Pid,
    /// Runs until the process has ended.
    watch: JoinHandle<()>,
    data: PathBuf,
    log: PathBuf,
}

/// What to start and where.
pub(super) struct Launch<'a> {
    pub(super) installation: &'a Installation,
    pub(super) account: Account,
    pub(super) data: PathBuf,
    pub(super) log: PathBuf,
    /// Whether the server dies with us.
    pub(super) tied: bool,
}

impl Postmaster {
    /// Starts the server. It may not accept connections yet.
    pub(super) fn launch(launch: &Launch<'_>) -> Result<Self, ServerError> {
        let log = File::create(&launch.log).map_err(ServerError::io("create", &launch.log))?;
        let program = launch.installation.bin_dir.join("postgres");
        let mut command = tied_command(launch, &program);
        command.arg("-D").arg(&launch.data).current_dir(&launch.data);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // A Ctrl-C at the terminal is for us alone: we still need the server to clean up.
        command.process_group(0);
        let (pid, watch) = spawn_and_watch(command).map_err(ServerError::io("start", program))?;
        Ok(Self { pid, watch, data: launch.data.clone(), log: launch.log.clone() })
    }

    /// Waits until the server accepts connections, which it notes in postmaster.pid.
    pub(super) fn wait_ready(&self, timeout: Duration) -> Result<(), ServerError> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(PidFile { ready: true, .. }) = PidFile::read(&self.data) {
                return Ok(());
            }
            if self.watch.is_finished() {
                return Err(ServerError::Start { log: tail(&self.log) });
            }
            if Instant::now() >= deadline {
                let log = tail(&self.log);
                return Err(ServerError::Timeout { waited_s: timeout.as_secs(), log });
            }
            thread::sleep(POLL);
        }
    }

    /// Stops the server and waits for its end; kills it when it does not obey.
    pub(super) fn stop(&self, how: Stop) {
        let signal = match how {
            Stop::Fast => Signal::INT,
            Stop::Immediate => Signal::QUIT,
        };
        // A server that is gone already is what was asked for.
        let _ = kill_process(self.pid, signal);
        if !self.ends_within(STOP_TIMEOUT) {
            let _ = kill_process(self.pid, Signal::KILL);
            self.ends_within(STOP_TIMEOUT);
        }
    }

    fn ends_within(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while !self.watch.is_finished() && Instant::now() < deadline {
            thread::sleep(POLL);
        }
        self.watch.is_finished()
    }
}

/// The server's command, wrapped in `setpriv --pdeathsig` (util-linux) where that is installed.
fn tied_command(launch: &Launch<'_>, program: &Path) -> Command {
    let setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].map(Path::new);
    match setpriv.into_iter().find(|path| launch.tied && path.is_file()) {
        None => launch.account.command(program),
        Some(setpriv) => {
            let mut command = launch.account.command(setpriv);
            command.args(["--pdeathsig", "QUIT"]).arg(program);
            command
        }
    }
}

fn spawn_and_watch(mut command: Command) -> io::Result<(Pid, JoinHandle<()>)> {
    let (started_tx, started) = channel();
    let watch = move || match command.spawn() {
        Err(error) => drop(started_tx.send(Err(error))),
        Ok(mut child) => {
            // Nobody listens any more only when the owner is gone, and then nobody asks.
            let _ = started_tx.send(Ok(Pid::from_child(&child)));
            // An error can only mean that it was waited for already.
            let _ = child.wait();
        }
    };
    let watch = thread::Builder::new().name("pgfleet-server".to_owned()).spawn(watch)?;
    let pid = started.recv().map_err(io::Error::other)??;
    Ok((pid, watch))
}

/// What a server writes into postmaster.pid (`src/include/utils/pidfile.h`): line 1 is the process
/// number, line 8 its status.
struct PidFile {
    pid: Option<Pid>,
    ready: bool,
}

impl PidFile {
    fn read(data: &Path) -> Option<Self> {
        let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let mut lines = text.lines().map(str::trim);
        let pid = lines.next()?.parse().ok().and_then(Pid::from_raw);
        let ready = lines.nth(6).is_some_and(|status| matches!(status, "ready" | "standby"));
        Some(Self { pid, ready })
    }
}

/// Stops the server recorded in a data folder, when that process really is that server.
pub(super) fn stop_recorded(data: &Path) {
    let Some(pid) = PidFile::read(data).and_then(|file| file.pid) else { return };
    if !serves(pid, data) {
        return;
    }
    let _ = kill_process(pid, Signal::QUIT);
    let deadline = Instant::now() + STOP_TIMEOUT;
    while test_kill_process(pid).is_ok() && Instant::now() < deadline {
        thread::sleep(POLL);
    }
}

/// Whether the process was started for this data folder: process numbers are used again.
fn serves(pid: Pid, data: &Path) -> bool {
    let number = pid.as_raw_nonzero().to_string();
    let arguments = match fs::read(format!("/proc/{number}/cmdline")) {
        Ok(cmdline) => cmdline,
        Err(_) => {
            let ps = Command::new("ps").args(["-o", "args=", "-p", &number]).output();
            ps.map(|output| output.stdout).unwrap_or_default()
        }
    };
    contains(&arguments, data.as_os_str())
}

fn contains(haystack: &[u8], needle: &OsStr) -> bool {
    let needle = needle.as_encoded_bytes();
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// The last lines of a log, for an error message.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(10);
    lines.get(start..).unwrap_or_default().join("\n")
}
