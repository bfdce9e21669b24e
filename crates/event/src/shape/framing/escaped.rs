//! Tables whose cells are escaped by backslashes, as databases write them: MySQL's `INTO OUTFILE` and `--batch`, PostgreSQL's `COPY`,
//! ClickHouse's `TSV`, Spark's CSV, whatever doubles the backslashes of a cell. A row is a line.
//!
//! JSON has backslashes of its own, and `"a\\u0026b"` is JSON either way, of different values. So what a table is, is told from all rows
//! of its beginning: one cell that is JSON only without these escapes, and none that has them half.

use memchr::memmem;

use crate::shape::{fields, mentions_event};

/// Rows that are looked at.
const MAX_ROWS: usize = 200;

/// What is known of a table from its beginning.
pub(super) struct Escaped {
    pub(super) delimiter: u8,
    /// Length of the line that names the columns, if there is one.
    pub(super) header_bytes: usize,
    pub(super) names: Vec<String>,
    /// There is one column.
    pub(super) is_single: bool,
}

/// The table that a source is that begins with `head`.
pub(super) fn recognises(head: &[u8], delimiters: &[u8]) -> Option<Escaped> {
    let has = |bytes: &[u8]| memmem::find(head, bytes).is_some();
    if !(has(b"\\\\") || has(b"{\\\"")) {
        return None;
    }
    let whole = memchr::memrchr(b'\n', head).map_or(head, |newline| &head[..newline]);
    let lines: Vec<&[u8]> = whole.split(|byte| *byte == b'\n').take(MAX_ROWS).collect();
    let first = lines.first()?;
    delimiters.iter().find_map(|delimiter| {
        let columns = cells(first, *delimiter).len();
        // A line of JSON has commas.
        let is_single = columns == 1 && *delimiter == b'\t';
        if columns == 1 && !is_single {
            return None;
        }
        let is_row = |line: &&&[u8]| !line.trim_ascii().is_empty();
        let mut rows = lines.iter().filter(is_row).map(|line| raw_cells(line, *delimiter));
        let begins = rows.next()?;
        // A line of JSON has texts between commas, too: a list of some looks like the cells of a row.
        if begins
            .first()
            .is_some_and(|cell| cell.starts_with(b"[") || cell.starts_with(b"{") && !is_json(&unescaped(cell)))
        {
            return None;
        }
        let is_header = !begins.iter().any(|cell| is_event(&unescaped(cell)));
        let mut seen = Seen::default();
        let all = std::iter::once(begins).filter(|_| !is_header).chain(rows);
        for row in all {
            // The last line may be torn, and others be damaged.
            seen.rows += 1;
            seen.fitting += usize::from(row.len() == columns && seen.row(&row));
        }
        let names = cells(first, *delimiter).into_iter().filter(|_| is_header).collect::<Vec<_>>();
        let is_name = |name: &String| name.len() <= 200 && !name.contains(['{', '}', '"', '\n']);
        let may_be = names.iter().all(is_name)
            && (!is_header || names.iter().any(|name| fields::may_hold_event(name)) || seen.is_escaped());
        let header_bytes = if is_header { first.len() + 1 } else { 0 };
        (seen.is_escaped() && may_be).then_some(Escaped { delimiter: *delimiter, header_bytes, names, is_single })
    })
}

/// What the cells of rows that are events tell.
#[derive(Default)]
struct Seen {
    rows: usize,
    fitting: usize,
    /// Cells that are events without escapes only.
    escaped: usize,
    /// Cells that have escapes which only the server wrote.
    bare: usize,
    /// Cells in which the server's own escapes are doubled: it never writes `&` as it is.
    doubled: usize,
}

impl Seen {
    /// Looks at a row; whether there is an event in it.
    fn row(&mut self, row: &[&[u8]]) -> bool {
        let event = row.iter().find(|cell| is_event(&unescaped(cell)) || is_event(&String::from_utf8_lossy(cell)));
        let Some(cell) = event else { return false };
        let is_bare = is_json(&String::from_utf8_lossy(cell)) && !cell.starts_with(b"\"");
        let is_escaped = is_json(&unescaped(cell));
        self.escaped += usize::from(is_escaped && !is_bare && cell.contains(&b'\\'));
        self.bare += usize::from(!is_escaped || (is_bare && has_odd(cell)));
        self.doubled += usize::from(memmem::find(cell, b"\\\\u0026").is_some());
        true
    }

    fn is_escaped(&self) -> bool {
        self.escaped + self.doubled > 0 && self.bare == 0 && self.fitting * 10 >= self.rows * 9
    }
}

fn is_event(cell: &str) -> bool {
    cell.starts_with('{') && mentions_event(cell.as_bytes())
}

fn is_json(cell: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(cell).is_ok()
}

