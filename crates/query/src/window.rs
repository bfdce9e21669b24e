//! Times as people type them: `--since`, `--until` and `--now`.
//!
//! Pure: the clock is handed in. Times are parsed here and not in SQL, because DuckDB reads
//! `'2026-11-01T10:00:00+02:00'::TIMESTAMP` as 10:00 and drops the offset without a word.

use chrono::{DateTime, NaiveDate, NaiveTime};
use thiserror::Error;

/// What `--since`, `--until` and `--now` accept, for messages and help texts.
pub const ACCEPTED: &str = "RFC 3339 (`2026-11-21T20:37:37Z`), a date (`2026-11-21`), a UTC time \
     (`2026-11-21 20:37`, or `20:37` of the last day of the evidence), or an age (`90s`, `15m`, `1h30m`, `7d`, `2w`; `m` is minutes, months do not exist)";

/// Units of ages, largest first: letter and length in seconds.
const UNITS: [(u8, i64); 5] = [(b'w', 604_800), (b'd', 86_400), (b'h', 3_600), (b'm', 60), (b's', 1)];

/// Microseconds in a second.
const MICROS: i64 = 1_000_000;

/// 0000-01-01T00:00:00Z, the first instant of RFC 3339, in microseconds since 1970.
const FIRST: i64 = -62_167_219_200 * MICROS;

/// Why a time cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimeError {
    /// None of the accepted forms.
    #[error("`{given}` is not a time: expected {ACCEPTED}")]
    Unknown {
        /// The text as given.
        given: String,
    },
    /// No length of time.
    #[error("`{given}` is not a length of time such as `90s`, `15m`, `1h30m`, `7d` or `2w` (`m` is minutes)")]
    NotALength {
        /// The text as given.
        given: String,
    },
    /// An age that reaches back beyond the year 0, where RFC 3339 begins.
    #[error("`{given}` ago was before the year 0")]
    OutOfRange {
        /// The text as given.
        given: String,
    },
    /// `last` in a case without events.
    #[error("`last` is the time of the newest event, but the case has no events")]
    NoEvents,
    /// A window that no instant lies in.
    #[error("no time is at or after `{since}` and before `{until}`")]
    Empty {
        /// Begin of the window, as given.
        since: String,
        /// End of the window, as given.
        until: String,
    },
}

/// The half-open window `[since, until)`, in microseconds since 1970; `None` means unbounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// First instant that is in.
    pub since: Option<i64>,
    /// First instant that is out.
    pub until: Option<i64>,
}

impl Window {
    /// Reads both ends; ages count back from `now`, in microseconds since 1970, and a time of the day is one of the day of
    /// `newest`. As a begin that is behind the newest event, it is one of the day before: evidence that ends soon after
    /// midnight is asked for `--since 23:40 --until 00:05`, and nobody asks for what was not yet.
    ///
    /// # Errors
    /// When an end is no time, or when the window is empty: ends given the wrong way round would
    /// otherwise look like "nothing happened".
    pub fn parse(since: Option<&str>, until: Option<&str>, now: i64, newest: Option<i64>) -> Result<Self, TimeError> {
        const DAY: i64 = 86_400 * MICROS;
        let read = |text: Option<&str>| text.map(|text| parse_in(text, now, newest)).transpose();
        let mut window = Self { since: read(since)?, until: read(until)? };
        let is_ahead = |text: Option<&str>, end: Option<i64>| text.is_some_and(is_of_a_day) && end > newest;
        if is_ahead(since, window.since) {
            window.since = window.since.map(|since| since.saturating_sub(DAY));
            // `--since 22:00 --until 23:40`: of one day both.
            if is_ahead(until, window.until) {
                let before = window.until.map(|until| until.saturating_sub(DAY));
                window.until = before.filter(|before| Some(*before) > window.since).or(window.until);
            }
        }
        match (window, since, until) {
            (Self { since: Some(from), until: Some(to) }, Some(since), Some(until)) if from >= to => {
                Err(TimeError::Empty { since: since.to_owned(), until: until.to_owned() })
            }
            _ => Ok(window),
        }
    }
}

