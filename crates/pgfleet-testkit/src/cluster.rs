//! Clusters for tests: the shared one, and fresh ones with settings of their own.

use std::{path::PathBuf, sync::Arc};

use pgfleet_engine::server::{Auth, ClusterOptions, Installation, ThrowawayCluster};
use rcgen::{CertificateParams, KeyPair};

use crate::{TestDb, blocking, shared};

/// A running server that tests use. Clones mean the same server.
#[derive(Debug, Clone)]
pub struct Cluster(Server);

#[derive(Debug, Clone)]
enum Server {
    Shared(&'static shared::SharedServer),
    Own(Arc<Own>),
}

#[derive(Debug)]
struct Own {
    server: ThrowawayCluster,
    /// The certificate authority of a server with TLS, as PEM.
    root_certificate: Option<String>,
}

impl Cluster {
    /// The cluster that all test processes of this checkout share: trust authentication, no fsync,
    /// `wal_level=logical`, 400 connections, 100 prepared transactions, no autovacuum. Roles and
    /// settings made there are seen by other tests: give them names of their own.
    pub fn shared() -> Self {
        Self(Server::Shared(shared::server()))
    }

    /// A cluster of one's own; see [`Fresh`].
    pub fn fresh() -> Fresh {
        Fresh::default()
    }

    /// A new empty database, dropped with the value.
    pub fn database(&self) -> TestDb {
        TestDb::on(self)
    }

    /// The URL of a database as superuser, over TCP.
    pub fn url(&self, dbname: &str) -> String {
        match &self.0 {
            Server::Own(own) => own.server.url(dbname),
            Server::Shared(server) => {
                format!("postgres://postgres@127.0.0.1:{}/{dbname}", server.port)
            }
        }
    }

    /// The URL of a database as superuser, over the unix socket.
    pub fn socket_url(&self, dbname: &str) -> String {
        match &self.0 {
            Server::Own(own) => own.server.socket_url(dbname),
            Server::Shared(server) => {
                let host = self.socket_dir().to_string_lossy().replace('/', "%2F");
                format!("postgres://postgres@/{dbname}?host={host}&port={}", server.port)
            }
        }
    }

    /// The TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        match &self.0 {
            Server::Own(own) => own.server.port(),
            Server::Shared(server) => server.port,
        }
    }

    /// The folder of the unix socket.
    pub fn socket_dir(&self) -> PathBuf {
        match &self.0 {
            Server::Own(own) => own.server.socket_dir(),
            Server::Shared(server) => server.root.join("s"),
        }
    }

    /// The number of the server's main process.
    pub fn pid(&self) -> i32 {
        match &self.0 {
            Server::Own(own) => own.server.pid().expect("the server runs"),
            Server::Shared(server) => server.pid,
        }
    }

    /// The programs that run the server. Other majors' installations have no psql or pg_dump.
    pub fn installation(&self) -> &Installation {
        match &self.0 {
            Server::Own(own) => own.server.installation(),
            Server::Shared(server) => &server.installation,
        }
    }

    /// What the server wrote to its log so far; other tests too, on the shared one.
    pub fn log(&self) -> String {
        match &self.0 {
            Server::Own(own) => own.server.log(),
            Server::Shared(server) => {
                std::fs::read_to_string(server.root.join("server.log")).unwrap_or_default()
            }
        }
    }

    /// The superuser's password, when the server asks for one.
    pub fn password(&self) -> Option<&str> {
        match &self.0 {
            Server::Own(own) => own.server.password(),
            Server::Shared(_) => None,
        }
    }

    /// The certificate authority (PEM) that signed the server's certificate, with [`Fresh::tls`].
    pub fn root_certificate(&self) -> Option<&str> {
        match &self.0 {
            Server::Own(own) => own.root_certificate.as_deref(),
            Server::Shared(_) => None,
        }
    }

    /// Runs SQL (several statements are fine) as superuser in the database `postgres`.
    pub fn sql(&self, sql: &str) {
        let url = self.url("postgres");
        blocking::run(|| async move { crate::database::batch(&url, sql).await });
    }
}

/// How to make a cluster of one's own; [`Fresh::start`] makes it.
#[derive(Debug, Clone)]
pub struct Fresh {
    options: ClusterOptions,
    installation: Option<Installation>,
    before_recovery: Option<String>,
    tls: bool,
}

impl Default for Fresh {
    fn default() -> Self {
        Self { options: shared::options(), installation: None, before_recovery: None, tls: false }
    }
}

impl Fresh {
    /// Runs the programs of this installation instead of the machine's default one.
    pub fn installation(mut self, installation: Installation) -> Self {
        self.installation = Some(installation);
        self
    }

    /// Sets a server setting, as in postgresql.conf.
    pub fn setting(mut self, name: &str, value: impl ToString) -> Self {
        self.options.settings.push((name.to_owned(), value.to_string()));
        self
    }

    /// Puts a line in front of pg_hba.conf.
    pub fn hba(mut self, line: &str) -> Self {
        self.options.hba.push(line.to_owned());
        self
    }

    /// Asks for passwords (SCRAM). The superuser's is random and in the URLs.
    pub fn scram(mut self) -> Self {
        self.options.auth = Auth::Scram;
        self
    }

    /// Waits for the disk as a production server does.
    pub fn durable(mut self) -> Self {
        self.options.durable = true;
        self
    }

    /// A standby: the server is in recovery and takes no writes. `sql` is run before that.
    pub fn recovery(mut self, sql: &str) -> Self {
        self.before_recovery = Some(sql.to_owned());
        self
    }

    /// Turns TLS on, with a certificate for `localhost` and `127.0.0.1` by an authority of its own;
    /// see [`Cluster::root_certificate`].
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Makes and starts the cluster. It is stopped and removed with its last clone.
    pub fn start(mut self) -> Cluster {
        let root_certificate = self.tls.then(|| self.add_certificate());
        let installation = self
            .installation
            .unwrap_or_else(|| Installation::find().unwrap_or_else(|error| panic!("{error}")));
        let server = ThrowawayCluster::start(&installation, &self.options)
            .unwrap_or_else(|error| panic!("start a fresh cluster: {error}"));
        let server = match &self.before_recovery {
            Some(sql) => into_standby(server, sql),
            None => server,
        };
        Cluster(Server::Own(Arc::new(Own { server, root_certificate })))
    }

    /// Adds key and certificate to the server's files and returns the authority's certificate.
    fn add_certificate(&mut self) -> String {
        let (authority, certificate, key) = certificate().expect("make a certificate");
        self.options.files.push(("server.crt".to_owned(), certificate));
        self.options.files.push(("server.key".to_owned(), key));
        self.options.settings.push(("ssl".to_owned(), "on".to_owned()));
        authority
    }
}

/// The authority's certificate, the server's and the server's key, as PEM.
fn certificate() -> Result<(String, String, String), rcgen::Error> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "pgfleet testkit");
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let server = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let certificate = server.signed_by(&key, &issuer)?;
    Ok((authority_certificate.pem(), certificate.pem(), key.serialize_pem()))
}

fn into_standby(mut server: ThrowawayCluster, sql: &str) -> ThrowawayCluster {
    let url = server.url("postgres");
    blocking::run(|| async move { crate::database::batch(&url, sql).await });
    server
        .restart_with(&[("standby.signal".to_owned(), String::new())])
        .unwrap_or_else(|error| panic!("start as standby: {error}"));
    server
}
