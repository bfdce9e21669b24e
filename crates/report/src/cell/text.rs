//! A value as text: exactly as it is for programs, and made safe and short for people.

use std::io::{self, Write};

use super::{Cell, write_json};
use crate::time;
use crate::visible::escape;

/// What stands for NULL inside a table. A text that is just this dash is shown in quotes.
pub(crate) const NULL: &str = "-";

/// Writes `cell` for a CSV field: nothing for NULL, JSON for lists, structs and maps, and otherwise the value itself.
///
/// # Errors
/// When `out` fails.
pub(crate) fn write_plain(out: &mut impl Write, cell: &Cell<'_>) -> io::Result<()> {
    match cell {
        Cell::Null => Ok(()),
        Cell::Text(text) => out.write_all(text.as_bytes()),
        Cell::Instant(at) => time::write_rfc3339(out, *at),
        // JSON has no word for these; `NaN`, `inf` and `-inf` read back in DuckDB, Python and Rust.
        Cell::Single(value) if !value.is_finite() => write!(out, "{value}"),
        Cell::Double(value) if !value.is_finite() => write!(out, "{value}"),
        _ => write_json(out, cell),
    }
}

/// The text of `cell` in a table, or `None` for NULL. It holds no character that a terminal obeys or hides.
///
/// An empty text is shown as `""` and a lone dash as `"-"`, so that neither passes for NULL.
pub(crate) fn shown(cell: &Cell<'_>) -> Option<String> {
    match cell {
        Cell::Null => None,
        Cell::Text(text) if text.is_empty() => Some("\"\"".to_owned()),
        Cell::Text(text) if text == NULL => Some(format!("\"{NULL}\"")),
        Cell::Text(text) => Some(escape(text).into_owned()),
        Cell::List { rows, .. } if rows.is_empty() => Some("[]".to_owned()),
        Cell::List { values, rows } => {
            let elements = rows.clone().map(|row| element(&Cell::of(*values, row)));
            Some(elements.collect::<Vec<_>>().join(", "))
        }
        Cell::Instant(at) => Some(in_memory(|out| time::write_millis(out, *at))),
        _ => Some(in_memory(|out| write_plain(out, cell))),
    }
}

/// A list inside a list keeps its brackets, so that it is seen where it ends.
fn element(cell: &Cell<'_>) -> String {
    let text = shown(cell).unwrap_or_else(|| NULL.to_owned());
    match cell {
        Cell::List { rows, .. } if !rows.is_empty() => format!("[{text}]"),
        _ => text,
    }
}

fn in_memory(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    // Writing to memory cannot fail, and what is written is UTF-8.
    let _ = write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}
