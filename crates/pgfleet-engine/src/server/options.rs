//! How a throwaway cluster is set up.

use std::{path::PathBuf, time::Duration};

/// How clients prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auth {
    /// A random password, in the cluster's URLs only. The server also listens on TCP, where any
    /// user of the machine can reach it.
    #[default]
    Scram,
    /// Nobody is asked for anything: for tests.
    Trust,
}

/// How long the server lives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Lifetime {
    /// Until its [`super::ThrowawayCluster`] is dropped or our process ends, however it ends.
    #[default]
    Owner,
    /// Until somebody stops it: it keeps its files in this folder and is not stopped on drop.
    Detached(PathBuf),
}

/// How a throwaway cluster is set up. The default is fast and forgets everything on a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterOptions {
    /// How clients prove who they are.
    pub auth: Auth,
    /// How long the server lives.
    pub lifetime: Lifetime,
    /// Whether commits wait for the disk (`fsync`, `full_page_writes`, `synchronous_commit`).
    pub durable: bool,
    /// `max_connections`.
    pub max_connections: u32,
    /// `wal_level`: `minimal`, `replica` or `logical`.
    pub wal_level: String,
    /// `max_prepared_transactions`, for two-phase commit.
    pub max_prepared_transactions: u32,
    /// Whether autovacuum runs. A cluster that lives for seconds has no use for it.
    pub autovacuum: bool,
    /// Further settings, which win over the above.
    pub settings: Vec<(String, String)>,
    /// Lines put in front of pg_hba.conf.
    pub hba: Vec<String>,
    /// Files written into the data folder before the start, readable by the server alone.
    pub files: Vec<(String, String)>,
    /// How long to wait for the server to accept connections.
    pub start_timeout: Duration,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            auth: Auth::default(),
            lifetime: Lifetime::default(),
            durable: false,
            max_connections: 50,
            wal_level: "replica".to_owned(),
            max_prepared_transactions: 0,
            autovacuum: false,
            settings: Vec::new(),
            hba: Vec::new(),
            files: Vec::new(),
            start_timeout: Duration::from_secs(60),
        }
    }
}

impl ClusterOptions {
    /// The settings as lines for postgresql.conf, the user's last so that they win.
    pub(super) fn to_conf(&self) -> String {
        let on = |yes: bool| if yes { "on" } else { "off" };
        let mut settings: Vec<(&str, String)> = vec![
            ("fsync", on(self.durable).into()),
            ("full_page_writes", on(self.durable).into()),
            ("synchronous_commit", on(self.durable).into()),
            ("autovacuum", on(self.autovacuum).into()),
            ("max_connections", self.max_connections.to_string()),
            ("max_prepared_transactions", self.max_prepared_transactions.to_string()),
            ("wal_level", self.wal_level.clone()),
            ("shared_buffers", "32MB".into()),
            ("max_wal_size", "4GB".into()),
            ("checkpoint_timeout", "1h".into()),
            ("timezone", "UTC".into()),
            ("log_timezone", "UTC".into()),
        ];
        if self.wal_level == "minimal" {
            settings.push(("max_wal_senders", "0".into()));
        }
        settings.extend(self.settings.iter().map(|(name, value)| (name.as_str(), value.clone())));
        settings.iter().map(|(name, value)| format!("{name} = {}\n", quote(value))).collect()
    }
}

/// A value in postgresql.conf's quotes.
pub(super) fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_of_the_users_comes_last_and_is_quoted() {
        let settings = vec![("fsync".to_owned(), "o'n".to_owned())];
        let conf = ClusterOptions { settings, ..ClusterOptions::default() }.to_conf();
        assert!(conf.starts_with("fsync = 'off'\n"), "{conf}");
        assert!(conf.ends_with("fsync = 'o''n'\n"), "{conf}");
    }
}
