//! From the ring's frames to encoded lines: characters cut by a read, losses, order of time. Pure.

use super::utf8::incomplete_tail;
use super::{
    Batch, Cause, Encoder, Ending, Fault, Format, Gap, Header, Record, SftpFile, StreamBytes, seconds,
};
use crate::ring::{Frame, FrameCode, HEADER, MAX_PAYLOAD, SEGMENT};

/// How much is worth a write, bytes.
pub const WRITE: usize = 64 * 1024;

/// What is encoded at most before it is written: nearly that, and the frames of one more claim, each of their bytes being
/// escaped. It is set aside, and touched only where it is needed, as there may be no memory in the session.
const MOST_BYTES: usize = WRITE + 6 * SEGMENT + SEGMENT / HEADER * LINE;
/// How many units that are at most.
const MOST_UNITS: usize = WRITE / LEAST_LINE + SEGMENT / HEADER;
/// What a line has besides its data, at most, and what a line has at least.
const LINE: usize = 64;
const LEAST_LINE: usize = "[0.000000, \"o\", \"\"]\n".len();

/// A character whose end has not come yet.
#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    position: u64,
    time: u64,
}

/// The lines of one session: frames go in, `batch` is what to write next.
#[derive(Debug)]
pub struct Transcript {
    /// Lines that are not written yet.
    pub batch: Batch,
    encoder: Encoder,
    holds: bool,
    held: Held,
    scratch: Vec<u8>,
    /// Bytes of output that were seen or lost.
    stream: u64,
    lost: u64,
    /// Bytes of input that were seen or lost, and those that the next gap tells as lost.
    typed: u64,
    lost_input: u64,
    /// Frames were dropped before the next one.
    dropped: bool,
    /// A failure that the next frame, or the end, tells as a gap.
    gap: Option<OpenGap>,
    told: Option<Gap>,
    /// How many gaps were told, and what is lost in them.
    gaps: u64,
    lost_in_gaps: u64,
}

/// A failure that is over but not told yet.
#[derive(Debug, Clone, Copy)]
pub struct OpenGap {
    /// What failed.
    pub fault: Fault,
    /// Bytes of output that came meanwhile.
    pub bytes: u64,
    /// Bytes that were written before but may not be on the disk.
    pub doubtful: u64,
    /// How long it lasted, microseconds.
    pub micros: u64,
}

impl Transcript {
    /// A transcript in this format. With `holds` a character that a read has cut waits for its rest, as a
    /// terminal's do; bytes of a stream need not be characters at all.
    #[must_use]
    pub fn new(format: Format, holds: bool) -> Self {
        Self {
            holds,
            batch: Batch::with_capacity(MOST_BYTES, MOST_UNITS),
            encoder: Encoder::new(format, 0),
            held: Held::default(),
            scratch: Vec::with_capacity(2 * MAX_PAYLOAD),
            stream: 0,
            lost: 0,
            typed: 0,
            lost_input: 0,
            dropped: false,
            gap: None,
            told: None,
            gaps: 0,
            lost_in_gaps: 0,
        }
    }

    /// Goes on in a session of whose `stream` bytes of output so far `recorded` are in other files.
    pub fn resume(&mut self, stream: u64, recorded: u64, typed: u64) {
        (self.stream, self.lost, self.typed) = (stream, stream.saturating_sub(recorded), typed);
    }

