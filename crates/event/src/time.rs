//! Instants as microseconds since 1970-01-01T00:00:00Z, the resolution of the audit log.

use chrono::{DateTime, NaiveDateTime, NaiveTime, Timelike, Utc};

/// Microseconds in a UTC day (POSIX time has no leap seconds).
const DAY_MICROS: i64 = 86_400_000_000;

/// A time as it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Microseconds since 1970.
    pub micros: i64,
    /// It came without a zone, or as a number, and was taken as UTC.
    pub is_zone_assumed: bool,
    /// Its day could be its month, and its month its day.
    pub is_day_assumed: bool,
}

impl Told {
    /// An instant of which nothing but its zone was assumed, if that.
    fn new(micros: i64, is_zone_assumed: bool) -> Self {
        Self { micros, is_zone_assumed, is_day_assumed: false }
    }
}

/// What stands behind a time in UTC: Go says the zone twice, Java behind the offset.
const UTC_ENDS: [&str; 8] = ["Z", "z", " +0000 UTC", " UTC", "Z[UTC]", "+00:00[Etc/UTC]", "[UTC]", " GMT"];

/// Reads a timestamp: RFC 3339 with any fraction and offset, and what collectors make of it, such as
/// `2022-11-29 00:09:04.38` or `2026-11-21T20:37:05.105+0000`. Without a zone it is taken as UTC.
///
/// Digits beyond the microsecond are cut. The API server itself always writes exactly
/// `2025-12-27T18:54:56.845495Z` (310,544 of 310,544 timestamps of real v1 logs).
pub fn parse(text: &str) -> Option<i64> {
    read_text(text).map(|told| told.micros)
}

/// Reads a timestamp in JSON: a text as [`parse`] takes it, or seconds, milliseconds, microseconds or nanoseconds since
/// 1970, as a number or as the text of one.
pub fn read(json: &str) -> Option<Told> {
    match crate::json::string(json) {
        Some(text) => read_text(&text).or_else(|| epoch(&text)).or_else(|| dot_net(&text)),
        None if json.starts_with('{') => object(json),
        None => epoch(json),
    }
}

/// `/Date(1795293425112)/`, as .NET and older PowerShell write times.
fn dot_net(text: &str) -> Option<Told> {
    let millis = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    // An offset is for people: the number counts from 1970 in UTC.
    let end = millis.rfind(['+', '-']).unwrap_or(millis.len());
    epoch(&millis[..end]).map(|told| Told { is_zone_assumed: false, ..told })
}

/// A time as an object: MongoDB's `{"$date":…}`, and the seconds and nanoseconds of Protocol Buffers.
fn object(json: &str) -> Option<Told> {
    if let Some(inner) = crate::changed::typed(json) {
        let number = crate::changed::typed(inner).unwrap_or(inner);
        return if number.starts_with('{') { None } else { read(number) }
            .map(|told| Told { is_zone_assumed: false, ..told });
    }
    let number = |name: &str| {
        let value = crate::json::member(json, name)?;
        crate::json::string(value).unwrap_or(value.into()).parse::<i64>().ok()
    };
    let (seconds, nanos) = (number("seconds")?, number("nanos").or_else(|| number("nanoseconds")).unwrap_or(0));
    let is_time = (1_000_000_000..10_000_000_000).contains(&seconds) && (0..1_000_000_000).contains(&nanos);
    is_time.then(|| Told::new(seconds * 1_000_000 + nanos / 1_000, false))
}

fn read_text(text: &str) -> Option<Told> {
    const WITH_ZONE: [&str; 3] = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z"];
    // `@` is how Kibana writes times for people.
    const BARE: [&str; 7] = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y/%m/%d %H:%M:%S%.f",
        "%Y%m%dT%H%M%S%.f",
        "%b %d, %Y @ %H:%M:%S%.f",
        "%a %b %e %H:%M:%S%.f %Y",
        "%a, %d %b %Y %H:%M:%S%.f",
    ];
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(Told::new(time.timestamp_micros(), false));
    }
    if let Some(told) = slashed(text) {
        return Some(told);
    }
    // `yesterday` and other words are the most of what comes here.
    if !(19..=64).contains(&text.len()) {
        return None;
    }
    if let Some(time) = WITH_ZONE.iter().find_map(|form| DateTime::parse_from_str(text, form).ok()) {
        return Some(Told::new(time.timestamp_micros(), false));
    }
    let utc = UTC_ENDS.iter().find_map(|zone| text.strip_suffix(zone));
    let bare = utc.unwrap_or(text);
    // Python's `logging` writes `20:37:05,105`, and others as many digits as there are.
    let comma = bare.rfind(',').filter(|comma| {
        let digits = &bare[comma + 1..];
        (3..=9).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
    });
    let dotted = comma.map(|comma| format!("{}.{}", &bare[..comma], &bare[comma + 1..]));
    let bare = dotted.as_deref().unwrap_or(bare);
    let time = BARE.iter().find_map(|form| NaiveDateTime::parse_from_str(bare, form).ok())?;
    Some(Told::new(time.and_utc().timestamp_micros(), utc.is_none()))
}

