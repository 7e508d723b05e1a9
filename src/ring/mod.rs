//! The ring between the two processes of a session: shared memory, cursors and wake-ups.
//!
//! One [`Producer`] (the terminal side) appends frames; one [`Consumer`] (the recording side)
//! claims, records and releases them. Neither ever waits for the other in here, and neither can
//! hold a lock when it dies, since there is none:
//!
//! - `head` is the position after the last published frame (written by the producer);
//! - `claimed` is the position up to which frames were taken, by the consumer to record them or by
//!   the producer to drop them when the ring is full; both move it by compare-and-swap;
//! - `released` is the position up to which the consumer needs no bytes any more;
//! - `accepted` is the position up to which the recording holds the bytes.
//!
//! Positions are bytes since the start and never wrap. Storage is cut into segments that are
//! reused last-freed first, so that the memory touched is what was ever in flight, not the
//! capacity. A frame never crosses a segment's end.

mod consumer;
mod frame;
mod producer;
mod wake;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::{io, mem};

pub use consumer::{Claim, Consumer};
pub use frame::{Frame, FrameCode, HEADER};
pub use producer::{MAX_PAYLOAD, Producer};
pub use wake::Wake;

use crate::sys::SharedMemory;

/// Bytes that a ring holds, where nothing else is said.
pub const CAPACITY: usize = 8 * 1024 * 1024;

/// Bytes of one segment.
pub const SEGMENT: usize = 32 * 1024;

const HEAD: usize = 0;
const CLAIMED: usize = 64;
const RELEASED: usize = 128;
const ACCEPTED: usize = 192;
const ACCEPTED_STREAM: usize = 200;
const RECORDED: usize = 208;
const WINDOW_SIZE: usize = 256;
const STREAM: usize = 264;
const PRODUCER_SLEEPS: usize = 320;
const CONSUMER_SLEEPS: usize = 384;
const STREAMS: usize = 448;
const ORDER: usize = 512;

/// The shared part, mapped in both processes.
#[derive(Debug)]
struct Shared {
    memory: Arc<SharedMemory>,
    segments: usize,
}

impl Shared {
    fn head(&self) -> &AtomicU64 {
        self.memory.u64_at(HEAD)
    }

    fn claimed(&self) -> &AtomicU64 {
        self.memory.u64_at(CLAIMED)
    }

    fn released(&self) -> &AtomicU64 {
        self.memory.u64_at(RELEASED)
    }

    fn accepted(&self) -> &AtomicU64 {
        self.memory.u64_at(ACCEPTED)
    }

    /// Bytes of output before `accepted`, and how many of them the recording holds.
    fn accepted_stream(&self) -> [&AtomicU64; 2] {
        [self.memory.u64_at(ACCEPTED_STREAM), self.memory.u64_at(RECORDED)]
    }

    /// Bytes of output that were published.
    fn stream(&self) -> &AtomicU64 {
        self.memory.u64_at(STREAM)
    }

    /// Bytes that went through standard input, output or error of a session without a terminal.
    fn through(&self, stream: usize) -> &AtomicU64 {
        debug_assert!(stream < 3, "a standard stream");
        self.memory.u64_at(STREAMS + stream * mem::size_of::<u64>())
    }

    /// Columns in the upper half, rows in the lower: what a recording is resized to after a loss.
    fn window_size(&self) -> &AtomicU32 {
        self.memory.u32_at(WINDOW_SIZE)
    }

    /// Which storage segment holds the positions of sequence number `sequence`.
    fn order(&self, sequence: u64) -> &AtomicU32 {
        let slot = usize::try_from(sequence % self.segments as u64).unwrap_or(0);
        self.memory.u32_at(ORDER + slot * mem::size_of::<u32>())
    }
}

/// Where among the memory's bytes the byte at `position` is, `storage` being its segment.
fn offset(storage: u32, position: u64) -> usize {
    storage as usize * SEGMENT + within(position)
}

/// The sequence number of the segment that `position` is in.
fn sequence(position: u64) -> u64 {
    position / SEGMENT as u64
}

/// The offset of `position` in its segment.
fn within(position: u64) -> usize {
    usize::try_from(position % SEGMENT as u64).unwrap_or(0)
}

/// Makes a ring that holds `capacity` bytes (rounded up to whole segments, at least four) and its two ends.
///
/// # Errors
/// What making shared memory and eventfds gives.
pub fn ring(capacity: usize) -> io::Result<(Producer, Consumer)> {
    let segments = capacity.div_ceil(SEGMENT).max(4);
    let cells = (ORDER + segments * mem::size_of::<u32>()).next_multiple_of(4096);
    let (memory, bytes) = SharedMemory::new(cells, segments * SEGMENT)?;
    let shared = Arc::new(Shared { memory, segments });
    let to_producer = Arc::new(Wake::new(PRODUCER_SLEEPS)?);
    let to_consumer = Arc::new(Wake::new(CONSUMER_SLEEPS)?);
    Ok((
        Producer::new(Arc::clone(&shared), bytes, Arc::clone(&to_producer), Arc::clone(&to_consumer)),
        Consumer::new(shared, to_consumer, to_producer),
    ))
}

#[cfg(test)]
mod tests;
