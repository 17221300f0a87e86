//! The built pgfleet binary, run as a user would run it.
//!
//! Invariant: nothing of this machine reaches it but PATH and `PGFLEET_PG_BIN`: no PG* variables,
//! no home folder, no colours.

use std::{
    env,
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::ProgramOutput;

/// How pgfleet is run. Made by [`crate::Project::pgfleet`].
#[derive(Debug)]
pub struct Cli {
    command: Command,
    input: Option<Vec<u8>>,
}

impl Cli {
    /// pgfleet in a project folder.
    pub fn new(project: &Path) -> Self {
        Self::of_program(&binary(), project)
    }

    /// Another program under the same conditions.
    pub fn of_program(program: &Path, project: &Path) -> Self {
        let mut command = Command::new(program);
        command.env_clear().current_dir(project).env("HOME", project);
        for name in ["PATH", "PGFLEET_PG_BIN"] {
            command.envs(env::var_os(name).map(|value| (name, value)));
        }
        Self { command, input: None }
    }

    /// Adds arguments.
    pub fn args<A: AsRef<str>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.command.env(name, value.as_ref());
        self
    }

    /// What it reads from standard input; nothing by default.
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> ProgramOutput {
        self.spawn().wait()
    }

    /// Starts it.
    pub fn spawn(mut self) -> Running {
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.command.spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        if let (Some(input), Some(mut pipe)) = (self.input, child.stdin.take()) {
            // It may end without reading to the end.
            thread::spawn(move || drop(pipe.write_all(&input)));
        }
        Running::of(child)
    }
}

/// A pgfleet that runs. It is killed with the value.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    fn of(mut child: Child) -> Self {
        let stdout = child.stdout.take().map(drain);
        let stderr = child.stderr.take().map(drain);
        Self { child, stdout, stderr }
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it without any chance to clean up.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill pgfleet");
    }

    /// Sends what Ctrl-C sends.
    pub fn interrupt(&self) {
        // It may have ended already.
        let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
    }

    /// Whether it has ended.
    pub fn is_finished(&mut self) -> bool {
        self.child.try_wait().expect("look after pgfleet").is_some()
    }

    /// Waits until it ends or the time is over. Returns whether it has ended.
    pub fn wait_for(&mut self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while !self.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        self.is_finished()
    }

    /// Waits for its end. After a signal the exit code is its number, negative.
    pub fn wait(mut self) -> ProgramOutput {
        let status = self.child.wait().expect("wait for pgfleet");
        let signal = || status.signal().map_or(-1, |signal| -signal);
        ProgramOutput {
            stdout: collected(self.stdout.take()),
            stderr: collected(self.stderr.take()),
            code: status.code().unwrap_or_else(signal),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already unless the test gave up on it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn drain(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What arrived before an error is what there is.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

fn collected(reader: Option<JoinHandle<Vec<u8>>>) -> String {
    let bytes = reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The pgfleet that cargo built for these tests.
fn binary() -> PathBuf {
    let named = ["CARGO_BIN_EXE_pgfleet", "NEXTEST_BIN_EXE_pgfleet"];
    if let Some(path) = named.into_iter().find_map(env::var_os) {
        return PathBuf::from(path);
    }
    // target/PROFILE/deps/TEST-HASH
    let test = env::current_exe().expect("the test's own path");
    let built = test.ancestors().nth(2).map(|profile| profile.join("pgfleet"));
    built
        .filter(|path| path.is_file())
        .unwrap_or_else(|| panic!("pgfleet is not built: `cargo build -p pgfleet`"))
}