/// `11/21/2026, 8:37:05.105 PM` and `21/11/2026 20:37`, as browsers and spreadsheets write times for people. Where either number can be
/// the month, it is the first in front of `PM`, as in the United States, and else the second; and that is an assumption.
fn slashed(text: &str) -> Option<Told> {
    // Asked of every text: nearly all are told by their first letters.
    if !text.as_bytes().iter().take(3).any(|byte| *byte == b'/') || text.len() > 64 {
        return None;
    }
    let utc = UTC_ENDS.iter().find_map(|zone| text.strip_suffix(zone));
    let (date, clock) = utc.unwrap_or(text).split_once(' ')?;
    let numbers: Vec<u32> =
        date.trim_end_matches(',').split('/').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    let [first, second, year @ 1000..=9999] = numbers[..] else { return None };
    // Browsers write a narrow space in front of it.
    let half = clock.get(clock.len().checked_sub(2)?..).filter(|half| matches!(*half, "AM" | "PM" | "am" | "pm"));
    let clock = half.map_or(clock, |half| clock.strip_suffix(half).unwrap_or(clock).trim_end());
    let is_month_first = second > 12 || (first <= 12 && matches!(half, Some("AM" | "PM")));
    let (month, day) = if is_month_first { (first, second) } else { (second, first) };
    let date = chrono::NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let time = ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(clock, form).ok())?;
    let hour = match half.map(str::to_ascii_lowercase).as_deref() {
        None => time.hour(),
        Some(_) if !(1..=12).contains(&time.hour()) => return None,
        Some(half) => time.hour() % 12 + if half == "pm" { 12 } else { 0 },
    };
    let micros = date.and_time(time.with_hour(hour)?).and_utc().timestamp_micros();
    let is_day_assumed = first <= 12 && second <= 12 && first != second;
    Some(Told { micros, is_zone_assumed: utc.is_none(), is_day_assumed })
}

/// Seconds since 1970, or thousandths, millionths, billionths of them: which, the size of the number tells, for the years
/// 2001 to 2286.
fn epoch(number: &str) -> Option<Told> {
    if number.contains(['e', 'E']) {
        // `1.795293421108114E9`, as some write numbers.
        let seconds: f64 = number.parse().ok().filter(|seconds| (1e9..1e10).contains(seconds))?;
        return epoch(&format!("{seconds:.6}"));
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    // Digits of the fraction that a microsecond has.
    let places = match whole.len() {
        10 => 6,
        13 => 3,
        16 => 0,
        19 => return Some(Told::new(number / 1_000, true)),
        _ => return None,
    };
    let fraction = fraction.bytes().chain(std::iter::repeat(b'0')).take(places);
    let micros = fraction.fold(number, |micros, digit| micros * 10 + i64::from(digit - b'0'));
    Some(Told::new(micros, true))
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
    fn what_collectors_make_of_times_is_read_and_says_what_was_assumed() {
        for (json, same_as, is_zone_assumed) in [
            (r#""2026-11-21T20:37:05.105+0000""#, "2026-11-21T20:37:05.105000Z", false),
            (r#""2026-11-21 20:37:05.105+02:00""#, "2026-11-21T18:37:05.105000Z", false),
            (r#""2026-11-21 20:37:05.105 UTC""#, "2026-11-21T20:37:05.105000Z", false),
            (r#""2026-11-21T20:37:05.105555""#, "2026-11-21T20:37:05.105555Z", true),
            (r#""2026-11-21 20:37:05,105""#, "2026-11-21T20:37:05.105000Z", true),
            (r#""11/21/2026, 8:37:05.105 PM""#, "2026-11-21T20:37:05.105000Z", true),
            (r#""Nov 21, 2026 @ 20:37:05.105""#, "2026-11-21T20:37:05.105000Z", true),
            ("1795293425", "2026-11-21T20:37:05.000000Z", true),
            ("1795293425.112558", "2026-11-21T20:37:05.112558Z", true),
            ("1795293425.1125589", "2026-11-21T20:37:05.112558Z", true),
            ("1.795293425112558E9", "2026-11-21T20:37:05.112558Z", true),
            ("1795293425112", "2026-11-21T20:37:05.112000Z", true),
            ("1795293425112.558", "2026-11-21T20:37:05.112558Z", true),
            (r#""1795293425112558""#, "2026-11-21T20:37:05.112558Z", true),
            ("1795293425112558999", "2026-11-21T20:37:05.112558Z", true),
        ] {
            let told = read(json).unwrap();
            assert_eq!((render(told.micros).as_str(), told.is_zone_assumed), (same_as, is_zone_assumed), "{json}");
        }
        for nothing in ["null", "7", "-1795293425", "1795293425112558999000", "\"yesterday\"", "true", "1e400", "[]"] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_day_that_could_be_a_month_is_an_assumption() {
        for (text, same_as, is_day_assumed) in [
            ("5/4/2026 1:02 am", "2026-04-05T01:02:00.000000Z", true),
            ("5/4/2026, 1:02:03 AM", "2026-05-04T01:02:03.000000Z", true),
            ("05/04/2026 13:02:03.5", "2026-04-05T13:02:03.500000Z", true),
            ("4/4/2026, 12:02:03\u{202f}PM", "2026-04-04T12:02:03.000000Z", false),
            ("5/13/2026 12:02 am", "2026-05-13T00:02:00.000000Z", false),
            ("13/5/2026, 1:02:03 PM UTC", "2026-05-13T13:02:03.000000Z", false),
        ] {
            let told = read_text(text).unwrap();
            assert_eq!((render(told.micros).as_str(), told.is_day_assumed), (same_as, is_day_assumed), "{text}");
            assert_eq!(told.is_zone_assumed, !text.ends_with("UTC"), "{text}");
        }
        for none in [
            "13/13/2026 1:02",
            "5/4/26 1:02",
            "5/4/2026",
            "5/4/2026 13:02 PM",
            "5/4/2026 0:02 am",
            "1/2/3",
            "a/b/2026 1:02",
        ] {
            assert_eq!(read_text(none), None, "{none}");
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