/// Reads a window and what its ages count from, as people give them: back from `now`, else from `clock`. Gives both, in
/// microseconds since 1970.
///
/// # Errors
/// As for [`Window::parse`] and [`parse_now`].
pub fn asked(
    since: Option<&str>,
    until: Option<&str>,
    now: Option<&str>,
    clock: i64,
    newest: Option<i64>,
) -> Result<(Window, i64), TimeError> {
    let now = now.map_or(Ok(clock), |now| parse_now(now, clock, newest))?;
    Ok((Window::parse(since, until, now, newest)?, now))
}

/// Says what is wrong with a window as far as that shows before a case is read: where an end rests on the newest event, both
/// may turn out in any order.
///
/// # Errors
/// As for [`asked`].
pub fn check(since: Option<&str>, until: Option<&str>, now: Option<&str>, clock: i64) -> Result<(), TimeError> {
    // Any time stands for the newest event.
    match asked(since, until, now, clock, Some(clock)) {
        Err(TimeError::Empty { .. }) if [since, until, now].into_iter().flatten().any(rests_on_case) => Ok(()),
        checked => checked.map(drop),
    }
}

/// Whether it rests on the newest event of a case what a time means: `last`, and a time of the day alone.
pub fn rests_on_case(text: &str) -> bool {
    text == "last" || is_of_a_day(text)
}

fn is_of_a_day(text: &str) -> bool {
    ["00:00", "00:00:00"].iter().any(|shape| has_shape(text, shape))
        || text.split_once('.').is_some_and(|(whole, _)| has_shape(whole, "00:00:00"))
}

/// Reads `--now`: a time, or `last` for the newest event of the case.
///
/// `clock` is the time it is, `last` the time of the newest event; both in microseconds since 1970.
///
/// # Errors
/// When the text is neither, or when it is `last` and there is no event.
pub fn parse_now(text: &str, clock: i64, last: Option<i64>) -> Result<i64, TimeError> {
    match text {
        "last" => last.ok_or(TimeError::NoEvents),
        _ => parse_in(text, clock, last),
    }
}

/// Reads a time as [`parse`] does, and also a time of the day alone, in UTC: that of the day of `newest`, the newest event,
/// as evidence is mostly about its end.
///
/// # Errors
/// As for [`parse`]; when there is no event, a time of the day alone is no time.
pub fn parse_in(text: &str, now: i64, newest: Option<i64>) -> Result<i64, TimeError> {
    let day = newest.filter(|_| is_of_a_day(text)).and_then(DateTime::from_timestamp_micros);
    day.map_or_else(
        || parse(text, now),
        |day| {
            let whole = format!("{}T{text}", day.format("%Y-%m-%d"));
            parse_absolute(&whole).ok_or_else(|| TimeError::Unknown { given: text.to_owned() })
        },
    )
}

/// Reads a time in any of the [accepted](ACCEPTED) forms as microseconds since 1970; ages count back from `now`.
///
/// Digits beyond the microsecond are cut.
///
/// # Errors
/// When the text has none of the forms, or is an age that is too large.
///
/// ```
/// use kforensic_query::window::parse;
///
/// assert_eq!(parse("1970-01-01T00:00:01+01:00", 0), Ok(-3_599_000_000));
/// assert_eq!(parse("1m30s", 100_000_000), Ok(10_000_000));
/// assert!(parse("1M", 0).is_err());
/// ```
pub fn parse(text: &str, now: i64) -> Result<i64, TimeError> {
    if let Some(age) = parse_age(text) {
        let micros = age.and_then(|seconds| seconds.checked_mul(MICROS)).and_then(|micros| now.checked_sub(micros));
        return micros
            .filter(|micros| *micros >= FIRST)
            .ok_or_else(|| TimeError::OutOfRange { given: text.to_owned() });
    }
    parse_absolute(text).ok_or_else(|| TimeError::Unknown { given: text.to_owned() })
}

