//! The recording side's end of the ring.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Frame, HEADER, SEGMENT, Shared, Wake, offset, sequence, within};

/// A run of frames that the consumer has taken: copied out, of one segment.
#[derive(Debug)]
pub struct Claim<'a> {
    /// Position of the first byte.
    pub start: u64,
    /// Position after the last byte.
    pub end: u64,
    bytes: &'a [u8],
}

impl Claim<'_> {
    /// The frames with their payloads and the positions where those begin.
    pub fn frames(&self) -> impl Iterator<Item = (Frame, u64, &[u8])> {
        let mut at = 0;
        std::iter::from_fn(move || {
            // What is left at a segment's end may be too short for a header.
            let frame = Frame::from_bytes(self.bytes.get(at..)?)?;
            let payload = self.bytes.get(at + HEADER..at + HEADER + frame.len)?;
            let position = self.start + (at + HEADER) as u64;
            at += frame.span();
            Some((frame, position, payload))
        })
    }
}

/// Claims frames, and says what was accepted and what is no longer needed.
#[derive(Debug)]
pub struct Consumer {
    shared: Arc<Shared>,
    own: Arc<Wake>,
    other: Arc<Wake>,
    /// The bytes of a claim. There is room for a segment from the start, as there may be no memory later on.
    buffer: Vec<u8>,
}

impl Consumer {
    pub(super) fn new(shared: Arc<Shared>, own: Arc<Wake>, other: Arc<Wake>) -> Self {
        Self { shared, own, other, buffer: Vec::with_capacity(SEGMENT) }
    }

    /// What to poll for the producer's wake-ups.
    #[must_use]
    pub fn wake(&self) -> &Wake {
        &self.own
    }

    /// The descriptors that this end needs, its peer's wake-up included.
    #[must_use]
    pub fn wakes(&self) -> [&Wake; 2] {
        [&self.own, &self.other]
    }

    /// Says that the caller is about to sleep; it must look at [`Consumer::is_empty`] after this.
    pub fn announce_sleep(&self) {
        self.own.announce(&self.shared.memory);
    }

    /// Ends what `announce_sleep` began; `readable` is whether poll found the wake-up readable.
    pub fn settle(&self, readable: bool) {
        self.own.settle(&self.shared.memory, readable);
    }

    /// Whether every published frame was claimed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.claimed().load(Ordering::Acquire) >= self.shared.head().load(Ordering::Acquire)
    }

    /// Takes the next frames, at most those of one segment; the producer won't drop them any more.
    pub fn claim(&mut self) -> Option<Claim<'_>> {
        let (start, end, storage) = loop {
            let start = self.shared.claimed().load(Ordering::Acquire);
            let head = self.shared.head().load(Ordering::Acquire);
            if start >= head {
                return None;
            }
            let end = head.min((sequence(start) + 1) * SEGMENT as u64);
            // Read before the exchange: once `start` is claimed its slot may serve a later segment.
            let storage = self.shared.order(sequence(start)).load(Ordering::Acquire);
            let taken = self
                .shared
                .claimed()
                .compare_exchange(start, end, Ordering::AcqRel, Ordering::Acquire)
                .is_ok();
            if taken {
                break (start, end, storage);
            }
        };
        debug_assert!(within(start) as u64 + (end - start) <= SEGMENT as u64, "a claim of one segment");
        let len = usize::try_from(end - start).unwrap_or(0);
        if self.buffer.len() < len {
            // Not before it is wanted: each page takes time and memory when it is written first.
            self.buffer.resize(len, 0);
        }
        let bytes = &mut self.buffer[..len];
        self.shared.memory.copy_out(offset(storage, start), bytes);
        Some(Claim { start, end, bytes })
    }

    /// Says that the bytes before `position` are no longer needed in the ring.
    pub fn release(&self, position: u64) {
        self.shared.released().store(position, Ordering::Release);
        self.other.wake(&self.shared.memory);
    }

    /// Says that the recording holds all before `position`: of `stream` bytes of output it has `recorded`.
    pub fn accept(&self, position: u64, stream: u64, recorded: u64) {
        let [accepted_stream, all_recorded] = self.shared.accepted_stream();
        accepted_stream.store(stream, Ordering::Relaxed);
        all_recorded.store(recorded, Ordering::Relaxed);
        self.shared.accepted().store(position, Ordering::Release);
        self.other.wake(&self.shared.memory);
    }

    /// Bytes of output that the terminal side has published.
    #[must_use]
    pub fn stream(&self) -> u64 {
        self.shared.stream().load(Ordering::Acquire)
    }

    /// Bytes that went through standard input, output and error of a session without a terminal.
    #[must_use]
    pub fn through(&self) -> [u64; 3] {
        [0, 1, 2].map(|stream| self.shared.through(stream).load(Ordering::Acquire))
    }

    /// The window size that the terminal side noted last, columns and rows.
    #[must_use]
    pub fn window_size(&self) -> (u16, u16) {
        let [c1, c0, r1, r0] = self.shared.window_size().load(Ordering::Acquire).to_be_bytes();
        (u16::from_be_bytes([c1, c0]), u16::from_be_bytes([r1, r0]))
    }
}
