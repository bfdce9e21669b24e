//! A value as JSON, written straight to the output.
//!
//! Instants are RFC 3339 with six digits and `Z`; decimals are numbers with all their digits; NaN and the infinities,
//! which JSON does not have, are null.

use std::io::{self, Write};

use super::{Cell, write_plain};
use crate::time;
use crate::visible::is_hostile;

/// Writes `cell` as one JSON value without any space or line end between its tokens.
///
/// # Errors
/// When `out` fails.
pub(crate) fn write_json(out: &mut impl Write, cell: &Cell<'_>) -> io::Result<()> {
    match cell {
        Cell::Null => out.write_all(b"null"),
        Cell::Boolean(value) => write!(out, "{value}"),
        Cell::Signed(value) => Ok(serde_json::to_writer(out, value)?),
        Cell::Unsigned(value) => Ok(serde_json::to_writer(out, value)?),
        Cell::Single(value) => Ok(serde_json::to_writer(out, value)?),
        Cell::Double(value) => Ok(serde_json::to_writer(out, value)?),
        Cell::Decimal(digits) => out.write_all(digits.as_bytes()),
        Cell::Text(text) => write_json_text(out, text),
        Cell::Instant(at) => {
            out.write_all(b"\"")?;
            time::write_rfc3339(out, *at)?;
            out.write_all(b"\"")
        }
        Cell::List { values, rows } => {
            out.write_all(b"[")?;
            for (count, row) in rows.clone().enumerate() {
                write_comma(out, count)?;
                write_json(out, &Cell::of(*values, row))?;
            }
            out.write_all(b"]")
        }
        Cell::Struct { fields, row } => {
            out.write_all(b"{")?;
            for (count, (field, column)) in fields.fields().iter().zip(fields.columns()).enumerate() {
                write_comma(out, count)?;
                write_json_text(out, field.name())?;
                out.write_all(b":")?;
                write_json(out, &Cell::of(column, *row))?;
            }
            out.write_all(b"}")
        }
        Cell::Map { entries, rows } => {
            out.write_all(b"{")?;
            for (count, row) in rows.clone().enumerate() {
                write_comma(out, count)?;
                write_key(out, &Cell::of(entries.column(0), row))?;
                out.write_all(b":")?;
                write_json(out, &Cell::of(entries.column(1), row))?;
            }
            out.write_all(b"}")
        }
    }
}

fn write_comma(out: &mut impl Write, count: usize) -> io::Result<()> {
    if count == 0 { Ok(()) } else { out.write_all(b",") }
}

/// A key of JSON is text, whatever the type of the map's keys.
fn write_key(out: &mut impl Write, key: &Cell<'_>) -> io::Result<()> {
    if let Cell::Text(text) = key {
        return write_json_text(out, text);
    }
    let mut plain = Vec::new();
    write_plain(&mut plain, key)?;
    write_json_text(out, &String::from_utf8_lossy(&plain))
}

/// Writes `text` as a JSON string. Characters that a terminal would obey or hide are escaped, even those that JSON
/// allows raw (U+009B is a whole `ESC [`): the value is the same, and `--format json` is safe to look at.
///
/// # Errors
/// When `out` fails.
pub(crate) fn write_json_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    // serde_json escapes the controls below U+0020 itself, so only these two kinds need a look.
    let is_suspect = |byte: &u8| *byte >= 0x7f;
    if !text.as_bytes().iter().any(is_suspect) || !text.chars().any(is_hostile) {
        return Ok(serde_json::to_writer(out, text)?);
    }
    for character in serde_json::to_string(text)?.chars() {
        let mut units = [0; 2];
        if is_hostile(character) {
            for unit in character.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}")?;
            }
        } else {
            write!(out, "{character}")?;
        }
    }
    Ok(())
}