    /// The encoder, for the header and the closing lines.
    pub fn encoder(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    /// The ring position of the first byte that waits for the rest of its character.
    #[must_use]
    pub fn held_position(&self) -> Option<u64> {
        (!self.held.bytes.is_empty()).then_some(self.held.position)
    }

    /// Says that frames were dropped before the next one.
    pub fn frames_were_dropped(&mut self) {
        self.dropped = true;
    }

    /// Says that the recording failed and goes on: what comes next is told as after a gap.
    pub fn open_gap(&mut self, gap: OpenGap) {
        self.gap = Some(gap);
    }

    /// The header, as a unit of its own.
    pub fn header(&mut self, header: &Header) {
        self.encoder.header(header, &mut self.batch.bytes);
        self.end_unit();
    }

    /// A marker where a person should see something, at the time of the last event.
    pub fn marker(&mut self, text: &str) {
        let time = self.encoder.last_time();
        self.encoder.event(time, 'm', text, &mut self.batch.bytes);
        self.end_unit();
    }

    /// Encodes a frame whose payload is at `position` in the ring; `size` is the window's.
    pub fn frame(&mut self, frame: Frame, position: u64, payload: &[u8], size: (u16, u16)) {
        if frame.code == FrameCode::Pad {
            return;
        }
        let missed = frame.stream.saturating_sub(self.stream);
        let untyped = frame.typed.saturating_sub(self.typed);
        let dropped = std::mem::take(&mut self.dropped) || missed > 0 || untyped > 0;
        if dropped {
            self.release_held();
            self.stream = frame.stream;
            self.typed = frame.typed;
            self.lost += missed;
        }
        if dropped || self.gap.is_some() {
            self.lost_input += untyped;
            self.tell_gap(missed);
        }
        if dropped {
            self.encoder.resize(frame.time, size.0, size.1, &mut self.batch.bytes);
            self.end_unit();
        }
        match frame.code {
            FrameCode::Pad => {}
            FrameCode::Output => self.output(frame.time, position, payload),
            FrameCode::ErrorOutput => {
                self.release_held();
                self.stream += payload.len() as u64;
                self.encoder.bytes(frame.time, 'e', payload, &mut self.batch.bytes);
                self.end_unit();
            }
            FrameCode::Input => {
                self.typed += payload.len() as u64;
                self.encoder.bytes(frame.time, 'i', payload, &mut self.batch.bytes);
                self.end_unit();
            }
            FrameCode::Sftp => {
                if let Some(file) = SftpFile::of_payload(payload) {
                    self.encoder.record(&Record::Sftp(file), &mut self.batch.bytes);
                    self.end_unit();
                }
            }
            FrameCode::Marker => {
                self.release_held();
                let text = String::from_utf8_lossy(payload);
                self.encoder.event(frame.time, 'm', &text, &mut self.batch.bytes);
                self.end_unit();
            }
            FrameCode::Resize => {
                if let &[c0, c1, r0, r1] = payload {
                    let (cols, rows) = (u16::from_le_bytes([c0, c1]), u16::from_le_bytes([r0, r1]));
                    self.encoder.resize(frame.time, cols, rows, &mut self.batch.bytes);
                    self.end_unit();
                }
            }
        }
    }

    /// Encodes what waits for the rest of a character as what it is: no UTF-8.
    pub fn release_held(&mut self) {
        if !self.held.bytes.is_empty() {
            let mut bytes = std::mem::take(&mut self.held.bytes);
            self.encoder.bytes(self.held.time, 'o', &bytes, &mut self.batch.bytes);
            self.end_unit();
            // Its memory is used again.
            bytes.clear();
            self.held.bytes = bytes;
        }
    }

    /// Writes the gap record of an open gap, `missed` bytes being lost; also of a loss without a failure.
    pub fn tell_gap(&mut self, missed: u64) {
        let lost_input = std::mem::take(&mut self.lost_input);
        let gap = self.gap.take().map_or(
            Gap { bytes: missed, seconds: 0.0, lost: missed, lost_input, error: Cause::BufferFull.code() },
            |gap| Gap {
                bytes: gap.bytes.max(missed) + gap.doubtful,
                seconds: seconds(gap.micros),
                lost: missed + gap.doubtful,
                lost_input,
                error: gap.fault.code(),
            },
        );
        self.encoder.record(&Record::Gap(gap.clone()), &mut self.batch.bytes);
        self.gaps += 1;
        self.lost_in_gaps += gap.lost;
        self.told = Some(gap);
        self.end_unit();
    }

    /// The last lines of a recording, as one piece: a marker if there is something to say, what went
    /// through the streams where there is no terminal, the exit status, the end record, and a check with room for
    /// its value.
    pub fn closing(
        &mut self,
        time: u64,
        marker: Option<&str>,
        streams: Option<StreamBytes>,
        ending: Ending,
        bytes: u64,
    ) {
        let out = &mut self.batch.bytes;
        if let Some(text) = marker {
            self.encoder.event(time, 'm', text, out);
        }
        if let Some(streams) = streams {
            self.encoder.record(&Record::Streams(streams), out);
        }
        self.encoder.event(time, 'x', &ending.status.to_string(), out);
        let end = Record::End {
            reason: ending.reason,
            status: Some(ending.status),
            bytes,
            seconds: seconds(self.encoder.last_time()),
            gaps: self.gaps,
            lost: self.lost_in_gaps,
        };
        self.encoder.record(&end, out);
        self.encoder.record(&Record::EMPTY_CHECK, out);
        self.end_unit();
    }

    /// A check with room for its value, if it would be the first of the lines that are not written: it is over what the
    /// file holds.
    pub fn check(&mut self) {
        if self.batch.bytes.is_empty() {
            self.encoder.record(&Record::EMPTY_CHECK, &mut self.batch.bytes);
            self.end_unit();
        }
    }

    /// The last gap that was told, once.
    pub fn take_told(&mut self) -> Option<Gap> {
        self.told.take()
    }

    /// Forgets the lines that were not written and goes back to where the last written one was.
    pub fn abandon(&mut self, time: u64) {
        self.batch.clear();
        // A gap that nobody has taken as written is among those lines.
        if let Some(gap) = self.told.take() {
            self.gaps -= 1;
            self.lost_in_gaps -= gap.lost;
        }
        self.held.bytes.clear();
        self.encoder.rewind(time);
    }

    fn output(&mut self, time: u64, position: u64, payload: &[u8]) {
        self.stream += payload.len() as u64;
        if self.held.bytes.is_empty() {
            let tail = if self.holds { incomplete_tail(payload) } else { 0 };
            let (whole, rest) = payload.split_at(payload.len() - tail);
            if !whole.is_empty() {
                self.encoder.bytes(time, 'o', whole, &mut self.batch.bytes);
            }
            if tail > 0 {
                self.held.bytes.extend_from_slice(rest);
                (self.held.position, self.held.time) = (position + whole.len() as u64, time);
            }
        } else {
            let before = self.held.bytes.len();
            self.scratch.clear();
            self.scratch.extend_from_slice(&self.held.bytes);
            self.scratch.extend_from_slice(payload);
            let tail = incomplete_tail(&self.scratch);
            let whole = self.scratch.len() - tail;
            if whole > 0 {
                self.encoder.bytes(time, 'o', &self.scratch[..whole], &mut self.batch.bytes);
                self.held.position = position + (whole.saturating_sub(before)) as u64;
                self.held.time = time;
            }
            self.held.bytes.clear();
            self.held.bytes.extend_from_slice(&self.scratch[whole..]);
        }
        self.end_unit();
    }

    fn end_unit(&mut self) {
        let stream = self.stream - self.held.bytes.len() as u64;
        self.batch.end_unit(stream, stream - self.lost, self.encoder.last_time());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::chain;

    #[test]
    fn a_check_is_the_first_unit_also_while_half_a_character_waits() {
        for format in [Format::AsciicastV3, Format::AsciicastV2] {
            let mut transcript = Transcript::new(format, true);
            let frame = |stream| Frame { code: FrameCode::Output, len: 1, time: 0, stream, typed: 0 };
            transcript.frame(frame(0), 0, b"\xe2", (80, 24));
            assert_eq!(transcript.batch, Batch::default(), "nothing to write, and no unit of it");
            transcript.check();
            assert!(chain::value_in(transcript.batch.first()).is_some(), "a check");
            transcript.frame(frame(1), 1, b"\x82", (80, 24));
            transcript.frame(frame(2), 2, b"\xac", (80, 24));
            assert_eq!(transcript.batch.units.len(), 2, "the check, and the character");
            assert!(transcript.batch.bytes.ends_with("\"€\"]\n".as_bytes()));
        }
    }
}
