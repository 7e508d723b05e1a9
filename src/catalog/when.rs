//! Moments as people write them: `2026-11-22`, `2026-11-22 18:00`, `yesterday`, `2 days ago`, `@1795370400`. Pure.

use jiff::civil::{Date, DateTime};
use jiff::{Span, Timestamp, Zoned};

/// What can't be understood as a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{}\" is not a date or time: use 2026-11-22, \"2026-11-22 18:00\", 2026-11-22T18:00:00Z or with another offset, now, \
     today, yesterday, \"2 days ago\", or @1795370400 (seconds since 1970-01-01 UTC)",
    crate::escape::controls(.0)
)]
pub struct WhenError(String);

/// The moment that a text means at `now`, in `now`'s time zone. A date is its first moment, and so are
/// `today` and `yesterday`.
///
/// # Errors
///
/// When it means none.
pub fn moment(text: &str, now: &Zoned) -> Result<Timestamp, WhenError> {
    let wrong = || WhenError(text.to_owned());
    let trimmed = text.trim();
    let midnight = |date: Date| date.to_zoned(now.time_zone().clone()).ok().map(|zoned| zoned.timestamp());
    let found = match trimmed {
        "now" => Some(now.timestamp()),
        "today" => midnight(now.date()),
        "yesterday" => now.date().yesterday().ok().and_then(midnight),
        _ if trimmed.ends_with("ago") => {
            let span: Option<Span> = trimmed.parse().ok();
            span.and_then(|span| now.checked_add(span).ok()).map(|zoned| zoned.timestamp())
        }
        _ => trimmed
            .strip_prefix('@')
            .and_then(|seconds| seconds.parse().ok())
            .and_then(|seconds| Timestamp::from_second(seconds).ok()),
    };
    found
        .or_else(|| trimmed.parse::<Timestamp>().ok())
        .or_else(|| trimmed.parse::<Zoned>().ok().map(|zoned| zoned.timestamp()))
        .or_else(|| {
            let civil: DateTime = trimmed.parse().ok()?;
            civil.to_zoned(now.time_zone().clone()).ok().map(|zoned| zoned.timestamp())
        })
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_phrases_are_moments() {
        let now: Zoned = "2026-11-22T20:45:00+01:00[Europe/Berlin]".parse().expect("a time");
        let utc = |text| moment(text, &now).map(|moment| moment.to_string());
        for (text, expected) in [
            ("2026-11-20", "2026-11-19T23:00:00Z"),
            ("2026-11-20 18:00", "2026-11-20T17:00:00Z"),
            ("2026-11-20T18:00:00Z", "2026-11-20T18:00:00Z"),
            ("2026-11-20T18:00:00+03:00", "2026-11-20T15:00:00Z"),
            ("today", "2026-11-21T23:00:00Z"),
            ("yesterday", "2026-11-20T23:00:00Z"),
            ("2 days ago", "2026-11-20T19:45:00Z"),
            ("1 hour 30 minutes ago", "2026-11-22T18:15:00Z"),
            ("3w ago", "2026-11-01T19:45:00Z"),
            ("@1795370400", "2026-11-22T18:00:00Z"),
            ("@-1", "1969-12-31T23:59:59Z"),
            ("now", "2026-11-22T19:45:00Z"),
        ] {
            assert_eq!(utc(text).as_deref(), Ok(expected), "{text}");
        }
        for text in
            ["", "soon", "2026-13-01", "ago", "22.11.2026", "2 days", "@", "@1.5", "@99999999999999999999"]
        {
            assert!(utc(text).is_err(), "{text}");
        }
        // What the message offers is accepted.
        let message = utc("soon").expect_err("no time").to_string();
        for form in [
            "2026-11-22",
            "2026-11-22 18:00",
            "2026-11-22T18:00:00Z",
            "now",
            "today",
            "yesterday",
            "2 days ago",
            "@1795370400",
        ] {
            assert!(message.contains(form) && utc(form).is_ok(), "{form}: {message}");
        }
    }
}
