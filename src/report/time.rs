//! Times in a recording, and of a recording, for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Microseconds since the start as `H:MM:SS.mmm`.
#[must_use]
pub fn offset(micros: u64) -> String {
    let (seconds, millis) = (micros / 1_000_000, micros % 1_000_000 / 1000);
    format!("{}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// How long something was, to the second: `H:MM:SS`.
#[must_use]
pub fn duration(micros: u64) -> String {
    let seconds = micros.saturating_add(500_000) / 1_000_000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Seconds since the epoch as local time with its offset from UTC, `Z` for UTC itself; the number where it is beyond all
/// calendars.
#[must_use]
pub fn local_time(timestamp: i64, zone: &TimeZone) -> String {
    let Ok(time) = Timestamp::from_second(timestamp) else { return timestamp.to_string() };
    let local = zone.to_datetime(time);
    let offset = zone_offset(time, zone);
    let (date, time) = (local.date(), local.time());
    let (year, month, day) = (date.year(), date.month(), date.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{offset}")
}

/// `+01:00`; `Z` in UTC, whatever it is called.
fn zone_offset(time: Timestamp, zone: &TimeZone) -> String {
    let seconds = zone.to_offset(time).seconds();
    if seconds == 0 {
        return "Z".to_owned();
    }
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Seconds since the epoch as RFC 3339 in UTC.
#[must_use]
pub fn utc(timestamp: i64) -> Option<String> {
    Timestamp::from_second(timestamp).ok().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_hours_to_milliseconds() {
        assert_eq!(offset(0), "0:00:00.000");
        assert_eq!(offset(3_723_004_999), "1:02:03.004");
        assert_eq!(duration(59_500_000), "0:01:00");
        assert_eq!(local_time(0, &TimeZone::UTC), "1970-01-01 00:00:00Z");
        for (zone, text) in [
            ("Europe/Berlin", "1970-01-01 01:00:00+01:00"),
            ("America/St_Johns", "1969-12-31 20:30:00-03:30"),
            ("UTC", "1970-01-01 00:00:00Z"),
        ] {
            assert_eq!(local_time(0, &TimeZone::get(zone).expect("a zone")), text);
        }
        assert_eq!(local_time(i64::MAX, &TimeZone::UTC), i64::MAX.to_string());
    }
}