/// Whether an odd number of backslashes stands somewhere.
fn has_odd(cell: &[u8]) -> bool {
    cell.split(|byte| *byte != b'\\').any(|run| run.len() % 2 == 1)
}

/// The cells of a line, with quotation marks and escapes.
fn raw_cells(line: &[u8], delimiter: u8) -> Vec<&[u8]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (mut cells, mut start, mut at) = (Vec::new(), 0, 0);
    let mut quoted = line.first() == Some(&b'"');
    while at < line.len() {
        match line[at] {
            b'\\' => at += 1,
            b'"' if quoted && at > start => match line.get(at + 1) {
                Some(b'"') => at += 1,
                _ => quoted = false,
            },
            byte if byte == delimiter && !quoted => {
                cells.push(&line[start..at]);
                start = at + 1;
                quoted = line.get(start) == Some(&b'"');
                // What the mark opens begins behind it.
                at += usize::from(quoted);
            }
            _ => (),
        }
        at += 1;
    }
    cells.push(&line[start..]);
    cells
}

/// The cells of a line, without quotation marks and escapes.
pub(super) fn cells(line: &[u8], delimiter: u8) -> Vec<String> {
    raw_cells(line, delimiter).into_iter().map(unescaped).collect()
}

fn unescaped(cell: &[u8]) -> String {
    // NULL
    if cell == b"\\N" {
        return String::new();
    }
    // A text as JSON writes it: `\u00fc` is one letter there, where tables know no such escape.
    if cell.starts_with(b"\"")
        && let Ok(text) = serde_json::from_slice(cell)
    {
        return text;
    }
    let inner = cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\""));
    let (text, is_quoted) = inner.map_or((cell, false), |inner| (inner, true));
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => out.push(b'\n'),
                Some(b't') => out.push(b'\t'),
                Some(b'r') => out.push(b'\r'),
                Some(b'b') => out.push(8),
                Some(b'f') => out.push(12),
                Some(b'v') => out.push(11),
                Some(b'0') => out.push(0),
                Some(other) => out.push(*other),
                None => out.push(b'\\'),
            },
            // Doubled, as in any CSV.
            b'"' if is_quoted && bytes.as_slice().first() == Some(&b'"') => {
                bytes.next();
                out.push(b'"');
            }
            byte => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_told_as_they_were() {
        assert_eq!(cells(b"1\t\\N\ta\\\\b\\tc\t", b'\t'), ["1", "", "a\\b\tc", ""]);
        assert_eq!(cells(b"\"1\",\"a\\\"b\\\\\",\"c\"\"d,e\"\r", b','), ["1", "a\"b\\", "c\"d,e"]);
        assert_eq!(cells(b"\"\",x", b','), ["", "x"]);
        // What a program that writes JSON escapes, and a cell in quotation marks that are doubled.
        assert_eq!(cells(br#""a\u00fc\ud83e\udd80\"b\\u0026""#, b','), ["aü🦀\"b\\u0026"]);
        assert_eq!(cells(br#""a""b\\c""#, b','), ["a\"b\\c"]);
    }

    #[test]
    fn a_table_is_told_from_lines_of_json() {
        let event = r#"{"auditID":"a","x":"\"q\"","uri":"a\u0026b"}"#;
        let doubled = event.replace('\\', "\\\\");
        let is = |text: &str| recognises(text.as_bytes(), b",\t").map(|table| (table.delimiter, table.names.len()));
        assert_eq!(is(&format!("1\t{doubled}\n2\t{doubled}\n")), Some((b'\t', 0)));
        assert_eq!(is(&format!("id\tlog\n2\t{doubled}\n")), Some((b'\t', 2)));
        assert_eq!(is(&format!("{doubled}\n")), Some((b'\t', 0)));
        assert_eq!(is(&format!("\"1\",\"{}\"\n", doubled.replace('"', "\\\""))), Some((b',', 0)));
        // One row that only the server wrote.
        assert_eq!(is(&format!("1\t{doubled}\n2\t{event}\n")), None);
        assert_eq!(is(&format!("{event}\n{event}\n")), None);
        assert_eq!(is("{\"auditID\":\"a\\\\b\"}\n"), None);
        // A list of texts, by itself and in an object, and a table whose first cell is the event.
        let text = serde_json::to_string(event).unwrap();
        for list in [format!("[{text},{text},{text}]"), format!("{{\"a\":[1,2],\"b\":[{text},{text},{text}]}}")] {
            assert_eq!(is(&list), None, "{list}");
            assert_eq!(is(&format!("{list}\n")), None, "{list}");
        }
        assert_eq!(is(&format!("{doubled}\t1\n{doubled}\t2\n")), Some((b'\t', 0)));
    }
}
