//! Sizes and durations as people write them, on the command line and in configurations. Pure.

use std::str::FromStr;
use std::time::Duration;

/// A number of bytes, as in `512KiB` or `8MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(pub usize);

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const MOST: usize = 1 << 30;
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor: Option<usize> = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => Some(1),
            "k" | "kib" => Some(1 << 10),
            "m" | "mib" => Some(1 << 20),
            "g" | "gib" => Some(1 << 30),
            _ => None,
        };
        let bytes = factor.and_then(|factor| number.parse::<usize>().ok()?.checked_mul(factor));
        match bytes {
            Some(bytes @ 1..=MOST) => Ok(Self(bytes)),
            _ => Err("expected a size up to 1GiB, such as 512KiB or 8MiB".to_owned()),
        }
    }
}

/// A duration such as `10s` or `1m 30s`, longer than nothing.
///
/// # Errors
/// What was expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "expected a duration, such as 500ms, 10s or 2m".to_owned())
}
