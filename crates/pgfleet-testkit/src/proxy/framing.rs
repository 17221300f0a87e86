//! Where the protocol's messages end in a stream of bytes ("Message Formats" in PostgreSQL's manual).
//!
//! Invariant: bytes may come in pieces of any size. Only unencrypted connections are understood, and
//! only messages count that make a difference: those that the server acts on (a query, Execute, Sync,
//! the end of COPY), and those that say what became of something. Rows, descriptions and settings
//! change nothing for whoever loses the connection behind them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

use super::Direction;

/// The code of a request to encrypt; its answer is one byte and no message.
const ENCRYPTION_REQUESTS: [u32; 2] = [80_877_103, 80_877_104];

/// What both directions of one connection know.
#[derive(Debug, Clone, Default)]
pub(super) struct Talk {
    /// Single bytes that the server still owes the client.
    owed: Arc<AtomicU8>,
    /// The client is a program of PostgreSQL's own: libpq names the user first, tokio-postgres does not.
    of_libpq: Arc<AtomicBool>,
}

impl Talk {
    pub(super) fn is_of_libpq(&self) -> bool {
        self.of_libpq.load(Ordering::SeqCst)
    }
}

/// Follows one direction of one connection.
#[derive(Debug)]
pub(super) struct Framing {
    /// Until the client has sent its start-up message, its messages have no type byte.
    starting: bool,
    /// The body of the start-up message begins.
    starts: bool,
    talk: Talk,
    direction: Direction,
    header: Vec<u8>,
    /// The type of the message that is under way; none before the client has started.
    kind: Option<u8>,
    /// Bytes of the message's body that are still to come.
    body: usize,
}

impl Framing {
    pub(super) fn new(direction: Direction, talk: Talk) -> Self {
        let starting = direction == Direction::ToServer;
        Self { starting, starts: false, talk, direction, header: Vec::new(), kind: None, body: 0 }
    }

    /// The offsets in a piece behind the messages that end in it and count.
    pub(super) fn ends_in(&mut self, piece: &[u8]) -> Vec<usize> {
        let (mut ends, mut at) = (Vec::new(), 0);
        while at < piece.len() {
            if self.body > 0 {
                if self.starts && piece[at..].starts_with(b"user\0") {
                    self.talk.of_libpq.store(true, Ordering::SeqCst);
                }
                self.starts = false;
                let taken = self.body.min(piece.len() - at);
                self.body -= taken;
                at += taken;
            } else {
                self.take(piece[at]);
                at += 1;
            }
            if self.body == 0 && self.header.is_empty() && self.counts() {
                ends.push(at);
            }
        }
        ends
    }

    fn counts(&self) -> bool {
        match (self.direction, self.kind) {
            (_, None) => true,
            // Parse, Bind, Describe, Close, Flush, CopyData.
            (Direction::ToServer, Some(kind)) => !b"PBDCHd".contains(&kind),
            // ParameterStatus, BackendKeyData, descriptions, what Parse, Bind and Close gave, rows.
            (Direction::ToClient, Some(kind)) => !b"SKTtn123Dd".contains(&kind),
        }
    }

    /// Takes a byte of a header, or one that the server owed.
    fn take(&mut self, byte: u8) {
        if self.header.is_empty() && self.direction == Direction::ToClient && self.pay() {
            self.kind = None;
            return;
        }
        self.header.push(byte);
        let type_length = usize::from(!self.starting);
        if let Some(length) = self.header.get(type_length..type_length + 4) {
            let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
            self.begin_body(length as usize - 4);
        }
    }

    fn begin_body(&mut self, length: usize) {
        // The code is looked at before the body is passed over.
        if self.starting && self.header.len() < 8 && length >= 4 {
            return;
        }
        let seen = self.header.len() - 4 - usize::from(!self.starting);
        self.kind = self.header.first().copied().filter(|_| !self.starting);
        self.body = length - seen;
        if self.starting {
            let code =
                self.header.get(4..8).map_or([0; 4], |code| [code[0], code[1], code[2], code[3]]);
            if ENCRYPTION_REQUESTS.contains(&u32::from_be_bytes(code)) {
                self.talk.owed.fetch_add(1, Ordering::SeqCst);
            } else {
                (self.starting, self.starts) = (false, true);
            }
        }
        self.header.clear();
    }

    /// True when the byte was owed.
    fn pay(&self) -> bool {
        let less = |owed: u8| owed.checked_sub(1);
        self.talk.owed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: Option<u8>, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        kind.into_iter().chain(length).chain(body.iter().copied()).collect()
    }

    fn ends(framing: &mut Framing, bytes: &[u8], size: usize) -> Vec<usize> {
        let mut ends = Vec::new();
        for (index, piece) in bytes.chunks(size).enumerate() {
            ends.extend(framing.ends_in(piece).into_iter().map(|end| index * size + end));
        }
        ends
    }

    #[test]
    fn messages_end_where_their_lengths_say() {
        let client = [
            message(None, &80_877_103_u32.to_be_bytes()),
            message(None, b"\x00\x03\x00\x00user\0x\0\0"),
            message(Some(b'Q'), b"SELECT 1\0"),
            message(Some(b'S'), b""),
        ];
        let server = [b"N".to_vec(), message(Some(b'R'), &[0; 4]), message(Some(b'Z'), b"I")];
        for size in 1..30 {
            let talk = Talk::default();
            for (direction, messages) in
                [(Direction::ToServer, &client[..]), (Direction::ToClient, &server[..])]
            {
                let mut expected = Vec::new();
                for message in messages {
                    expected.push(expected.last().copied().unwrap_or(0) + message.len());
                }
                let mut framing = Framing::new(direction, talk.clone());
                assert_eq!(ends(&mut framing, &messages.concat(), size), expected, "{size}");
            }
        }
    }

    #[test]
    fn what_makes_no_difference_does_not_count() {
        let talk = Talk::default();
        let mut client = Framing::new(Direction::ToServer, talk.clone());
        client.ends_in(&message(None, b"\x00\x03\x00\x00user\0x\0\0"));
        let sent = b"PBDES".map(|kind| message(Some(kind), b"x"));
        assert_eq!(ends(&mut client, &sent.concat(), 7), [24, 30]);
        assert!(talk.is_of_libpq());
        let mut server = Framing::new(Direction::ToClient, talk);
        let kinds = b"SK12TDDDCZ".map(|kind| message(Some(kind), b"x"));
        assert_eq!(ends(&mut server, &kinds.concat(), 5), [54, 60]);
    }
}
