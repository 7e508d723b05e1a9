//! What is transferred by sftp: the files that a client opens, and how much is read of and written to each. Pure; it sees
//! both directions of the stream and changes neither.
//!
//! Protocol: <https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02>, version 3, which OpenSSH speaks.

use std::collections::{HashMap, VecDeque};

/// Requests.
const INIT: u8 = 1;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const READ: u8 = 5;
const WRITE: u8 = 6;
/// Replies.
const VERSION: u8 = 2;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;

/// What is kept of a packet's start: length, type, id, and a handle with what follows it.
const HEAD: usize = 4 + 1 + 4 + (4 + 256) + 12;
/// What is kept of a packet that opens a file: more than a name may have.
const HEAD_OF_OPEN: usize = 4 + 1 + 4 + (4 + MOST_NAME);
/// The most bytes of a name; a longer one is cut. Linux opens none of more than 4095.
const MOST_NAME: usize = 4096;
/// The most requests without a reply: more than buffers between client and server hold.
const MOST_PENDING: usize = 1 << 18;

/// A file that was opened. Its bytes as a frame's payload are whether it is open, the two counts, little-endian, and the
/// name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// Its name as the client gave it.
    pub name: Vec<u8>,
    /// Bytes that were read of it.
    pub read: u64,
    /// Bytes that were written to it.
    pub written: u64,
    /// It has just been opened, and the counts are to come.
    pub open: bool,
}

impl File {
    /// The payload of a frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[u8::from(self.open)][..], &self.read.to_le_bytes(), &self.written.to_le_bytes(), &self.name]
            .concat()
    }
}

/// A request that waits for its reply.
#[derive(Debug)]
enum Pending {
    Open(Vec<u8>),
    Close(Vec<u8>),
    Read(Vec<u8>),
    Write(Vec<u8>, u64),
    Other,
}

/// Both directions of a transfer.
#[derive(Debug, Default)]
pub struct Transfer {
    client: Packets,
    server: Packets,
    pending: VecDeque<(u32, Pending)>,
    open: HashMap<Vec<u8>, File>,
}

/// One direction, cut into packets.
#[derive(Debug, Default)]
struct Packets {
    /// The start of the packet: its length, its type, and as much as is wanted.
    head: Vec<u8>,
    /// Bytes of the packet that are to come and are not wanted.
    rest: u64,
}

impl Transfer {
    /// Looks at bytes from the client.
    pub fn by_client(&mut self, bytes: &[u8]) {
        let mut client = std::mem::take(&mut self.client);
        client.take(bytes, &mut |packet| self.request(packet));
        self.client = client;
    }

    /// Looks at bytes from the server; files that were opened and closed go to `told`.
    pub fn by_server(&mut self, bytes: &[u8], told: &mut VecDeque<File>) {
        let mut server = std::mem::take(&mut self.server);
        server.take(bytes, &mut |packet| self.reply(packet, told));
        self.server = server;
    }

    /// The files that are still open, at the end; sorted by name.
    pub fn finish(&mut self) -> Vec<File> {
        let mut files: Vec<_> = std::mem::take(&mut self.open).into_values().collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files
    }

    fn request(&mut self, packet: &[u8]) {
        let mut fields = Fields(&packet[4..]);
        let Some(kind) = fields.byte().filter(|&kind| kind != INIT) else { return };
        let Some(id) = fields.number() else { return };
        let pending = match kind {
            OPEN => fields.text().map(Pending::Open),
            CLOSE => fields.text().map(Pending::Close),
            READ => fields.text().map(Pending::Read),
            WRITE => fields.text().and_then(|handle| {
                fields.skip(8)?;
                Some(Pending::Write(handle, fields.number()?.into()))
            }),
            _ => None,
        };
        if self.pending.len() < MOST_PENDING {
            self.pending.push_back((id, pending.unwrap_or(Pending::Other)));
        }
    }

    fn reply(&mut self, packet: &[u8], told: &mut VecDeque<File>) {
        let mut fields = Fields(&packet[4..]);
        let Some(kind) = fields.byte().filter(|&kind| kind != VERSION) else { return };
        let Some(id) = fields.number() else { return };
        // OpenSSH replies in order; a client may give an id to more than one request.
        let Some(at) = self.pending.iter().position(|&(other, _)| other == id) else { return };
        let Some((_, pending)) = self.pending.remove(at) else { return };
        match (pending, kind) {
            (Pending::Open(name), HANDLE) => {
                if let Some(handle) = fields.text() {
                    told.push_back(File { name: name.clone(), open: true, ..File::default() });
                    self.open.insert(handle, File { name, ..File::default() });
                }
            }
            (Pending::Close(handle), _) => told.extend(self.open.remove(&handle)),
            (Pending::Read(handle), DATA) => {
                if let (Some(file), Some(len)) = (self.open.get_mut(&handle), fields.number()) {
                    file.read += u64::from(len);
                }
            }
            (Pending::Write(handle, len), STATUS) => {
                if let (Some(file), Some(0)) = (self.open.get_mut(&handle), fields.number()) {
                    file.written += len;
                }
            }
            _ => {}
        }
    }
}

