//! A cluster made for one purpose and removed after it.
//!
//! Invariant: between a successful [`ThrowawayCluster::start`] and its drop the server accepts
//! connections on 127.0.0.1 and on a unix socket in a folder that only its owner can enter.

use std::{
    fmt::{self, Write as _},
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Output,
};

use super::{
    Account, Auth, ClusterOptions, Installation, Lifetime, ServerError,
    options::quote,
    postmaster::{Launch, Postmaster, Stop},
    root::{ClusterRoot, sweep_abandoned},
};

/// The name of the superuser of every throwaway cluster.
const SUPERUSER: &str = "postgres";
/// Another program may take a free port before the server does.
const PORT_ATTEMPTS: u32 = 5;

/// A running throwaway cluster. Dropping it stops the server and removes its files, unless its
/// lifetime is [`Lifetime::Detached`].
pub struct ThrowawayCluster {
    installation: Installation,
    options: ClusterOptions,
    account: Account,
    root: ClusterRoot,
    password: Option<String>,
    port: u16,
    postmaster: Option<Postmaster>,
}

impl ThrowawayCluster {
    /// Makes a cluster and starts it; returns when it accepts connections. Takes half a second to a
    /// second. Clusters that killed processes left behind are swept first.
    ///
    /// # Errors
    /// Any [`ServerError`]; nothing is left behind then.
    pub fn start(
        installation: &Installation,
        options: &ClusterOptions,
    ) -> Result<Self, ServerError> {
        sweep_abandoned();
        let account = Account::ordinary()?;
        let root = match &options.lifetime {
            Lifetime::Owner => ClusterRoot::owned(account)?,
            Lifetime::Detached(path) => ClusterRoot::detached(path, account)?,
        };
        let password = match options.auth {
            Auth::Scram => Some(random_password()?),
            Auth::Trust => None,
        };
        let mut cluster = Self {
            installation: installation.clone(),
            options: options.clone(),
            account,
            root,
            password,
            port: 0,
            postmaster: None,
        };
        match cluster.initialize().and_then(|()| cluster.run()) {
            Ok(()) => Ok(cluster),
            Err(error) => {
                cluster.discard();
                Err(error)
            }
        }
    }

    /// Stops the server in good order and starts it again on the same data, port and settings, with
    /// `files` written into the data folder in between.
    ///
    /// # Errors
    /// Any [`ServerError`] of the start.
    pub fn restart_with(&mut self, files: &[(String, String)]) -> Result<(), ServerError> {
        if let Some(postmaster) = self.postmaster.take() {
            postmaster.stop(Stop::Fast);
        }
        self.write_files(files)?;
        self.run_on(self.port)
    }

    /// The URL of a database, over TCP.
    pub fn url(&self, dbname: &str) -> String {
        let user = self.user_info();
        format!("postgres://{user}@127.0.0.1:{}/{}", self.port, percent(dbname))
    }

    /// The URL of a database, over the unix socket.
    pub fn socket_url(&self, dbname: &str) -> String {
        let host = percent(&self.socket_dir().to_string_lossy());
        let user = self.user_info();
        format!("postgres://{user}@/{}?host={host}&port={}", percent(dbname), self.port)
    }

    /// The installation that runs it.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The TCP port on 127.0.0.1, which also names the socket file.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the unix socket; its path is shorter than 100 bytes.
    pub fn socket_dir(&self) -> PathBuf {
        self.root.sockets()
    }

