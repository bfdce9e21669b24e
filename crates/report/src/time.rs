//! Times, dates, clocks and intervals as text. Every instant means UTC, with or without a zone in its type.

use std::fmt::Write as _;
use std::io::{self, Write};

use arrow::array::temporal_conversions::{as_datetime, date32_to_datetime};
use arrow::array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::datatypes::{IntervalMonthDayNano, TimeUnit};
use chrono::{Datelike, NaiveDateTime, Timelike};

const SECOND_NS: i128 = 1_000_000_000;

/// The instant `value` units after 1970, or `None` for DuckDB's infinities and for times that no calendar
/// of ours reaches (262,000 years).
pub(crate) fn instant(value: i64, unit: TimeUnit) -> Option<NaiveDateTime> {
    // DuckDB spells infinity as the extreme values; in nanoseconds they would pass for the year 2262 and 1677.
    if value == i64::MAX || value <= -i64::MAX {
        return None;
    }
    match unit {
        TimeUnit::Second => as_datetime::<TimestampSecondType>(value),
        TimeUnit::Millisecond => as_datetime::<TimestampMillisecondType>(value),
        TimeUnit::Microsecond => as_datetime::<TimestampMicrosecondType>(value),
        TimeUnit::Nanosecond => as_datetime::<TimestampNanosecondType>(value),
    }
}

