//! What connection strings mean.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use pgfleet_core::diagnose::Code;
use pgfleet_engine::connect::{ConnectSpec, Host, SessionAttrs, Surroundings, TlsMode};

use super::{nowhere, spec, words};

fn cases(file: &str) -> Vec<(String, String)> {
    let path = format!("{}/../../corpus/connect/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let cases: Vec<_> = lines
        .map(|line| line.split_once(" => ").unwrap_or_else(|| panic!("no ` => ` in {line}")))
        .map(|(left, right)| (left.to_owned(), right.to_owned()))
        .collect();
    assert!(cases.len() > 20, "{path} was cut short");
    cases
}

#[test]
fn valid_strings_are_understood() {
    for (text, redacted) in cases("valid.txt") {
        assert_eq!(spec(&text).redacted(), redacted, "{text}");
    }
}

#[test]
fn invalid_strings_name_the_part_and_no_secret() {
    for (text, wanted) in cases("invalid.txt") {
        let problem = ConnectSpec::parse(&text, &nowhere()).err();
        let problem = problem.unwrap_or_else(|| panic!("{text} must be refused"));
        assert_eq!(problem.code, Code::UrlInvalid, "{text}");
        for part in wanted.split(" | ") {
            assert!(words(&problem).contains(part), "{text}: {problem:?}");
        }
        assert!(!words(&problem).contains("secret"), "{problem:?}");
    }
}

#[test]
fn no_output_of_a_specification_has_the_password() {
    let spec = spec("postgres://u:hunter2@h/d?sslmode=require");
    assert!(!format!("{spec:?} {}", spec.redacted()).contains("hunter2"));
    assert_eq!(spec.endpoints[0].password.as_ref().map(|p| p.reveal()), Some("hunter2"));
}

#[test]
fn parameters_reach_their_fields() {
    let spec = spec(
        "postgres://u@h/d?sslmode=verify-full&target_session_attrs=primary&schema=My App\
         &options=-c%20a%3Db&lock_timeout=3s&pgbouncer=true&connect_timeout=1&load_balance_hosts=random",
    );
    assert_eq!(spec.tls.mode, TlsMode::VerifyFull);
    assert_eq!(spec.session_attrs, SessionAttrs::Primary);
    assert_eq!(spec.search_path.as_deref(), Some("\"My App\""));
    assert_eq!(spec.options.as_deref(), Some("-c a=b -c lock_timeout=3s"));
    assert_eq!(spec.connect_timeout.map(|t| t.as_secs()), Some(2));
    assert!(spec.pooler_declared && spec.shuffle);
}

fn around(variables: &[(&str, &str)], home: Option<&std::path::Path>) -> Surroundings {
    let variables: BTreeMap<_, _> =
        variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Surroundings { variables, user: Some("me".to_owned()), home: home.map(Into::into) }
}

#[test]
fn variables_fill_what_the_string_leaves_open() {
    let variables = [
        ("PGHOST", "v"),
        ("PGPORT", "7000"),
        ("PGUSER", "vu"),
        ("PGDATABASE", ""),
        ("PGSSLMODE", "require"),
        ("PGHOSTADDR", "10.0.0.1"),
    ];
    let spec = ConnectSpec::parse("host=h", &around(&variables, None)).unwrap();
    assert_eq!(spec.redacted(), "postgres://vu@h:7000/vu");
    assert_eq!(spec.endpoints[0].address, None, "PGHOSTADDR belongs to PGHOST");
    assert_eq!(spec.tls.mode, TlsMode::Require);
    let spec = ConnectSpec::parse("", &around(&variables, None)).unwrap();
    assert_eq!(spec.endpoints[0].host, Host::Tcp("v".to_owned()));
    assert_eq!(spec.endpoints[0].address, "10.0.0.1".parse().ok());
}

#[test]
fn a_service_is_stronger_than_variables_and_weaker_than_the_string() {
    let home = tempfile::tempdir().unwrap();
    let text = "# mine\n[other]\nhost=o\n[mine]\nhost=s\nport = 7001\nuser=su\n[last]\nuser=l\n";
    fs::write(home.path().join(".pg_service.conf"), text).unwrap();
    let around = around(&[("PGSERVICE", "mine"), ("PGUSER", "vu")], Some(home.path()));
    let spec = ConnectSpec::parse("host=h", &around).unwrap();
    assert_eq!(spec.redacted(), "postgres://su@h:7001/su");
    let spec = ConnectSpec::parse("postgres:///d?service=last&host=x", &around).unwrap();
    assert_eq!(spec.redacted(), "postgres://l@x:5432/d");
}

#[test]
fn the_password_file_is_read_when_only_we_may_read_it() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".pgpass");
    fs::write(&file, "# x\nh:5432:other:u:no\nh:*:d:u:p\\:w:x\n*:*:*:*:any\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let around = around(&[], Some(home.path()));
    let password = |text: &str| {
        let spec = ConnectSpec::parse(text, &around).unwrap();
        (spec.endpoints[0].password.as_ref().map(|p| p.reveal().to_owned()), spec.remarks)
    };
    assert_eq!(password("postgres://u@h/d").0.as_deref(), Some("p:w:x"));
    assert_eq!(password("postgres://z@h/d").0.as_deref(), Some("any"));
    assert_eq!(password("postgres://u:own@h/d").0.as_deref(), Some("own"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (none, remarks) = password("postgres://u@h/d");
    assert_eq!(none, None);
    assert!(remarks[0].contains("chmod 600"), "{remarks:?}");
}
