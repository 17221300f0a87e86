//! A small HTTP service that answers from a database, as the backend of the story does.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use pgfleet_testkit::client_command;

/// Starts the service on a free port and gives its URL. It ends with the test's process.
pub fn start(database_url: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that went away is no failure of the service.
            let _ = answer(stream, &database_url);
        }
    });
    url
}

fn answer(mut stream: TcpStream, database_url: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let (status, body) = match request.split(' ').nth(1) {
        Some("/api/health") => ("200 OK", "{\"status\":\"ok\"}".to_owned()),
        Some("/api/services?isActive=true") => services(database_url),
        _ => ("404 Not Found", "{}".to_owned()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

/// What the backend asks its database.
fn services(database_url: &str) -> (&'static str, String) {
    let sql = "SELECT coalesce(json_agg(s), '[]') FROM organization_services s \
               JOIN departments d ON d.id = s.department_id WHERE s.is_active";
    let mut psql = client_command("psql");
    psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database_url, "-c", sql]);
    match psql.output() {
        Ok(output) if output.status.success() => {
            ("200 OK", String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        _ => ("500 Internal Server Error", "{\"error\":\"query failed\"}".to_owned()),
    }
}
