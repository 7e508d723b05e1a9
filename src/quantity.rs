//! Sizes and durations as people write them, on the command line and in configurations. Pure.

use std::str::FromStr;
use std::time::Duration;

use jiff::Span;

/// A number of bytes, as in `512KiB` or `8MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(pub usize);

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const MOST: usize = 1 << 30;
        match size(text).and_then(|bytes| usize::try_from(bytes).ok()) {
            Some(bytes @ 1..=MOST) => Ok(Self(bytes)),
            _ => Err("expected a size up to 1GiB, such as 512KiB or 8MiB".to_owned()),
        }
    }
}

/// Bytes, as in `512KiB`, `8M` or `2GiB`: powers of 1024, with or without `iB`.
#[must_use]
pub fn size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A part of a disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// So many bytes.
    Bytes(u64),
    /// So many of a hundred parts.
    Percent(f64),
}

impl Share {
    /// The bytes that it is of a disk of so many.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a disk needs no last byte"
    )]
    pub fn of(self, all: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => (all as f64 / 100.0 * percent) as u64,
        }
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let percent = text.strip_suffix('%').map(|number| {
            number.parse().ok().filter(|percent| (0.0..=100.0).contains(percent)).map(Self::Percent)
        });
        percent
            .unwrap_or_else(|| size(text).map(Self::Bytes))
            .ok_or_else(|| "expected a size or a part of the disk, such as 10GiB or 5%".to_owned())
    }
}

/// A time back from now, such as `90d`, `2 weeks` or `3 months`, longer than nothing.
///
/// # Errors
/// What was expected.
pub fn age(text: &str) -> Result<Span, String> {
    let span = text.parse::<Span>().ok().filter(|span| span.is_positive());
    span.ok_or_else(|| "expected an age, such as 90d, 12h or 3 months".to_owned())
}

/// A time back from now, as [`age`] takes it, or `0`.
///
/// # Errors
/// What was expected.
pub fn age_or_none(text: &str) -> Result<Span, String> {
    if text == "0" { Ok(Span::new()) } else { age(text) }
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

/// A duration, or a bare number of seconds as asciinema takes it, longer than nothing.
///
/// # Errors
/// What was expected.
pub fn pause(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match seconds.filter(|duration| !duration.is_zero()) {
        Some(duration) => Ok(duration),
        None => duration(text).map_err(|expected| format!("{expected}, or seconds, such as 1.5")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_shares_and_ages_are_read_as_people_write_them() {
        assert_eq!(
            (size("10G"), size("512kib"), size("7"), size("1TiB")),
            (Some(10 << 30), Some(512 << 10), Some(7), Some(1 << 40))
        );
        assert!(["", "G", "1X", "-1", "1.5G", "99999999999T"].into_iter().all(|text| size(text).is_none()));
        assert_eq!("5%".parse::<Share>().map(|share| share.of(2000)), Ok(100));
        assert_eq!("1KiB".parse::<Share>().map(|share| share.of(5)), Ok(1024));
        assert!(["101%", "-1%", "%", "x"].into_iter().all(|text| text.parse::<Share>().is_err()));
        assert!(["90d", "2 weeks", "3 months", "1h 30m"].into_iter().all(|text| age(text).is_ok()));
        let seconds = |text| pause(text).map(|duration| duration.as_millis());
        assert_eq!((seconds("1.5"), seconds("2"), seconds("300ms")), (Ok(1500), Ok(2000), Ok(300)));
        assert!(["0", "-1", "nan", "inf", "1e99", ""].into_iter().all(|text| pause(text).is_err()));
        assert!(["", "0d", "-1d", "2 days ago", "soon"].into_iter().all(|text| age(text).is_err()));
    }
}
