//! Answers Prometheus: a new look for each request.
//!
//! Invariant: one request at a time, of limited length and time, so that whoever can reach the
//! address cannot open many sessions on the database.

use std::time::Duration;

use pgfleet_core::monitor::{Sample, prometheus};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::sample;
use crate::conduct::Target;

const REQUEST_BYTES_MAX: usize = 8 * 1024;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers `GET /metrics` until the process ends.
///
/// # Errors
/// When connections cannot be taken any more.
pub async fn serve(listener: TcpListener, targets: &[Target]) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        // A client that went away is no reason to end.
        let _ = answer(stream, targets).await;
    }
}

async fn answer(mut stream: TcpStream, targets: &[Target]) -> std::io::Result<()> {
    let request = tokio::time::timeout(REQUEST_TIMEOUT, read_request(&mut stream)).await;
    let Ok(Ok(request)) = request else { return Ok(()) };
    let mut words = request.split_whitespace();
    let (status, body) = match (words.next(), words.next()) {
        (Some("GET"), Some("/metrics")) => ("200 OK", page(targets).await),
        (Some("GET"), Some("/")) => ("200 OK", "See /metrics\n".to_owned()),
        (Some("GET"), _) => ("404 Not Found", "See /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// The request up to its empty line.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") && bytes.len() < REQUEST_BYTES_MAX {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Targets that do not answer have no figures but `pgfleet_up 0`.
async fn page(targets: &[Target]) -> String {
    let mut samples = Vec::new();
    let mut down = Vec::new();
    for target in targets {
        match look(target).await {
            Some(sample) => samples.push((target.name.clone(), sample)),
            None => down.push(target.name.clone()),
        }
    }
    prometheus(&samples, &down)
}

async fn look(target: &Target) -> Option<Sample> {
    let session = target.connect().await.ok()?;
    let sample = sample(target, &session).await.ok();
    session.close().await;
    sample
}
