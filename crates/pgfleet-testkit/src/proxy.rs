//! A TCP proxy in front of a server: adds delay, counts, and breaks the connection on demand.
//!
//! Invariant: the delay shifts every byte by the same time and never holds back later bytes behind
//! earlier ones: each direction is a queue of pieces with the moment each is due. Timers round up
//! to the next millisecond.

mod framing;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use self::framing::{Framing, Talk};
use crate::Cluster;

/// No limit on the bytes that pass.
const UNLIMITED: u64 = u64::MAX;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What went through a proxy so far, over all connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Connections accepted.
    pub connections: u64,
    /// Bytes read from clients.
    pub bytes_to_server: u64,
    /// Bytes read from the server.
    pub bytes_to_client: u64,
    /// Messages of the protocol read from clients that the server acts on; only of unencrypted
    /// connections.
    pub messages_to_server: u64,
    /// Messages of the protocol read from the server that say what became of something; only of
    /// unencrypted connections.
    pub messages_to_client: u64,
    /// How often a client began to speak after the server had spoken, or first: what costs a round
    /// trip unless the client went on without waiting.
    pub exchanges: u64,
}

/// What the proxy does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mode {
    stalled: bool,
    refusing: bool,
    /// Counted up to cut every connection that exists.
    cuts: u64,
}

#[derive(Debug)]
struct Counters {
    connections: AtomicU64,
    bytes: [AtomicU64; 2],
    messages: [AtomicU64; 2],
    exchanges: AtomicU64,
    /// Bytes that may still pass in each direction before the cut.
    budget: [AtomicU64; 2],
    /// Messages that may still pass in each direction before the cut.
    message_budget: [AtomicU64; 2],
    /// Messages of PostgreSQL's own programs do not count.
    pass_over_libpq: AtomicBool,
}

/// A running proxy. It ends with the value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    upstream_port: u16,
    mode: watch::Sender<Mode>,
    counters: Arc<Counters>,
}

impl Proxy {
    /// A proxy in front of a cluster that delays every byte by `delay` each way.
    pub fn before(cluster: &Cluster, delay: Duration) -> Self {
        Self::to_port(cluster.port(), delay)
    }

    /// A proxy in front of a port of 127.0.0.1.
    pub fn to_port(upstream_port: u16, delay: Duration) -> Self {
        let (mode, modes) = watch::channel(Mode { stalled: false, refusing: false, cuts: 0 });
        let counters = Arc::new(Counters {
            connections: AtomicU64::new(0),
            bytes: [AtomicU64::new(0), AtomicU64::new(0)],
            messages: [AtomicU64::new(0), AtomicU64::new(0)],
            exchanges: AtomicU64::new(0),
            budget: [AtomicU64::new(UNLIMITED), AtomicU64::new(UNLIMITED)],
            message_budget: [AtomicU64::new(UNLIMITED), AtomicU64::new(UNLIMITED)],
            pass_over_libpq: AtomicBool::new(false),
        });
        let line = Line { delay, upstream_port, modes, counters: Arc::clone(&counters) };
        Self { address: serve_on_thread(line), upstream_port, mode, counters }
    }

    /// The proxy's port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// A URL of the server as it reads through the proxy.
    pub fn through(&self, url: &str) -> String {
        let direct = format!("127.0.0.1:{}", self.upstream_port);
        url.replace(&direct, &self.address.to_string())
    }

