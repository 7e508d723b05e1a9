//! Times as ssh-keygen(1) reads them: `YYYYMMDD[HHMM[SS]]`, followed by `Z` or `UTC` or in local time. Pure.

use jiff::Span;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Dst, TimeZone};

/// The seconds since 1970 that a text means, `None` where ssh-keygen refuses it. Local time is standard time also where
/// summer time is in effect, and a day or a second that there isn't counts on: that is how ssh-keygen reads them.
#[must_use]
pub fn absolute_time(text: &str, local: &TimeZone) -> Option<i64> {
    let (digits, utc) = match text {
        _ if text.len() > 1 && text.ends_with(['Z', 'z']) => (&text[..text.len() - 1], true),
        _ => match text.len().checked_sub(3).filter(|&at| at > 0).and_then(|at| text.split_at_checked(at)) {
            Some((digits, zone)) if zone.eq_ignore_ascii_case("UTC") => (digits, true),
            _ => (text, false),
        },
    };
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number =
        |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i16>().ok());
    let two = |from: usize| number(from, from + 2).and_then(|number| i8::try_from(number).ok());
    let (day, second) = (two(6)?, two(12)?);
    if !(1..=31).contains(&day) || !(0..=61).contains(&second) {
        return None;
    }
    let date = Date::new(number(0, 4)?, two(4)?, 1).ok()?;
    let (hour, minute) = (two(8)?, two(10)?);
    let time = Time::new(hour, minute, 0, 0).ok()?;
    // Counted here: the last hours of the year 9999 are no timestamp of jiff's.
    let days = date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24 + i64::from(day) - 1;
    let clock = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    let offset = if utc {
        0
    } else {
        let more = Span::new().days(i64::from(day) - 1).seconds(i64::from(second));
        standard(date.to_datetime(time).saturating_add(more).min(LAST), local)?
    };
    Some(days * 86400 + clock - offset).filter(|&seconds| seconds > 0)
}

/// A time that is a timestamp of jiff's in each zone. What follows it has its offset.
const LAST: DateTime = DateTime::constant(9999, 12, 29, 0, 0, 0, 0);

/// The seconds by which a clock that is never set to summer time is before UTC then.
fn standard(civil: DateTime, zone: &TimeZone) -> Option<i64> {
    let moment = zone.to_timestamp(civil).ok()?;
    let now = zone.to_offset_info(moment);
    let mut near = zone.preceding(moment).chain(zone.following(moment).take(1));
    let offset = match now.dst() {
        Dst::No => now.offset(),
        Dst::Yes => near
            .find(|transition| transition.dst() == Dst::No)
            .map_or(now.offset(), |transition| transition.offset()),
    };
    Some(offset.seconds().into())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_time_is_what_ssh_keygen_reads() {
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        for (text, expected) in [
            ("20260601", Some("2026-05-31T23:00:00Z")),
            ("20260601Z", Some("2026-06-01T00:00:00Z")),
            ("20260601utc", Some("2026-06-01T00:00:00Z")),
            ("202606011230z", Some("2026-06-01T12:30:00Z")),
            ("202606011230", Some("2026-06-01T11:30:00Z")),
            ("20260101123059", Some("2026-01-01T11:30:59Z")),
            ("20260231Z", Some("2026-03-03T00:00:00Z")),
            ("20260101000060Z", Some("2026-01-01T00:01:00Z")),
            ("20260100Z", None),
            ("20261301Z", None),
            ("202601012400Z", None),
            ("19700101Z", None),
            ("19691231Z", None),
            ("2026", None),
            ("2026010112", None),
            ("2026-01-01", None),
            ("2026010é", None),
            ("soon", None),
            ("Z", None),
            ("", None),
        ] {
            let expected = expected.map(|text| text.parse::<Timestamp>().expect("a time").as_second());
            assert_eq!(absolute_time(text, &berlin), expected, "{text:?}");
        }
    }

    #[test]
    fn the_last_days_that_ssh_keygen_reads_are_times() {
        let end = 253_402_300_800;
        for (zone, text, before) in [
            ("UTC", "99991231", 86400),
            ("America/New_York", "99991231Z", 86400),
            ("America/New_York", "99991231", 86400 - 5 * 3600),
            ("Pacific/Auckland", "99991231", 86400 + 12 * 3600),
            ("Europe/Berlin", "99991231235961", 3600 - 1),
            ("UTC", "99991231235961Z", -1),
        ] {
            let zone = TimeZone::get(zone).expect("a zone");
            assert_eq!(absolute_time(text, &zone), Some(end - before), "{text} {zone:?}");
        }
    }
}
