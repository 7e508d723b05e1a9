//! Frames: what the terminal side tells the recording side, in order.

/// Bytes of a frame's header.
pub const HEADER: usize = 32;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameCode {
    /// Nothing: the rest of a segment that the next frame didn't fit in.
    Pad,
    /// Bytes that the session wrote.
    Output,
    /// Bytes that the user typed, masked where the terminal didn't echo.
    Input,
    /// A new window size: columns and rows, two little-endian u16.
    Resize,
    /// Bytes that a session without a terminal wrote to standard error.
    ErrorOutput,
    /// A file that sftp opened or closed: 1 if it was opened, bytes read and written, two little-endian u64, and its name.
    Sftp,
    /// The text of a marker.
    Marker,
}

impl FrameCode {
    const ALL: [Self; 7] =
        [Self::Pad, Self::Output, Self::Input, Self::Resize, Self::ErrorOutput, Self::Sftp, Self::Marker];

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// A frame's header. Its payload follows it in the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// What the payload is.
    pub code: FrameCode,
    /// Bytes of the payload.
    pub len: usize,
    /// Microseconds since the session began.
    pub time: u64,
    /// Bytes of output before this frame, in the whole session: a jump between two frames is a loss.
    pub stream: u64,
    /// Bytes of input before this frame, likewise.
    pub typed: u64,
}

impl Frame {
    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let len = u32::try_from(self.len).unwrap_or(u32::MAX);
        bytes[0..4].copy_from_slice(&len.to_le_bytes());
        bytes[4] = self.code as u8;
        bytes[8..16].copy_from_slice(&self.time.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.stream.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.typed.to_le_bytes());
        bytes
    }

    /// `None` for bytes that no producer writes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER] = bytes.get(..HEADER)?.try_into().ok()?;
        let [l0, l1, l2, l3, code, _, _, _, rest @ ..] = *bytes;
        let (time, rest) = rest.split_at(8);
        let (stream, typed) = rest.split_at(8);
        Some(Self {
            code: FrameCode::from_byte(code)?,
            len: u32::from_le_bytes([l0, l1, l2, l3]) as usize,
            time: u64::from_le_bytes(time.try_into().ok()?),
            stream: u64::from_le_bytes(stream.try_into().ok()?),
            typed: u64::from_le_bytes(typed.try_into().ok()?),
        })
    }

    /// Bytes from this frame's header to the next one's.
    #[must_use]
    pub fn span(self) -> usize {
        HEADER + self.len.next_multiple_of(8)
    }
}
