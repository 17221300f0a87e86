use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use super::*;

/// A service that gives each connection the next of `answers`, and what it was sent.
fn service(answers: &'static [&'static str]) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let handle = thread::spawn(move || {
        let serve = |answer: &&str| {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read_request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            request
        };
        answers.iter().map(serve).collect()
    });
    (url, handle)
}

/// Reads to the end of the head, and of the body when a length is given.
fn read_request(stream: &mut impl Read) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase().lines().find_map(|line| {
            line.strip_prefix("content-length: ").and_then(|n| n.trim().parse::<usize>().ok())
        });
        if read == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

fn http(url: &str, rest: &str) -> Http {
    toml_http(&format!("[[check]]\nkind = \"http\"\nurl = \"{url}\"\n{rest}"))
}

fn toml_http(toml: &str) -> Http {
    match pgfleet_core::verify::parse_declaration(toml, "c").unwrap().remove(0) {
        pgfleet_core::verify::Check::Http(http) => http,
        other => panic!("{other:?}"),
    }
}

const OK: &str =
    "HTTP/1.1 200 OK\r\nContent-Length: 17\r\nConnection: close\r\n\r\n{\"success\": true}";
const BROKEN: &str = "HTTP/1.1 500 Oops\r\nContent-Length: 30\r\nConnection: close\r\n\r\nrelation missing\ntop-secret-1\n";
const MOVED: &str =
    "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_registration_is_posted_as_json_with_its_headers() {
    let (url, sent) = service(&[OK]);
    let rest = "json = { email = \"a@b.c\", password = \"env:PW\" }\nfields = { success = true }\n\
                headers = { apikey = \"env:KEY\", Authorization = \"Bearer ${KEY}\" }";
    let variables =
        BTreeMap::from([("KEY".into(), "top-secret-1".into()), ("PW".into(), "pass-word".into())]);
    let outcome = probe(&http(&format!("{url}/api/auth/register"), rest), &variables).await;
    assert_eq!(outcome, ProbeOutcome { found: "status 200".into(), deviations: vec![] });
    let request = sent.join().unwrap().remove(0);
    assert!(request.starts_with("POST /api/auth/register HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("content-type: application/json"), "{request}");
    assert!(request.to_lowercase().contains("authorization: bearer top-secret-1"), "{request}");
    assert!(request.ends_with(r#"{"email":"a@b.c","password":"pass-word"}"#), "{request}");
}

#[tokio::test]
async fn an_error_shows_the_first_lines_of_its_body_without_secrets() {
    let (url, _) = service(&[BROKEN]);
    let variables = BTreeMap::from([("KEY".to_owned(), "top-secret-1".to_owned())]);
    let outcome = probe(&http(&url, "headers = { apikey = \"env:KEY\" }"), &variables).await;
    assert_eq!(outcome.found, "status 500");
    assert_eq!(
        outcome.deviations,
        ["status 500 instead of 2xx", "| relation missing", "| [hidden]"]
    );
}

#[tokio::test]
async fn a_service_that_is_not_ready_is_asked_again() {
    let (url, sent) = service(&[BROKEN, BROKEN, OK]);
    let outcome = probe(&http(&url, "retry_for_ms = 10000"), &BTreeMap::new()).await;
    assert!(outcome.deviations.is_empty(), "{outcome:?}");
    assert_eq!(sent.join().unwrap().len(), 3);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let (url, _) = service(&[MOVED]);
    let outcome = probe(&http(&url, "status = 302"), &BTreeMap::new()).await;
    assert!(outcome.deviations.is_empty(), "{outcome:?}");
}

#[tokio::test]
async fn what_prevents_an_answer_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("http://{}", silent.local_addr().unwrap());
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let https = format!("https://{}", plain.local_addr().unwrap());
    thread::spawn(move || plain.accept().unwrap().0.write_all(MOVED.as_bytes()).unwrap());
    for (url, rest, said) in [
        (format!("http://u:pass-word@{free}/x?key=pass-word"), "", "nothing listens at 127.0.0.1:"),
        (silent_url, "timeout_ms = 200", "did not answer within 0.2 s"),
        ("http://no-such-host.invalid".to_owned(), "", "does not resolve"),
        (https, "timeout_ms = 2000", "no secure connection to 127.0.0.1"),
        ("${UNSET_URL}/health".to_owned(), "", "UNSET_URL is not set"),
        ("http://${HOST_NAME}:1/${TOKEN}".to_owned(), "", "nothing listens at 127.0.0.1:1"),
    ] {
        let variables = [("HOST_NAME", "127.0.0.1"), ("TOKEN", "pass-word")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let outcome = probe(&http(&url, rest), &variables).await;
        assert!(outcome.deviations.join("\n").contains(said), "{url}: {outcome:?}");
        assert!(!format!("{outcome:?}").contains("pass-word"), "{outcome:?}");
    }
}
