//! One value as a cell of a spreadsheet.

use std::borrow::Cow;

use chrono::NaiveDateTime;
use rust_xlsxwriter::{Format, Worksheet};

use crate::ReportError;
use crate::cell::{Cell, write_plain};
use crate::visible::escape;

/// Characters of a cell, counted as UTF-16 does.
pub(super) const CELL_CHARACTERS: usize = 32_767;

/// Room for what is said where a text was cut.
const CUT_CHARACTERS: usize = 64;

/// A spreadsheet shows 15 digits of a number, and makes zeros of those behind them.
const WHOLE_MAX: u64 = 999_999_999_999_999;

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// Days from the first day of a spreadsheet's calendar to 1970.
const EPOCH_DAYS: i64 = 25_569;

/// The first day that all spreadsheets count alike: 1900-03-01. Excel has a 29 February of 1900 before it.
const FIRST_DAY: i64 = 61;

/// The day behind the last one that a spreadsheet shows: 10000-01-01.
const END_DAY: i64 = 2_958_466;

/// How cells look.
pub(super) struct Formats {
    pub(super) heading: Format,
    /// A text stays one when somebody edits its cell.
    text: Format,
    time: Format,
    number: Format,
}

/// What became of a value.
#[derive(Default)]
pub(super) struct Written {
    pub(super) bytes: u64,
    pub(super) is_cut: bool,
}

impl Formats {
    pub(super) fn new() -> Self {
        Self {
            heading: Format::new().set_bold().set_num_format("@"),
            text: Format::new().set_num_format("@"),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss.000"),
            number: Format::new().set_num_format("0"),
        }
    }

    /// Writes a value; NULL leaves the cell empty.
    pub(super) fn write(
        &self,
        sheet: &mut Worksheet,
        (row, column): (u32, u16),
        cell: &Cell<'_>,
    ) -> Result<Written, ReportError> {
        match cell {
            Cell::Null => return Ok(Written::default()),
            Cell::Boolean(truth) => {
                sheet.write_boolean(row, column, *truth)?;
                return Ok(Written::default());
            }
            Cell::Instant(at) => {
                if let Some(days) = days(*at) {
                    sheet.write_number_with_format(row, column, days, &self.time)?;
                    return Ok(Written::default());
                }
            }
            Cell::Signed(_) | Cell::Unsigned(_) => {
                if let Some(number) = whole(cell) {
                    sheet.write_number_with_format(row, column, number, &self.number)?;
                    return Ok(Written::default());
                }
            }
            Cell::Double(number) if number.is_finite() => {
                sheet.write_number(row, column, *number)?;
                return Ok(Written::default());
            }
            _ => (),
        }
        let mut text = Vec::new();
        write_plain(&mut text, cell)?;
        let text = String::from_utf8_lossy(&text);
        // An empty cell is NULL, and a text without letters is not.
        let (shown, is_cut) = if text.is_empty() { (Cow::Borrowed("\"\""), false) } else { fitted(&text) };
        sheet.write_string_with_format(row, column, shown.as_ref(), &self.text)?;
        Ok(Written { bytes: shown.len() as u64, is_cut })
    }
}

/// The number, where a spreadsheet keeps all of its digits.
#[expect(clippy::cast_precision_loss, reason = "numbers of 15 digits are exact")]
fn whole(cell: &Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Signed(number) => (number.unsigned_abs() <= WHOLE_MAX).then_some(*number as f64),
        Cell::Unsigned(number) => (*number <= WHOLE_MAX).then_some(*number as f64),
        _ => None,
    }
}

/// The instant in days, where that gives back every microsecond of it.
#[expect(clippy::cast_precision_loss, reason = "the way back is tried")]
#[expect(clippy::cast_possible_truncation, reason = "a day has fewer microseconds than an i64")]
fn days(at: NaiveDateTime) -> Option<f64> {
    if !at.and_utc().timestamp_subsec_nanos().is_multiple_of(1_000) {
        return None;
    }
    let micros = at.and_utc().timestamp_micros();
    let day = micros.div_euclid(DAY_MICROS).checked_add(EPOCH_DAYS)?;
    let within = micros.rem_euclid(DAY_MICROS);
    let days = day as f64 + within as f64 / DAY_MICROS as f64;
    let back = ((days - day as f64) * DAY_MICROS as f64).round() as i64;
    ((FIRST_DAY..END_DAY).contains(&day) && back == within).then_some(days)
}

/// The text as a cell can hold it: nothing in it that commands or hides, and not too long; and whether it was cut.
pub(super) fn fitted(text: &str) -> (Cow<'_, str>, bool) {
    let shown = escape(text);
    let units = |text: &str| text.chars().map(char::len_utf16).sum::<usize>();
    if shown.len() <= CELL_CHARACTERS || units(&shown) <= CELL_CHARACTERS {
        return (shown, false);
    }
    let mut used = 0;
    let fits = |(_, letter): &(usize, char)| {
        used += letter.len_utf16();
        used <= CELL_CHARACTERS - CUT_CHARACTERS
    };
    let end = shown.char_indices().take_while(fits).last().map_or(0, |(at, letter)| at + letter.len_utf8());
    (Cow::Owned(format!("{}… (cut: {} characters)", &shown[..end], text.chars().count())), true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn a_time_is_typed_only_where_no_microsecond_is_lost() {
        let at = |micros: i64| DateTime::from_timestamp_micros(micros).unwrap().naive_utc();
        let typed = days(at(1_795_293_458_239_247)).unwrap();
        assert!((typed - 46_347.859_470_361_655).abs() < 1e-9, "{typed}");
        for micros in (1_795_293_458_000_000..1_795_293_458_002_000).chain(1_795_305_599_999_000..1_795_305_601_000_000)
        {
            assert!(days(at(micros)).is_some(), "{micros}");
        }
        // Before Excel's calendar, behind it, and where a day is too far away to count microseconds.
        for micros in [-2_300_000_000_000_000, 253_402_300_800_000_000, 32_503_680_000_000_001] {
            assert_eq!(days(at(micros)), None, "{micros}");
        }
        assert_eq!(days(DateTime::from_timestamp_nanos(1).naive_utc()), None);
    }

    #[test]
    fn numbers_are_typed_only_where_no_digit_is_lost() {
        assert_eq!(whole(&Cell::Signed(-999_999_999_999_999)), Some(-999_999_999_999_999.0));
        assert_eq!(whole(&Cell::Signed(1_000_000_000_000_000)), None);
        assert_eq!(whole(&Cell::Signed(i64::MIN)), None);
        assert_eq!(whole(&Cell::Unsigned(u64::MAX)), None);
    }

    #[test]
    fn a_text_is_cut_where_a_cell_ends() {
        assert_eq!(fitted(&"a".repeat(CELL_CHARACTERS)), ("a".repeat(CELL_CHARACTERS).into(), false));
        // A crab is one letter for people, two for UTF-16.
        for letter in ["a", "🦀", "\u{202e}"] {
            let long = letter.repeat(1_000_000);
            let (text, is_cut) = fitted(&long);
            assert!(is_cut && text.ends_with("… (cut: 1000000 characters)"), "{letter}");
            assert!(text.encode_utf16().count() <= CELL_CHARACTERS);
        }
    }
}