/// Reads a length of time, written as an age, as seconds.
///
/// # Errors
/// When the text is none, or too large.
pub fn parse_length(text: &str) -> Result<i64, TimeError> {
    parse_age(text).flatten().ok_or_else(|| TimeError::NotALength { given: text.to_owned() })
}

/// Length of an age in seconds: `None` when the text is no age, `Some(None)` when it is too large.
fn parse_age(text: &str) -> Option<Option<i64>> {
    let mut rest = text.as_bytes();
    let mut units = UNITS.iter();
    let mut total = Some(0_i64);
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, tail) = rest.split_at(digits);
        let (letter, tail) = tail.split_first()?;
        // Units only get smaller, so that each comes at most once.
        let (_, seconds) = units.find(|(unit, _)| unit == letter)?;
        let number = std::str::from_utf8(number).ok().filter(|number| !number.is_empty())?;
        // All digits, so the only way to fail is to be too large.
        let part = number.parse::<i64>().ok().and_then(|number| number.checked_mul(*seconds));
        total = total.zip(part).and_then(|(total, part)| total.checked_add(part));
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

/// A date, RFC 3339, or RFC 3339 without its zone, which is then UTC.
pub(crate) fn parse_absolute(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    if !has_shape(day, "0000-00-00") {
        return None;
    }
    let date = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    if rest.is_empty() {
        return Some(date.and_time(NaiveTime::MIN).and_utc().timestamp_micros());
    }
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = match () {
        () if has_shape(whole, "00:00:00") && digits => format!("{whole}.{fraction}"),
        () if has_shape(time, "00:00") => format!("{time}:00"),
        // Seconds may be left out in front of a zone as well.
        () if time.split_at_checked(5).is_some_and(|(minute, zone)| {
            has_shape(minute, "00:00") && matches!(zone.as_bytes().first(), Some(b'Z' | b'z' | b'+' | b'-'))
        }) =>
        {
            let zoned = format!("{day}T{}:00{}", &time[..5], &time[5..]);
            return Some(DateTime::parse_from_rfc3339(&zoned).ok()?.timestamp_micros());
        }
        () => return Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros()),
    };
    let zoned = format!("{day}T{seconds}Z");
    Some(DateTime::parse_from_rfc3339(&zoned).ok()?.timestamp_micros())
}