    /// What went through so far.
    pub fn traffic(&self) -> Traffic {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            connections: read(&self.counters.connections),
            bytes_to_server: read(&self.counters.bytes[Direction::ToServer as usize]),
            bytes_to_client: read(&self.counters.bytes[Direction::ToClient as usize]),
            messages_to_server: read(&self.counters.messages[Direction::ToServer as usize]),
            messages_to_client: read(&self.counters.messages[Direction::ToClient as usize]),
            exchanges: read(&self.counters.exchanges),
        }
    }

    /// Cuts all connections that exist now.
    pub fn cut(&self) {
        self.mode.send_modify(|mode| mode.cuts += 1);
    }

    /// Lets `bytes` more pass in one direction, then cuts the connection that exceeds them.
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        self.counters.budget[direction as usize].store(bytes, Ordering::Relaxed);
    }

    /// Lets `messages` more pass in one direction, over all connections, then cuts the connection at
    /// the end of the last of them.
    pub fn cut_after_messages(&self, direction: Direction, messages: u64) {
        self.counters.message_budget[direction as usize].store(messages, Ordering::Relaxed);
    }

    /// Counts no messages of PostgreSQL's own programs (pg_dump …): whatever a connection of theirs is
    /// cut behind, the program fails, and that is all that anybody learns of it. They are cut with
    /// the others.
    pub fn pass_over_programs(&self) {
        self.counters.pass_over_libpq.store(true, Ordering::Relaxed);
    }

    /// Holds all bytes back in both directions until [`Proxy::heal`].
    pub fn stall(&self) {
        self.mode.send_modify(|mode| mode.stalled = true);
    }

    /// Refuses new connections until [`Proxy::heal`]; those that exist stay.
    pub fn refuse(&self) {
        self.mode.send_modify(|mode| mode.refusing = true);
    }

    /// Ends all faults. What was held back goes on.
    pub fn heal(&self) {
        for budget in self.counters.budget.iter().chain(&self.counters.message_budget) {
            budget.store(UNLIMITED, Ordering::Relaxed);
        }
        self.mode.send_modify(|mode| (mode.stalled, mode.refusing) = (false, false));
    }
}

/// What every connection needs to know.
#[derive(Debug, Clone)]
struct Line {
    delay: Duration,
    upstream_port: u16,
    modes: watch::Receiver<Mode>,
    counters: Arc<Counters>,
}

/// A thread and runtime of its own, so that a test that blocks does not block its proxy.
fn serve_on_thread(line: Line) -> SocketAddr {
    let (bound_tx, bound) = std::sync::mpsc::channel();
    let serving = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a tokio runtime").block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind the proxy");
            let address = listener.local_addr().expect("the proxy's address");
            bound_tx.send(address).expect("report the proxy's address");
            serve(listener, address, line).await;
        });
    };
    thread::Builder::new().name("proxy".to_owned()).spawn(serving).expect("start the proxy");
    bound.recv().expect("the proxy's address")
}

/// Accepts connections until the [`Proxy`] is dropped.
async fn serve(listener: TcpListener, address: SocketAddr, mut line: Line) {
    let mut listener = Some(listener);
    loop {
        if line.modes.borrow().refusing {
            listener = None;
        } else if listener.is_none() {
            listener = Some(TcpListener::bind(address).await.expect("bind the proxy again"));
        }
        tokio::select! {
            changed = line.modes.changed() => if changed.is_err() { return },
            accepted = accept(listener.as_ref()) => if let Ok(client) = accepted {
                tokio::spawn(carry(client, line.clone()));
            },
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(client, _)| client),
        None => std::future::pending().await,
    }
}

/// Carries one connection until an end closes it or it is cut.
async fn carry(client: TcpStream, mut line: Line) {
    line.counters.connections.fetch_add(1, Ordering::Relaxed);
    let Ok(server) = TcpStream::connect(("127.0.0.1", line.upstream_port)).await else { return };
    // Without it the kernel would add delays of its own.
    if client.set_nodelay(true).and(server.set_nodelay(true)).is_err() {
        return;
    }
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let spoke_last = Arc::new(AtomicU8::new(Direction::ToClient as u8));
    let talk = Talk::default();
    let way = |direction| Way {
        line: line.clone(),
        direction,
        spoke_last: spoke_last.clone(),
        talk: talk.clone(),
    };
    let (up, down) = (way(Direction::ToServer), way(Direction::ToClient));
    let cuts = line.modes.borrow().cuts;
    let both = async {
        let up = up.carry(client_read, server_write);
        let down = down.carry(server_read, client_write);
        // An error on either way, the cut among them, ends both.
        tokio::try_join!(up, down)
    };
    tokio::select! {
        _ = both => {}
        _ = line.modes.wait_for(|mode| mode.cuts > cuts) => {}
    }
}

