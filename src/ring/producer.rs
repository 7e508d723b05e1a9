//! The terminal side's end of the ring.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Frame, FrameCode, HEADER, SEGMENT, Shared, Wake, offset, sequence, within};
use crate::sys::SharedBytes;

/// The longest payload of one frame, bytes.
pub const MAX_PAYLOAD: usize = 8 * 1024;

/// What there must be room for, where output is read: more than a terminal gives at once.
const LEAST_READ: usize = 4 * 1024;

/// A segment that holds frames.
#[derive(Debug)]
struct InFlight {
    sequence: u64,
    storage: u32,
    dropped: bool,
}

/// Appends frames, reads its own output back for the terminal, and drops the oldest when told to.
#[derive(Debug)]
pub struct Producer {
    shared: Arc<Shared>,
    bytes: SharedBytes,
    own: Arc<Wake>,
    other: Arc<Wake>,
    head: u64,
    stream: u64,
    typed: u64,
    in_flight: VecDeque<InFlight>,
    free: Vec<u32>,
    /// Position up to which the consumer was told that there are frames.
    told: u64,
    /// Position of the frame being shown, how much of its payload was, its length and its span.
    shown: u64,
    shown_payload: usize,
    shown_len: usize,
    shown_span: u64,
}

impl Producer {
    pub(super) fn new(shared: Arc<Shared>, bytes: SharedBytes, own: Arc<Wake>, other: Arc<Wake>) -> Self {
        let free = (0..u32::try_from(shared.segments).unwrap_or(u32::MAX)).rev().collect();
        Self {
            shared,
            bytes,
            own,
            other,
            head: 0,
            stream: 0,
            typed: 0,
            in_flight: VecDeque::new(),
            free,
            told: 0,
            shown: 0,
            shown_payload: 0,
            shown_len: 0,
            shown_span: 0,
        }
    }

    /// What to poll for the consumer's wake-ups.
    #[must_use]
    pub fn wake(&self) -> &Wake {
        &self.own
    }

    /// Says that the caller is about to sleep; it must check its condition once more after this.
    pub fn announce_sleep(&self) {
        self.own.announce(&self.shared.memory);
    }

    /// Ends what `announce_sleep` began; `readable` is whether poll found the wake-up readable.
    pub fn settle(&self, readable: bool) {
        self.own.settle(&self.shared.memory, readable);
    }