/// Whether `text` has a digit wherever `shape` has `0`, and the same character everywhere else.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(have, want)| match want {
            b'0' => have.is_ascii_digit(),
            _ => have == want,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kforensic_event::time;

    /// 2026-11-21T20:00:00Z.
    const NOW: i64 = 1_795_291_200_000_000;

    fn rendered(text: &str) -> String {
        parse(text, NOW).map_or_else(|error| error.to_string(), time::render)
    }

    #[test]
    fn absolute_forms() {
        for (text, instant) in [
            ("2026-11-21", "2026-11-21T00:00:00.000000Z"),
            ("2026-11-21T20:37", "2026-11-21T20:37:00.000000Z"),
            ("2026-11-21 20:37", "2026-11-21T20:37:00.000000Z"),
            ("2026-11-21T20:37:37", "2026-11-21T20:37:37.000000Z"),
            ("2026-11-21T20:37:37.5", "2026-11-21T20:37:37.500000Z"),
            ("2026-11-21T20:37:37.325661999", "2026-11-21T20:37:37.325661Z"),
            ("2026-11-21T20:37:37Z", "2026-11-21T20:37:37.000000Z"),
            ("2026-11-21t20:37:37z", "2026-11-21T20:37:37.000000Z"),
            ("2026-11-21T20:37Z", "2026-11-21T20:37:00.000000Z"),
            ("2026-11-21 20:37+02:00", "2026-11-21T18:37:00.000000Z"),
            ("2026-11-21T20:37:37.325661Z", "2026-11-21T20:37:37.325661Z"),
            ("2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00.000000Z"),
            ("2026-11-01T00:30:00.25+05:30", "2026-10-31T19:00:00.250000Z"),
            ("2026-11-01T10:00:00-00:00", "2026-11-01T10:00:00.000000Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
            ("0000-01-01", "0000-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(rendered(text), instant, "{text}");
        }
    }

    #[test]
    fn a_time_of_the_day_is_one_of_the_last_day_of_the_evidence() {
        let newest = 1_795_291_200_000_000 - 86_400_000_000;
        for (text, instant) in [
            ("20:37", "2026-11-20T20:37:00.000000Z"),
            ("20:37:37", "2026-11-20T20:37:37.000000Z"),
            ("20:37:37.25", "2026-11-20T20:37:37.250000Z"),
            ("1h", "2026-11-21T19:00:00.000000Z"),
        ] {
            assert_eq!(time::render(parse_in(text, NOW, Some(newest)).unwrap()), instant, "{text}");
        }
        for text in ["25:00", "20:61", "8:30", "20:37Z"] {
            assert!(parse_in(text, NOW, Some(newest)).is_err(), "{text}");
        }
        assert!(parse_in("20:37", NOW, None).is_err());
    }

    #[test]
    fn a_window_can_go_over_midnight() {
        let newest = parse("2026-11-21T00:10:00Z", NOW).unwrap();
        let window = |since, until| {
            let window = Window::parse(since, until, NOW, Some(newest)).unwrap();
            let short = |end: Option<i64>| end.map(|end| time::render(end)[8..16].to_owned());
            (short(window.since), short(window.until))
        };
        let at = |text: &str| Some(text.to_owned());
        assert_eq!(window(Some("23:40"), Some("00:05")), (at("20T23:40"), at("21T00:05")));
        assert_eq!(window(Some("23:40"), None), (at("20T23:40"), None));
        assert_eq!(window(Some("22:00"), Some("23:40")), (at("20T22:00"), at("20T23:40")));
        assert_eq!(window(Some("23:40"), Some("00:30")), (at("20T23:40"), at("21T00:30")));
        assert_eq!(window(Some("00:05"), Some("00:30")), (at("21T00:05"), at("21T00:30")));
        assert_eq!(window(Some("2026-11-20"), Some("23:40")), (at("20T00:00"), at("21T23:40")));
        assert!(Window::parse(Some("00:09"), Some("00:08"), NOW, Some(newest)).is_err());
    }

    #[test]
    fn ages_count_back_from_now() {
        for (text, instant) in [
            ("0s", "2026-11-21T20:00:00.000000Z"),
            ("90s", "2026-11-21T19:58:30.000000Z"),
            ("15m", "2026-11-21T19:45:00.000000Z"),
            ("1h", "2026-11-21T19:00:00.000000Z"),
            ("1h30m", "2026-11-21T18:30:00.000000Z"),
            ("7d", "2026-11-14T20:00:00.000000Z"),
            ("2w", "2026-11-07T20:00:00.000000Z"),
            ("1w1d1h1m1s", "2026-11-13T18:58:59.000000Z"),
            ("007d", "2026-11-14T20:00:00.000000Z"),
        ] {
            assert_eq!(rendered(text), instant, "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_refused_with_what_was_given_and_what_is_accepted() {
        for text in [
            "",
            " ",
            "s",
            "h1",
            "1",
            "1h1h",
            "30m1h",
            "1.5h",
            "-1h",
            "+1h",
            "1 h",
            "1M",
            "2mo",
            "1y",
            "١h",
            "yesterday",
            "last",
            "2026-11-21T",
            "2026-11-21T20",
            "2026-11-21T20:37+",
            "2026-11-21T20:37Z1",
            "2026-11-21T20:37:37.",
            "2026-11-21T20:37:37,5",
            "2026-11-21T20:37:37+0200",
            "2026-11-21T20:37:37+02",
            "2026-13-01",
            "2026-02-30",
            "2026-1-1",
            "26-11-21",
            "2026-11-21T24:00",
            "2026-11-21T20:60",
            "+2026-11-21",
            "2026-11-21Z",
            "2026/11/21",
            "20261121",
            "2026-11-2é",
        ] {
            let error = parse(text, NOW).unwrap_err();
            assert_eq!(error, TimeError::Unknown { given: text.to_owned() }, "{text}");
            let message = error.to_string();
            assert!(message.contains(&format!("`{text}`")) && message.contains("RFC 3339"), "{message}");
        }
    }

    #[test]
    fn a_length_of_time_is_no_instant() {
        assert_eq!(parse_length("1h30m"), Ok(5_400));
        assert_eq!(parse_length("0s"), Ok(0));
        for text in ["", "0", "2026-11-21", "1M", "99999999999999999999s"] {
            assert_eq!(parse_length(text), Err(TimeError::NotALength { given: text.to_owned() }), "{text}");
        }
    }

    #[test]
    fn ages_beyond_the_range_of_instants_are_refused() {
        for text in
            ["999999999999999999w", "99999999999999999999999999s", "9223372036854775807w1s", "200000w", "3000000d"]
        {
            assert_eq!(parse(text, NOW), Err(TimeError::OutOfRange { given: text.to_owned() }), "{text}");
        }
        assert_eq!(parse("1s", i64::MIN), Err(TimeError::OutOfRange { given: "1s".to_owned() }));
        assert_eq!(parse("1s", i64::MAX), Ok(i64::MAX - MICROS));
        assert_eq!(parse("0000-01-01", NOW), Ok(FIRST));
    }

    #[test]
    fn now_can_be_the_newest_event() {
        assert_eq!(parse_now("last", NOW, Some(7)), Ok(7));
        assert_eq!(parse_now("last", NOW, None), Err(TimeError::NoEvents));
        assert_eq!(parse_now("1h", NOW, Some(7)), Ok(NOW - 3_600 * MICROS));
        assert_eq!(parse_now("1970-01-02", NOW, None), Ok(86_400 * MICROS));
    }

    #[test]
    fn ends_that_rest_on_the_case_are_not_held_against_the_clock() {
        let check = |since, until, now| check(Some(since), Some(until), now, NOW);
        for (since, until, now) in [
            ("20:37", "1971-01-01 20:38", None),
            ("20:37:00.5", "1971-01-01", None),
            ("1h", "1971-01-01", Some("last")),
            ("1h", "1971-01-01", Some("20:38")),
        ] {
            assert_eq!(check(since, until, now), Ok(()), "{since} {until} {now:?}");
        }
        for (since, until, now) in
            [("1h", "1971-01-01", None), ("20:37", "tomorrow", None), ("1h", "1d", Some("1971-01-01"))]
        {
            assert!(check(since, until, now).is_err(), "{since} {until} {now:?}");
        }
    }

    #[test]
    fn a_window_without_an_instant_is_a_mistake() {
        let window = Window::parse(Some("2h"), Some("1h"), NOW, None).unwrap();
        assert_eq!(window, Window { since: Some(NOW - 7_200 * MICROS), until: Some(NOW - 3_600 * MICROS) });
        assert_eq!(Window::parse(None, None, NOW, None), Ok(Window::default()));
        for (since, until) in [("1h", "2h"), ("2026-11-21", "2026-11-21")] {
            let error = Window::parse(Some(since), Some(until), NOW, None).unwrap_err();
            assert_eq!(error, TimeError::Empty { since: since.to_owned(), until: until.to_owned() });
        }
    }
}
