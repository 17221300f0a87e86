//! The example's service, as its users start it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use pgfleet_testkit::client_command;

use super::Stage;

/// Ends with the value.
pub(super) struct Service {
    node: Child,
    url: String,
}

impl Service {
    /// On the databases that a split makes, whether they are there or not.
    pub(super) fn start(stage: &Stage) -> Self {
        let url = |suffix| stage.new_url(&format!("{}{suffix}", stage.db.name()));
        let mut node = Command::new("node");
        node.arg(stage.project.path().join("application/service.mjs"));
        node.env("PORT", "0").env("PSQL", client_command("psql").get_program());
        node.env("AUTH_URL", url("_auth")).env("SHARED_URL", url("_shared"));
        node.env("TENANT_URL", url("_topsteel"));
        let mut node = node.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(node.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { node, url: url.trim().to_owned() }
    }

    /// Asks the service, as `pgfleet verify` does; the names of the checks that failed.
    pub(super) fn failing(&self, stage: &Stage) -> Vec<String> {
        let args =
            ["verify", "--checks", "application/http.toml", "--url", &stage.db.url(), "--output"];
        let asked = stage.command(&args).args(["json"]).env("API_URL", &self.url).run();
        let json: serde_json::Value = serde_json::from_str(&asked.stdout).unwrap();
        let checks = json["targets"][0]["checks"].as_array().unwrap();
        assert_eq!((checks.len(), asked.code == 0), (5, checks.iter().all(|c| c["ok"] == true)));
        let failed = checks.iter().filter(|check| check["ok"] == false);
        failed.map(|check| format!("{}: {}", check["name"], check["found"])).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}