    /// Position after the last published frame.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Position up to which the recording holds the bytes.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.accepted().load(Ordering::Acquire)
    }

    /// Position up to which the consumer is done.
    #[must_use]
    pub fn released(&self) -> u64 {
        self.shared.released().load(Ordering::Acquire)
    }

    /// Bytes of output that the recording side has dealt with, and how many of them the recording holds.
    #[must_use]
    pub fn accepted_stream(&self) -> (u64, u64) {
        let [stream, recorded] = self.shared.accepted_stream();
        (stream.load(Ordering::Acquire), recorded.load(Ordering::Acquire))
    }

    /// Bytes of input that were appended so far.
    #[must_use]
    pub fn typed(&self) -> u64 {
        self.typed
    }

    /// Takes the counts over from a ring whose place this one takes.
    pub fn go_on_after(&mut self, old: &Self) {
        (self.stream, self.typed) = (old.stream, old.typed);
        self.shared.stream().store(self.stream, Ordering::Release);
        let size = old.shared.window_size().load(Ordering::Acquire);
        self.shared.window_size().store(size, Ordering::Release);
        let (stream, recorded) = old.accepted_stream();
        let [accepted_stream, all_recorded] = self.shared.accepted_stream();
        accepted_stream.store(stream, Ordering::Release);
        all_recorded.store(recorded, Ordering::Release);
        for through in 0..3 {
            let bytes = old.shared.through(through).load(Ordering::Acquire);
            self.shared.through(through).store(bytes, Ordering::Release);
        }
    }

    /// Bytes of output that were appended so far.
    #[must_use]
    pub fn stream(&self) -> u64 {
        self.stream
    }

    /// Bytes between what was shown and the head.
    #[must_use]
    pub fn unshown(&self) -> u64 {
        self.head - self.shown
    }

    /// Notes the window size that a recording is set to after a loss.
    pub fn set_window_size(&self, cols: u16, rows: u16) {
        self.shared.window_size().store(u32::from(cols) << 16 | u32::from(rows), Ordering::Release);
    }

    /// Whether what one turn appends (output, input and a little) fits without dropping anything.
    #[must_use]
    pub fn has_room(&mut self) -> bool {
        if self.left() >= 4 * (HEADER + MAX_PAYLOAD) {
            return true;
        }
        self.reclaim();
        !self.free.is_empty()
    }

    /// Appends a frame and publishes it: a consumer that is awake finds it, one that sleeps is told by
    /// [`Producer::tell`]. `payload` is at most [`MAX_PAYLOAD`] bytes.
    ///
    /// Returns false, and appends nothing, where there is no room.
    ///
    /// # Panics
    /// For a longer payload.
    #[must_use]
    pub fn push(&mut self, code: FrameCode, time: u64, payload: &[u8]) -> bool {
        assert!(payload.len() <= MAX_PAYLOAD, "a frame longer than the longest");
        let frame = self.frame(code, time, payload.len());
        let left = self.left();
        if left < frame.span() {
            self.reclaim();
            let Some(storage) = self.free.pop() else { return false };
            self.begin_segment(left, storage);
        }
        self.write(self.head + HEADER as u64, payload);
        self.publish(frame);
        true
    }

    /// Counts the bytes of a frame that found no room, so that the next one tells that they are missing.
    pub fn refuse(&mut self, code: FrameCode, len: usize) {
        match code {
            FrameCode::Output | FrameCode::ErrorOutput => {
                self.stream += len as u64;
                self.shared.stream().store(self.stream, Ordering::Release);
            }
            FrameCode::Input => self.typed += len as u64,
            FrameCode::Pad | FrameCode::Resize | FrameCode::Sftp | FrameCode::Marker => {}
        }
    }

    /// Appends a frame of output with what one read from `fd` gives, and publishes it; `time` is asked for once it
    /// is there. Returns how many bytes, 0 at the end and then without a frame; `None` where there is no room.
    ///
    /// # Errors
    /// Those of read(2); then nothing is appended.
    pub fn push_read(
        &mut self,
        fd: BorrowedFd<'_>,
        time: impl FnOnce() -> u64,
    ) -> nix::Result<Option<usize>> {
        let left = self.left();
        let fresh = if left < HEADER + LEAST_READ {
            self.reclaim();
            let Some(storage) = self.free.pop() else { return Ok(None) };
            Some(storage)
        } else {
            None
        };
        let (frame, room) = match fresh {
            Some(storage) => (offset(storage, 0), SEGMENT),
            None => (offset(self.storage(self.head), self.head), left),
        };
        let read = self.bytes.read_from(fd, frame + HEADER, MAX_PAYLOAD.min(room - HEADER));
        let len = match read {
            Ok(len @ 1..) => len,
            nothing => {
                self.free.extend(fresh);
                return nothing.map(Some);
            }
        };
        if let Some(storage) = fresh {
            self.begin_segment(left, storage);
        }
        self.publish(self.frame(FrameCode::Output, time(), len));
        Ok(Some(len))
    }

    /// Bytes up to the end of the segment that is being filled.
    fn left(&self) -> usize {
        (SEGMENT - within(self.head)) % SEGMENT
    }

    fn frame(&self, code: FrameCode, time: u64, len: usize) -> Frame {
        Frame { code, len, time, stream: self.stream, typed: self.typed }
    }

    /// Goes on in another segment, `left` bytes before the end of this one.
    fn begin_segment(&mut self, left: usize, storage: u32) {
        // Positions and spans are multiples of 8 but a header is 32 bytes: a remainder too
        // small for one is skipped by both sides without a frame.
        if left >= HEADER {
            self.write(self.head, &self.frame(FrameCode::Pad, 0, left - HEADER).to_bytes());
        }
        self.head += left as u64;
        let sequence = sequence(self.head);
        self.shared.order(sequence).store(storage, Ordering::Relaxed);
        self.in_flight.push_back(InFlight { sequence, storage, dropped: false });
    }

    /// Publishes the frame at the head, whose payload is there.
    fn publish(&mut self, frame: Frame) {
        self.write(self.head, &frame.to_bytes());
        self.head += frame.span() as u64;
        if matches!(frame.code, FrameCode::Output | FrameCode::ErrorOutput) {
            self.stream += frame.len as u64;
            self.shared.stream().store(self.stream, Ordering::Relaxed);
        } else if frame.code == FrameCode::Input {
            self.typed += frame.len as u64;
        }
        self.shared.head().store(self.head, Ordering::Release);
    }

    /// Bytes that were published since the consumer was told last.
    #[must_use]
    pub fn untold(&self) -> u64 {
        self.head - self.told
    }

    /// Whether the consumer is not done with all that it was told of. What it was not told of it may leave.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        self.released() < self.told
    }

    /// Wakes the consumer, if it sleeps and there are frames that it was not told of and has not taken by itself. Whoever
    /// appends must do this before a sleep that is to last.
    pub fn tell(&mut self) {
        if self.told < self.head {
            self.told = self.head;
            if self.shared.claimed().load(Ordering::Acquire) < self.head {
                self.other.wake(&self.shared.memory);
            }
        }
    }

    /// Wakes the consumer, if it sleeps, as frames are likely to come at once.
    pub fn foretell(&self) {
        self.other.wake(&self.shared.memory);
    }

    /// Drops the oldest frames that the consumer has not claimed, until one more frame fits.
    /// Returns false where nothing can be dropped. What was lost the consumer sees in the next
    /// frame's `stream`.
    pub fn drop_oldest(&mut self) -> bool {
        loop {
            self.reclaim();
            if !self.free.is_empty() {
                return true;
            }
            let claimed = self.shared.claimed().load(Ordering::Acquire);
            let end = (sequence(claimed) + 1) * SEGMENT as u64;
            // Never the segment that is being filled, never what the terminal still has to show.
            if end > self.shown || end > sequence(self.head.saturating_sub(1)) * SEGMENT as u64 {
                return false;
            }
            if self
                .shared
                .claimed()
                .compare_exchange(claimed, end, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
                && within(claimed) == 0
            {
                let sequence = sequence(claimed);
                if let Some(segment) = self.in_flight.iter_mut().find(|segment| segment.sequence == sequence)
                {
                    segment.dropped = true;
                }
            }
        }
    }

    /// The next output that may be shown, up to position `limit`, of one frame; none when there is none. The same bytes
    /// come again until [`Producer::advance_shown`] says how many went out.
    pub fn unshown_output(&mut self, limit: u64) -> &[u8] {
        let limit = limit.min(self.head);
        while self.shown < limit {
            let left = SEGMENT - within(self.shown);
            let header = if left >= HEADER { self.bytes_at(self.shown, HEADER) } else { &[] };
            let Some(frame) = Frame::from_bytes(header) else {
                self.shown += left as u64;
                continue;
            };
            self.shown_len = frame.len;
            self.shown_span = frame.span() as u64;
            if frame.code != FrameCode::Output {
                self.shown += self.shown_span;
                continue;
            }
            let payload = self.shown + HEADER as u64;
            let may = usize::try_from(limit.saturating_sub(payload)).unwrap_or(usize::MAX).min(frame.len);
            return self
                .bytes_at(payload + self.shown_payload as u64, may.saturating_sub(self.shown_payload));
        }
        &[]
    }

    /// Whether there is output that may be shown up to position `limit`.
    pub fn has_unshown(&mut self, limit: u64) -> bool {
        !self.unshown_output(limit).is_empty()
    }

    /// Says that `n` bytes of what [`Producer::unshown_output`] gave went out.
    pub fn advance_shown(&mut self, n: usize) {
        self.shown_payload += n;
        if self.shown_payload == self.shown_len {
            self.shown += self.shown_span;
            self.shown_payload = 0;
        }
    }

    /// Says that all that was appended is shown, or shown by other means than this ring.
    pub fn all_shown(&mut self) {
        (self.shown, self.shown_payload) = (self.head, 0);
    }

    /// Counts bytes that went through a standard stream of the command.
    pub fn count_through(&self, stream: usize, bytes: u64) {
        self.shared.through(stream).fetch_add(bytes, Ordering::Relaxed);
    }

    fn reclaim(&mut self) {
        let released = self.shared.released().load(Ordering::Acquire);
        let shown = self.shown;
        let current = sequence(self.head.saturating_sub(1));
        let free = &mut self.free;
        self.in_flight.retain(|segment| {
            let end = (segment.sequence + 1) * SEGMENT as u64;
            let done = (segment.dropped || end <= released) && end <= shown && segment.sequence < current;
            if done {
                free.push(segment.storage);
            }
            !done
        });
    }

    fn storage(&self, position: u64) -> u32 {
        let sequence = sequence(position);
        // The newest are at the back, and it is nearly always those that are asked for.
        self.in_flight
            .iter()
            .rev()
            .find(|segment| segment.sequence == sequence)
            .map_or(0, |segment| segment.storage)
    }

    fn write(&mut self, position: u64, bytes: &[u8]) {
        self.bytes.copy_in(offset(self.storage(position), position), bytes);
    }

    fn bytes_at(&self, position: u64, len: usize) -> &[u8] {
        self.bytes.get(offset(self.storage(position), position), len)
    }
}
