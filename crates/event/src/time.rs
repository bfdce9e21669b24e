//! Instants as microseconds since 1970-01-01T00:00:00Z, the resolution of the audit log.

use chrono::{DateTime, NaiveDateTime, Utc};

/// Microseconds in a UTC day (POSIX time has no leap seconds).
const DAY_MICROS: i64 = 86_400_000_000;

/// Reads a timestamp of an audit event: RFC 3339 with any fraction and offset, and the
/// `2022-11-29 00:09:04.38` that some collectors write, taken as UTC.
///
/// Digits beyond the microsecond are cut. The API server itself always writes exactly
/// `2025-12-27T18:54:56.845495Z` (310,544 of 310,544 timestamps of real v1 logs).
pub fn parse(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    let bare = text.strip_suffix('Z').unwrap_or(text);
    let time = NaiveDateTime::parse_from_str(bare, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(time.and_utc().timestamp_micros())
}

/// The timestamp in `text` when it is written exactly as the API server does, so that
/// [`render`] gives the same characters back.
pub fn parse_canonical(text: &str) -> Option<i64> {
    let bytes: &[u8; 27] = text.as_bytes().try_into().ok()?;
    const SHAPE: &[u8; 27] = b"0000-00-00T00:00:00.000000Z";
    let fits = bytes.iter().zip(SHAPE).all(|(have, want)| match want {
        b'0' => have.is_ascii_digit(),
        _ => have == want,
    });
    if !fits {
        return None;
    }
    let number =
        |from: usize, to: usize| bytes[from..to].iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let date = chrono::NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)).ok()?, number(5, 7), number(8, 10))?;
    // Seconds stop at 59: a leap second would not survive the way through POSIX time and back.
    let time = date.and_hms_micro_opt(number(11, 13), number(14, 16), number(17, 19), number(20, 26))?;
    Some(time.and_utc().timestamp_micros())
}

/// RFC 3339 with six digits and `Z`: `2025-12-27T18:54:56.845495Z`.
pub fn render(micros: i64) -> String {
    match DateTime::<Utc>::from_timestamp_micros(micros) {
        Some(time) => time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        None => format!("{micros} µs"),
    }
}

/// The UTC day of an instant, in days since 1970-01-01.
pub fn day(micros: i64) -> i32 {
    // A 64-bit count of microseconds spans about 213 million days, so the cast cannot overflow.
    i32::try_from(micros.div_euclid(DAY_MICROS)).unwrap_or(i32::MAX)
}

/// `2025-12-27` for a day counted from 1970-01-01.
pub fn render_day(day: i32) -> String {
    match DateTime::<Utc>::from_timestamp_micros(i64::from(day) * DAY_MICROS) {
        Some(time) => time.format("%Y-%m-%d").to_string(),
        None => format!("day {day}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_servers_own_form_round_trips() {
        let text = "2025-12-27T18:54:56.845495Z";
        let micros = parse_canonical(text).unwrap();
        assert_eq!(parse(text), Some(micros));
        assert_eq!(render(micros), text);
        assert_eq!(render_day(day(micros)), "2025-12-27");
    }

    #[test]
    fn other_forms_are_read_but_are_not_canonical() {
        for (text, same_as) in [
            ("2017-05-26T20:00:01Z", "2017-05-26T20:00:01.000000Z"),
            ("2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00.000000Z"),
            ("2026-11-21T20:18:35.365469634Z", "2026-11-21T20:18:35.365469Z"),
            ("2022-11-29 00:09:04.38", "2022-11-29T00:09:04.380000Z"),
        ] {
            assert_eq!(parse_canonical(text), None, "{text}");
            assert_eq!(parse(text).map(render).as_deref(), Some(same_as), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in ["", "null", "2026-13-01T00:00:00.000000Z", "2026-11-21T24:00:00.000000Z", "yesterday"] {
            assert_eq!(parse(text), None, "{text}");
            assert_eq!(parse_canonical(text), None, "{text}");
        }
    }

    #[test]
    fn days_before_1970_round_down() {
        assert_eq!(render_day(day(-1)), "1969-12-31");
        assert_eq!(render_day(day(0)), "1970-01-01");
    }
}