/// One direction of one connection.
struct Way {
    line: Line,
    direction: Direction,
    spoke_last: Arc<AtomicU8>,
    talk: Talk,
}

impl Way {
    async fn carry(self, from: OwnedReadHalf, to: OwnedWriteHalf) -> io::Result<()> {
        let (pieces, due) = mpsc::unbounded_channel();
        tokio::try_join!(self.read(from, pieces), self.write(to, due)).map(|_| ())
    }

    async fn read(
        &self,
        mut from: OwnedReadHalf,
        pieces: mpsc::UnboundedSender<(Instant, Vec<u8>)>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            self.count(length as u64);
            let due = Instant::now() + self.line.delay;
            let piece = buffer.get(..length).unwrap_or_default().to_vec();
            pieces.send((due, piece)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
    }

    async fn write(
        &self,
        mut to: OwnedWriteHalf,
        mut pieces: mpsc::UnboundedReceiver<(Instant, Vec<u8>)>,
    ) -> io::Result<()> {
        let mut modes = self.line.modes.clone();
        let mut framing = Framing::new(self.direction, self.talk.clone());
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            let flowing = modes.wait_for(|mode| !mode.stalled).await;
            flowing.map(drop).map_err(|_| io::ErrorKind::BrokenPipe)?;
            let mut ends = framing.ends_in(&piece);
            if self.line.counters.pass_over_libpq.load(Ordering::Relaxed) && self.talk.is_of_libpq()
            {
                ends.clear();
            }
            let whole_messages = self.take_messages(&ends, piece.len());
            let allowed = self.take_budget(whole_messages as u64);
            to.write_all(piece.get(..allowed).unwrap_or(&piece)).await?;
            if allowed < piece.len() || self.is_used_up() {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
        to.shutdown().await
    }

    fn count(&self, length: u64) {
        let counters = &self.line.counters;
        counters.bytes[self.direction as usize].fetch_add(length, Ordering::Relaxed);
        let before = self.spoke_last.swap(self.direction as u8, Ordering::Relaxed);
        if self.direction == Direction::ToServer && before != self.direction as u8 {
            counters.exchanges.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many bytes of a piece may pass before its messages are too many; `ends` are the ends of
    /// those that end in it.
    fn take_messages(&self, ends: &[usize], length: usize) -> usize {
        let at = self.direction as usize;
        self.line.counters.messages[at].fetch_add(ends.len() as u64, Ordering::Relaxed);
        let wanted = ends.len() as u64;
        let take =
            |left: u64| Some(if left == UNLIMITED { left } else { left.saturating_sub(wanted) });
        let budget = &self.line.counters.message_budget[at];
        let left = budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        match left.unwrap_or_else(|left| left) {
            UNLIMITED => length,
            0 => 0,
            left => ends.get(left as usize - 1).copied().unwrap_or(length),
        }
    }

    /// True when the last message that may pass has passed.
    fn is_used_up(&self) -> bool {
        let budget = &self.line.counters.message_budget[self.direction as usize];
        budget.load(Ordering::Relaxed) == 0
    }

    /// How many of `wanted` bytes may pass.
    fn take_budget(&self, wanted: u64) -> usize {
        let budget = &self.line.counters.budget[self.direction as usize];
        let take =
            |left: u64| Some(if left == UNLIMITED { left } else { left.saturating_sub(wanted) });
        let left = budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        left.unwrap_or_else(|left| left).min(wanted) as usize
    }
}
