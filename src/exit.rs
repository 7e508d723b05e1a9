//! Every exit code of the program, in one place.

/// Fine.
pub const OK: u8 = 0;
/// The answer is "no": a finding, a requirement not met, a failed verification.
pub const NO: u8 = 1;
/// The question could not be answered: bad usage, unreadable or invalid input.
pub const TROUBLE: u8 = 2;
/// `record`: the session was ended by strict mode.
pub const ENDED_BY_STRICT: u8 = 124;
/// `record`: recmode itself could not do its work.
pub const RECORD_TROUBLE: u8 = 125;
/// `record`: the command was found but could not be executed.
pub const CANNOT_EXECUTE: u8 = 126;
/// `record`: the command was not found.
pub const NOT_FOUND: u8 = 127;
/// `record`: added to the number of the signal that ended the command or recmode.
pub const SIGNAL_BASE: u8 = 128;

/// 128+N for signal N.
#[must_use]
pub fn signal_status(signal: i32) -> u8 {
    u8::try_from(signal & 0x7f).map_or(SIGNAL_BASE, |signal| SIGNAL_BASE + signal)
}
