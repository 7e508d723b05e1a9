//! Times of events: decimal text to integer nanoseconds, without a float in between.

use super::End;

/// What is wrong with a sum of times.
pub(super) const TOO_LATE: &str = "the times of the events add up to more than 2^64 nanoseconds";

/// Nanoseconds of a time in seconds, written as a JSON number; digits beyond the nanosecond are
/// rounded half up. `None` for what is no number, is negative, or exceeds 64 bits (584 years).
pub(super) fn nanoseconds(text: &str) -> Option<u64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, clamped_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The digit at index i stands for i64's power of ten below; nanoseconds are the power 0.
    let mut power = i64::try_from(whole.len()).ok()? - 1 + exponent + 9;
    let mut value = 0_u64;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = u64::from(byte - b'0');
        if power >= 0 {
            value = value.checked_mul(10)?.checked_add(digit)?;
        } else if power == -1 {
            value = value.checked_add(u64::from(digit >= 5))?;
        }
        power -= 1;
    }
    // What remains of the exponent; this overflows, and so ends, within twenty steps.
    while power >= 0 && value != 0 {
        value = value.checked_mul(10)?;
        power -= 1;
    }
    (!negative || value == 0).then_some(value)
}

/// Microseconds, rounded half up.
pub(super) fn microseconds(nanoseconds: u64) -> u64 {
    nanoseconds / 1000 + u64::from(nanoseconds % 1000 >= 500)
}

/// How long a session was, in microseconds: what its end record says, else the time of its last event. Every duration
/// of a whole recording is this.
#[must_use]
pub fn session_length(last_event: Option<u64>, end: Option<&End>) -> Option<u64> {
    let seconds = end.and_then(|end| end.seconds).filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, and saturating")]
    seconds.map(|seconds| (seconds * 1e6).round() as u64).or(last_event)
}

/// An exponent; one beyond any that matters is cut to a value that still does not matter.
fn clamped_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Lines are far shorter than this many digits, so that no mantissa makes up for it.
    let size = digits.parse().unwrap_or(i64::MAX).min(1 << 40);
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::{microseconds, nanoseconds};

    #[test]
    fn decimal_text_is_read_exactly() {
        for (text, expected) in [
            ("0", 0),
            ("-0.0", 0),
            ("1", 1_000_000_000),
            ("1.5", 1_500_000_000),
            ("0.000001", 1_000),
            ("0.0000000004", 0),
            ("0.0000000005", 1),
            ("0.9999999999", 1_000_000_000),
            ("12e-3", 12_000_000),
            ("1.25E+1", 12_500_000_000),
            ("0e999999999999999999999", 0),
            ("5e-999999999999999999999", 0),
            ("18446744073.709551615", u64::MAX),
        ] {
            assert_eq!(nanoseconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "-1", "-0.1", "1e99", "18446744073.709551616", "\"1\"", "[1]", "null", "1e", "."] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
    }

    #[test]
    fn microseconds_round_half_up() {
        assert_eq!((microseconds(1_499), microseconds(1_500)), (1, 2));
        assert_eq!(microseconds(u64::MAX), 18_446_744_073_709_552);
    }
}