impl Packets {
    /// Gives the start of each packet to `done`, as far as it is wanted.
    fn take(&mut self, mut bytes: &[u8], done: &mut dyn FnMut(&[u8])) {
        loop {
            let skipped = usize::try_from(self.rest).unwrap_or(usize::MAX).min(bytes.len());
            bytes = &bytes[skipped..];
            self.rest -= skipped as u64;
            if bytes.is_empty() {
                return;
            }
            let wanted = self.wanted();
            let (more, after) = bytes.split_at(wanted.saturating_sub(self.head.len()).min(bytes.len()));
            self.head.extend_from_slice(more);
            bytes = after;
            if self.head.len() == wanted && wanted == self.wanted() {
                self.rest = (4 + self.len()).saturating_sub(self.head.len() as u64);
                done(&self.head);
                self.head.clear();
            }
        }
    }

    /// The packet's length without that field, once it is known.
    fn len(&self) -> u64 {
        self.head.first_chunk().map_or(0, |&len| u32::from_be_bytes(len).into())
    }

    /// How much of the packet is wanted, as far as is known.
    fn wanted(&self) -> usize {
        let most = match self.head.get(4) {
            _ if self.head.len() < 4 => return 4,
            None => 5,
            Some(&OPEN) => HEAD_OF_OPEN,
            Some(_) => HEAD,
        };
        most.min(usize::try_from(4 + self.len()).unwrap_or(usize::MAX))
    }
}

/// The fields of a packet that are left. What is cut is shorter, or missing.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn number(&mut self) -> Option<u32> {
        let (&number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(number))
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let len = self.number()? as usize;
        let (text, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        Some(text.to_vec())
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.get(bytes..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        let len = u32::try_from(body.len() + 1).expect("a small packet");
        [&len.to_be_bytes()[..], &[kind], &body].concat()
    }

    fn text(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).expect("short").to_be_bytes()[..], bytes].concat()
    }

    fn id(id: u32) -> [u8; 4] {
        id.to_be_bytes()
    }

    fn session() -> (Vec<u8>, Vec<u8>) {
        let offset = 7_u64.to_be_bytes();
        let client = [
            packet(INIT, &[&id(3)]),
            packet(OPEN, &[&id(1), &text(b"/etc/passwd"), &id(1), &id(0)]),
            packet(OPEN, &[&id(1), &text(b"caf\xe9"), &id(26), &id(0)]),
            packet(11, &[&id(4), &text(b"/home")]),
            packet(READ, &[&id(5), &text(b"A"), &offset, &id(4096)]),
            packet(WRITE, &[&id(6), &text(b"B"), &offset, &text(&[1; 3000])]),
            packet(WRITE, &[&id(7), &text(b"B"), &offset, &text(&[2; 5])]),
            packet(CLOSE, &[&id(8), &text(b"A")]),
        ];
        let server = [
            packet(VERSION, &[&id(3)]),
            packet(HANDLE, &[&id(1), &text(b"A")]),
            packet(HANDLE, &[&id(1), &text(b"B")]),
            packet(HANDLE, &[&id(4), &text(b"C")]),
            packet(DATA, &[&id(5), &text(&[0; 1234])]),
            packet(STATUS, &[&id(6), &id(0), &text(b"Success"), &text(b"")]),
            packet(STATUS, &[&id(7), &id(4), &text(b"Failure"), &text(b"")]),
            packet(STATUS, &[&id(8), &id(0), &text(b"Success"), &text(b"")]),
        ];
        (client.concat(), server.concat())
    }

    proptest! {
        #[test]
        fn files_are_told_with_their_sizes_however_the_stream_is_cut(piece in 1_usize..400) {
            let (client, server) = session();
            let (mut transfer, mut told) = (Transfer::default(), VecDeque::new());
            client.chunks(piece).for_each(|bytes| transfer.by_client(bytes));
            server.chunks(piece).for_each(|bytes| transfer.by_server(bytes, &mut told));
            let file = |name: &[u8], read, written, open| File { name: name.to_vec(), read, written, open };
            let [passwd, odd] = [&b"/etc/passwd"[..], b"caf\xe9"];
            prop_assert_eq!(told, [file(passwd, 0, 0, true), file(odd, 0, 0, true), file(passwd, 1234, 0, false)]);
            let written = file(odd, 0, 3000, false);
            prop_assert_eq!(transfer.finish(), [written]);
        }

        #[test]
        fn whatever_comes_is_taken(client: Vec<u8>, server: Vec<u8>, kind in 0_u8..110, len in 0_u32..40) {
            let mut transfer = Transfer::default();
            for bytes in [&len.to_be_bytes()[..], &[kind], &client] {
                transfer.by_client(bytes);
            }
            for bytes in [&len.to_be_bytes()[..], &[kind], &server] {
                transfer.by_server(bytes, &mut VecDeque::new());
            }
            prop_assert!(transfer.client.head.len() <= HEAD_OF_OPEN);
        }
    }

    #[test]
    fn a_name_of_any_length_is_cut_to_its_bound() {
        let mut transfer = Transfer::default();
        transfer.by_client(&packet(OPEN, &[&id(1), &text(&vec![b'a'; 100_000]), &id(1), &id(0)]));
        transfer.by_client(&packet(OPEN, &[&id(2), &text(b"b"), &id(1), &id(0)]));
        let replies = [packet(HANDLE, &[&id(1), &text(b"A")]), packet(HANDLE, &[&id(2), &text(b"B")])];
        transfer.by_server(&replies.concat(), &mut VecDeque::new());
        let lens: Vec<_> = transfer.finish().iter().map(|file| file.name.len()).collect();
        assert_eq!(lens, [MOST_NAME, 1]);
    }
}