    /// The data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.root.data()
    }

    /// What the server wrote to its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.root.log()).unwrap_or_default()
    }

    /// The name of the superuser.
    pub fn superuser(&self) -> &str {
        SUPERUSER
    }

    /// The superuser's password, unless nobody is asked for one.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The number of the server's main process; none when it is stopped.
    pub fn pid(&self) -> Option<i32> {
        self.postmaster.as_ref().map(|postmaster| postmaster.pid.as_raw_nonzero().get())
    }

    fn user_info(&self) -> String {
        match &self.password {
            Some(password) => format!("{SUPERUSER}:{password}"),
            None => SUPERUSER.to_owned(),
        }
    }

    fn initialize(&self) -> Result<(), ServerError> {
        let output = self.initdb()?;
        if !output.status.success() {
            let text = [output.stdout, output.stderr].concat();
            return Err(ServerError::Initdb { output: String::from_utf8_lossy(&text).into() });
        }
        let sockets = quote(&self.socket_dir().to_string_lossy());
        let mut conf =
            format!("listen_addresses = '127.0.0.1'\nunix_socket_directories = {sockets}\n");
        conf.push_str(&self.options.to_conf());
        self.append("postgresql.conf", &conf)?;
        self.prepend_hba()?;
        self.write_files(&self.options.files)
    }

    fn initdb(&self) -> Result<Output, ServerError> {
        let program = self.installation.bin_dir.join("initdb");
        let mut command = self.account.command(&program);
        command.env("LC_ALL", "C").current_dir(self.data_dir()).arg("-D").arg(self.data_dir());
        command.args(["--no-sync", "--encoding=UTF8", "--username", SUPERUSER]);
        // C.UTF-8 knows the letters beyond ASCII; only Linux is sure to have it.
        let locale = if cfg!(target_os = "linux") { "--locale=C.UTF-8" } else { "--no-locale" };
        command.arg(locale);
        match &self.password {
            None => command.arg("--auth=trust"),
            Some(password) => {
                let file = self.write_file(&self.socket_dir().join("pw"), password)?;
                command.arg("--auth=scram-sha-256").arg("--pwfile").arg(file)
            }
        };
        let output = command.output().map_err(|error| self.cannot_run(program, error));
        // Present only when there is a password; it must not stay either way.
        let _ = fs::remove_file(self.socket_dir().join("pw"));
        output
    }

    /// When we are root, the account we drop to may not reach the programs.
    fn cannot_run(&self, program: PathBuf, error: io::Error) -> ServerError {
        match self.account {
            Account::Other { uid, .. } if error.kind() == io::ErrorKind::PermissionDenied => {
                let reason = format!("the user that the server runs as (id {uid}) may not run it");
                ServerError::Unusable { bin_dir: self.installation.bin_dir.clone(), reason }
            }
            _ => ServerError::io("run", program)(error),
        }
    }

    fn prepend_hba(&self) -> Result<(), ServerError> {
        if self.options.hba.is_empty() {
            return Ok(());
        }
        let path = self.data_dir().join("pg_hba.conf");
        let old = fs::read_to_string(&path).map_err(ServerError::io("read", &path))?;
        let new = format!("{}\n{old}", self.options.hba.join("\n"));
        fs::write(&path, new).map_err(ServerError::io("write", &path))
    }

    fn write_files(&self, files: &[(String, String)]) -> Result<(), ServerError> {
        for (name, content) in files {
            self.write_file(&self.data_dir().join(name), content)?;
        }
        Ok(())
    }

    /// Writes a file that only the server's account can read.
    fn write_file(&self, path: &Path, content: &str) -> Result<PathBuf, ServerError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = options.open(path).and_then(|mut file| file.write_all(content.as_bytes()));
        written.and_then(|()| self.account.own(path)).map_err(ServerError::io("write", path))?;
        Ok(path.to_owned())
    }

    fn append(&self, name: &str, text: &str) -> Result<(), ServerError> {
        let path = self.data_dir().join(name);
        let file = OpenOptions::new().append(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(ServerError::io("write", &path))
    }

    fn run(&mut self) -> Result<(), ServerError> {
        let mut outcome = Ok(());
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port().map_err(ServerError::io("find a free port on", "127.0.0.1"))?;
            outcome = self.run_on(port);
            match &outcome {
                Err(ServerError::Start { log }) if log.contains("could not bind") => continue,
                _ => break,
            }
        }
        outcome
    }

    fn run_on(&mut self, port: u16) -> Result<(), ServerError> {
        if port != self.port {
            self.append("postgresql.conf", &format!("port = {port}\n"))?;
            self.port = port;
        }
        let postmaster = Postmaster::launch(&Launch {
            installation: &self.installation,
            account: self.account,
            data: self.data_dir(),
            log: self.root.log(),
            tied: self.options.lifetime == Lifetime::Owner,
        })?;
        let ready = postmaster.wait_ready(self.options.start_timeout);
        self.postmaster = Some(postmaster);
        ready
    }

    fn discard(&mut self) {
        if let Some(postmaster) = self.postmaster.take() {
            postmaster.stop(Stop::Immediate);
        }
        // What cannot be removed now is swept at the next start.
        let _ = fs::remove_dir_all(&self.root.path);
    }
}

impl Drop for ThrowawayCluster {
    fn drop(&mut self) {
        if self.options.lifetime == Lifetime::Owner {
            self.discard();
        }
    }
}

impl fmt::Debug for ThrowawayCluster {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThrowawayCluster")
            .field("installation", &self.installation)
            .field("root", &self.root.path)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn random_password() -> Result<String, ServerError> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(ServerError::io("read", path))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Percent-encodes everything but letters, digits and `-_.~`, as URLs want it.
fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    })
}