/// The text of a value for which [`instant`] has no calendar time.
pub(crate) fn beyond(value: i64, unit: TimeUnit) -> String {
    match value {
        i64::MAX => "infinity".to_owned(),
        ..=-9_223_372_036_854_775_807 => "-infinity".to_owned(),
        _ => format!("{value} {} since 1970", unit_name(unit)),
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

/// Writes an instant for programs: `2026-11-21T20:37:38.239247Z`, always six digits, the rest cut off.
///
/// # Errors
/// When `out` fails.
pub(crate) fn write_rfc3339(out: &mut impl Write, at: NaiveDateTime) -> io::Result<()> {
    write_date(out, at)?;
    // Digit by digit: an export writes millions, and `write!` stood out in its profile.
    let mut text = *b"T00:00:00.000000Z";
    for (place, number) in
        [(1..3, at.hour()), (4..6, at.minute()), (7..9, at.second()), (10..16, at.nanosecond() / 1_000)]
    {
        digits(&mut text[place], number);
    }
    out.write_all(&text)
}

/// Writes an instant for people: `2026-11-21 20:37:38.239`, the rest cut off, as a later row must not look earlier.
///
/// # Errors
/// When `out` fails.
pub(crate) fn write_millis(out: &mut impl Write, at: NaiveDateTime) -> io::Result<()> {
    write_date(out, at)?;
    let (hour, minute, second, millis) = (at.hour(), at.minute(), at.second(), at.nanosecond() / 1_000_000);
    write!(out, " {hour:02}:{minute:02}:{second:02}.{millis:03}")
}

/// ISO 8601 wants a sign before a year that is not 0000 to 9999.
fn write_date(out: &mut impl Write, at: NaiveDateTime) -> io::Result<()> {
    let (year, month, day) = (at.year(), at.month(), at.day());
    match u32::try_from(year) {
        Ok(year @ 0..=9999) => {
            let mut text = *b"0000-00-00";
            for (place, number) in [(0..4, year), (5..7, month), (8..10, day)] {
                digits(&mut text[place], number);
            }
            out.write_all(&text)
        }
        _ => write!(out, "{year:+05}-{month:02}-{day:02}"),
    }
}

/// Writes the last digits of `number`, as many as there is room for.
fn digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

/// The text of a date in days since 1970.
pub(crate) fn date(days: i32) -> String {
    if let Some(at) = date32_to_datetime(days) {
        return at.date().to_string();
    }
    match days {
        i32::MAX => "infinity".to_owned(),
        ..=-2_147_483_647 => "-infinity".to_owned(),
        _ => format!("{days} days since 1970"),
    }
}

/// The text of a date in milliseconds since 1970.
pub(crate) fn date_of_millis(millis: i64) -> String {
    match i32::try_from(millis.div_euclid(86_400_000)) {
        Ok(days) => date(days),
        Err(_) => beyond(millis, TimeUnit::Millisecond),
    }
}

/// Nanoseconds of `value` units. An `i128` holds the seconds of any `i64`.
pub(crate) fn nanos(value: i64, unit: TimeUnit) -> i128 {
    let unit_ns = match unit {
        TimeUnit::Second => SECOND_NS,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    };
    i128::from(value) * unit_ns
}

/// A time of day or a duration: `04:05:06`, with six or nine digits of fraction when there is one. Hours may
/// pass 24: DuckDB has the time `24:00:00`, and a duration has no days.
pub(crate) fn clock(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let size = nanos.unsigned_abs();
    let (seconds, fraction) = (size / SECOND_NS.unsigned_abs(), size % SECOND_NS.unsigned_abs());
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let whole = format!("{sign}{hour:02}:{minute:02}:{second:02}");
    match (fraction, fraction % 1_000) {
        (0, _) => whole,
        (_, 0) => format!("{whole}.{:06}", fraction / 1_000),
        _ => format!("{whole}.{fraction:09}"),
    }
}

/// An interval as DuckDB spells it: `1 year 2 months 3 days 04:05:06`. Months and days have no fixed length, so
/// they are never turned into hours.
pub(crate) fn interval(value: IntervalMonthDayNano) -> String {
    let parts = [(value.months / 12, "year"), (value.months % 12, "month"), (value.days, "day")];
    let mut text = String::new();
    for (count, name) in parts.into_iter().filter(|(count, _)| *count != 0) {
        let plural = if count.unsigned_abs() == 1 { "" } else { "s" };
        let gap = if text.is_empty() { "" } else { " " };
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{gap}{count} {name}{plural}");
    }
    if text.is_empty() || value.nanoseconds != 0 {
        let gap = if text.is_empty() { "" } else { " " };
        text = format!("{text}{gap}{}", clock(value.nanoseconds.into()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc3339(value: i64, unit: TimeUnit) -> String {
        let mut out = Vec::new();
        write_rfc3339(&mut out, instant(value, unit).unwrap()).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn millis(value: i64, unit: TimeUnit) -> String {
        let mut out = Vec::new();
        write_millis(&mut out, instant(value, unit).unwrap()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn instants_have_six_digits_in_every_unit() {
        let micros = 1_795_293_458_239_247;
        assert_eq!(rfc3339(micros, TimeUnit::Microsecond), "2026-11-21T20:37:38.239247Z");
        assert_eq!(rfc3339(micros * 1_000 + 999, TimeUnit::Nanosecond), "2026-11-21T20:37:38.239247Z");
        assert_eq!(rfc3339(micros / 1_000, TimeUnit::Millisecond), "2026-11-21T20:37:38.239000Z");
        assert_eq!(rfc3339(micros / 1_000_000, TimeUnit::Second), "2026-11-21T20:37:38.000000Z");
        assert_eq!(millis(micros, TimeUnit::Microsecond), "2026-11-21 20:37:38.239");
    }

    #[test]
    fn cut_digits_go_back_in_time_before_1970_too() {
        assert_eq!(rfc3339(-1, TimeUnit::Nanosecond), "1969-12-31T23:59:59.999999Z");
        assert_eq!(millis(-1, TimeUnit::Microsecond), "1969-12-31 23:59:59.999");
    }

    #[test]
    fn years_of_five_digits_or_before_christ_carry_a_sign() {
        assert_eq!(rfc3339(253_402_300_800, TimeUnit::Second), "+10000-01-01T00:00:00.000000Z");
        assert_eq!(rfc3339(-62_198_755_200, TimeUnit::Second), "-0001-01-01T00:00:00.000000Z");
    }

    #[test]
    fn infinities_of_duckdb_are_not_dates() {
        for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
            assert_eq!(instant(i64::MAX, unit), None);
            assert_eq!(instant(-i64::MAX, unit), None);
            assert_eq!(beyond(i64::MAX, unit), "infinity");
            assert_eq!(beyond(-i64::MAX, unit), "-infinity");
        }
        assert_eq!(beyond(i64::MAX - 1, TimeUnit::Second), "9223372036854775806 s since 1970");
        assert_eq!(date(i32::MAX), "infinity");
        assert_eq!(date(-i32::MAX), "-infinity");
        assert_eq!(date(20_778), "2026-11-21");
        assert_eq!(date(i32::MAX - 1), "2147483646 days since 1970");
    }

    #[test]
    fn clocks_and_intervals() {
        assert_eq!(clock(0), "00:00:00");
        assert_eq!(clock(nanos(86_400, TimeUnit::Second)), "24:00:00");
        assert_eq!(clock(nanos(-1_500, TimeUnit::Millisecond)), "-00:00:01.500000");
        assert_eq!(clock(nanos(1_000_000_001, TimeUnit::Nanosecond)), "00:00:01.000000001");
        assert_eq!(interval(IntervalMonthDayNano::new(0, 0, 0)), "00:00:00");
        let long = IntervalMonthDayNano::new(14, 3, 14_706_000_000_000);
        assert_eq!(interval(long), "1 year 2 months 3 days 04:05:06");
        assert_eq!(interval(IntervalMonthDayNano::new(-1, 0, 0)), "-1 month");
        assert_eq!(interval(IntervalMonthDayNano::new(0, -2, -1_000)), "-2 days -00:00:00.000001");
    }
}
