//! Encoded lines on their way to the file.

/// The end of a unit: lines that belong together and only count when all of them are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unit {
    /// Where the unit's last line ends in the batch's bytes.
    pub end: usize,
    /// Bytes of the session's output up to here.
    pub stream: u64,
    /// How many of those are in the recording.
    pub recorded: u64,
    /// The time of the last event up to here, microseconds.
    pub time: u64,
}

/// Encoded lines, cut into units.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The lines.
    pub bytes: Vec<u8>,
    /// The units, in order.
    pub units: Vec<Unit>,
}

impl Batch {
    /// A batch that holds `bytes` of encoded lines in `units` units without asking for more memory.
    #[must_use]
    pub fn with_capacity(bytes: usize, units: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), units: Vec::with_capacity(units) }
    }

    /// Ends a unit at the end of the bytes so far. Without a line since the one before there is none.
    pub fn end_unit(&mut self, stream: u64, recorded: u64, time: u64) {
        if self.bytes.len() == self.units.last().map_or(0, |unit| unit.end) {
            return;
        }
        self.units.push(Unit { end: self.bytes.len(), stream, recorded, time });
    }

    /// The last unit that `written` bytes hold completely.
    #[must_use]
    pub fn complete(&self, written: usize) -> Option<Unit> {
        self.units.iter().rev().find(|unit| unit.end <= written).copied()
    }

    /// The lines of the first unit.
    pub fn first(&mut self) -> &mut [u8] {
        let end = self.units.first().map_or(0, |unit| unit.end);
        &mut self.bytes[..end]
    }

    /// Drops the first `written` bytes, which end a unit.
    pub fn cut(&mut self, written: usize) {
        self.bytes.drain(..written);
        self.units.retain_mut(|unit| {
            let keep = unit.end > written;
            unit.end = unit.end.saturating_sub(written);
            keep
        });
    }

    /// Forgets all of it, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.units.clear();
    }
}
