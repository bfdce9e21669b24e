//! Tables exported as text: CSV and TSV with any delimiter, the event in a cell or its members as columns.
//!
//! A row is a record: its place is all of it, line breaks in its cells included. It is told as a JSON object, with the names
//! of the header as keys, and searched like any other wrapper. The header is the text of a wrapper that all rows share.
//!
//! **A torn quotation mark must not swallow the file.** In a quoted cell every quotation mark is doubled. So one that is not, and that
//! ends no cell, stands in a line that begins a row of its own: the cell was torn before that line.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Framing;
use super::escaped::{self, Escaped};
use crate::json;
use crate::reject::Reason;
use crate::shape::nested::{Nested, Tears};
use crate::shape::readable::readable;
use crate::shape::{BYTE_ORDER_MARK, MAX_RECORD_BYTES, Position, Record, fields, header, mentions_event};

/// Delimiters that are tried, the usual ones first.
const DELIMITERS: [u8; 8] = [b',', b'\t', b';', b'|', b'^', b'~', 1, 0x1f];

/// Longest header that is read, in bytes.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Columns of a table that are told apart.
const MAX_COLUMNS: usize = 2_000;

/// Different headers that one process keeps: they live as long as it does.
const MAX_TABLES: usize = 1_000;

/// What the cells behind the times are called in what Grafana writes.
const LINE: &str = "line";

/// What a column is called that has no name. It is none that a collector gives to records: where the beginning of a table is missing,
/// the cell can be the body that a client sent, and the event in it one of its own making.
const UNNAMED: &str = "column";

/// Tables that were met, by delimiter, escapes and header.
static TABLES: Mutex<BTreeMap<Key, &'static Rows>> = Mutex::new(BTreeMap::new());

/// What tells tables apart.
type Key = (u8, bool, Vec<u8>);

/// A table: how its rows are cut, and what its columns are called.
#[derive(Debug)]
pub(in crate::shape) struct Rows {
    delimiter: u8,
    /// Bytes in front of the first row, without a byte order mark.
    header_bytes: usize,
    /// Names of the columns; none when there is no header.
    names: Vec<String>,
    /// What columns without a name are called.
    unnamed: &'static str,
    /// Backslashes escape what stands in cells, and a row is a line.
    is_escaped: bool,
}

/// The table that a source is that begins with `head`, if it is one.
pub(super) fn of(head: &[u8]) -> Option<&'static Rows> {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let blank = head.iter().position(|byte| !byte.is_ascii_whitespace())?;
    // Excel writes its delimiter into a line of its own.
    let (excel, start) = match head[blank..].strip_prefix(b"sep=") {
        Some([delimiter, rest @ ..]) if rest.starts_with(b"\n") || rest.starts_with(b"\r\n") => {
            let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            (Some(*delimiter), head.len() - rest.len() + line)
        }
        // PowerShell's `Export-Csv` says in front of the header what the rows are objects of.
        _ if head[blank..].starts_with(b"#TYPE ") => {
            (None, memchr::memchr(b'\n', &head[blank..]).map_or(head.len(), |end| blank + end + 1))
        }
        _ => (None, blank),
    };
    if let Some(Escaped { delimiter, header_bytes, names, is_single }) =
        escaped::recognises(&head[start..], &DELIMITERS)
    {
        let header = start + header_bytes;
        let unnamed = if is_single { LINE } else { UNNAMED };
        return table((delimiter, true), header, head.get(..header)?, names, unnamed);
    }
    if matches!(head.get(start)?, b'{' | b'[' | b'<' | b'-') {
        return None;
    }
    if let Some(lines) = grafana(&head[start..]) {
        return table((b'\t', false), start + lines, &head[..start + lines], Vec::new(), LINE);
    }
    for delimiter in excel.into_iter().chain(DELIMITERS) {
        let row = row_end(&head[start..], delimiter, true)?;
        if row.end > MAX_HEADER_BYTES || !row.is_whole {
            continue;
        }
        let line = &head[start..start + row.end];
        let names = cells(line, delimiter);
        let rest = &head[start + row.end..];
        if is_header(&names, rest, delimiter) {
            return table((delimiter, false), start + row.end, &head[..start + row.end], names, UNNAMED);
        }
        // Nobody wrote a header: quotation marks that are doubled tell a cell from the text of a line.
        let is_event = |cell: &String| cell.starts_with('{') && mentions_event(cell.as_bytes());
        if memchr::memmem::find(line, b"\"{\"\"").is_some() && names.iter().any(is_event) {
            return table((delimiter, false), start, &head[..start], Vec::new(), UNNAMED);
        }
    }
    None
}

/// Length of what Grafana's Explore writes in front of the lines of a TXT download: labels, limit and size. Each line is a time in
/// milliseconds, the same as text, and the line of the log.
fn grafana(head: &[u8]) -> Option<usize> {
    const NAMES: [&[u8]; 3] = [b"Common labels: ", b"Line limit: ", b"Total bytes processed: "];
    let mut length = 0;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let is_text = NAMES.iter().any(|name| line.starts_with(name)) || line.trim_ascii().is_empty();
        if !is_text {
            let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
            return (length > 0 && (13..=19).contains(&digits) && line[digits..].starts_with(b"\t")).then_some(length);
        }
        length += line.len();
    }
    None
}

/// Whether the cells of a line are the names of a table whose rows hold events.
fn is_header(names: &[String], rest: &[u8], delimiter: u8) -> bool {
    // Splunk calls what has several values `user.groups{}`.
    let is_name = |name: &String| name.len() <= 200 && !name.replace("{}", "").contains(['{', '}', '"', '\n']);
    let is_empty = names.iter().all(|name| name.trim().is_empty());
    if is_empty || names.len() > MAX_COLUMNS || !names.iter().all(is_name) {
        return false;
    }
    if fields::are_of_events(names) {
        return true;
    }
    // A cell of the first row is an event, or the beginning of one.
    let Some(row) = row_end(rest, delimiter, true) else { return false };
    let first = cells(&rest[..row.end.min(rest.len())], delimiter);
    // Behind what a collector puts in front of it, too.
    let is_json = |cell: &String| header::header(cell).is_some();
    let is_event = |cell: &String| is_json(cell) && mentions_event(cell.as_bytes());
    // Under a name that nobody is known to use it is marked, but a cell it is when its quotation marks are doubled.
    let is_cell = || memchr::memmem::find(&rest[..row.end.min(rest.len())], b"{\"\"").is_some();
    let known = names.iter().any(|name| fields::may_hold_event(name));
    (known || is_cell()) && first.iter().any(is_event) && first.len() == names.len()
}

/// The one copy of a table that lives as long as the process.
fn table(
    (delimiter, is_escaped): (u8, bool),
    header_bytes: usize,
    header: &[u8],
    names: Vec<String>,
    unnamed: &'static str,
) -> Option<&'static Rows> {
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (delimiter, is_escaped, header.to_vec());
    if let Some(known) = tables.get(&key) {
        return Some(known);
    }
    if tables.len() >= MAX_TABLES {
        return None;
    }
    let table: &'static Rows = Box::leak(Box::new(Rows { delimiter, header_bytes, names, unnamed, is_escaped }));
    tables.insert(key, table);
    Some(table)
}

/// The end of a row.
struct RowEnd {
    /// Behind its line end.
    end: usize,
    /// It ends where a row can end: at a line end outside of a cell, or with the source.
    is_whole: bool,
}

/// Where the row ends that `text` begins with; `None` when it may go on behind the text. With `last` nothing is behind it.
fn row_end(text: &[u8], delimiter: u8, last: bool) -> Option<RowEnd> {
    // A cell had a line break in it.
    let mut has_lines = false;
    // Where a cell begins.
    let mut at = 0;
    while at < text.len() {
        if text[at] != b'"' {
            // A bare cell: quotation marks in it mean nothing.
            let length = text[at..].iter().position(|byte| *byte == delimiter || *byte == b'\n');
            match length.map(|length| at + length) {
                Some(end) if text[end] == b'\n' => return Some(RowEnd { end: end + 1, is_whole: true }),
                Some(end) => at = end + 1,
                None => at = text.len(),
            }
            continue;
        }
        match quoted_end(text, at, delimiter, &mut has_lines) {
            Quoted::Ends(end) => match text.get(end) {
                Some(b'\n') => return Some(RowEnd { end: end + 1, is_whole: true }),
                Some(b'\r') if text.get(end + 1) == Some(&b'\n') => {
                    return Some(RowEnd { end: end + 2, is_whole: true });
                }
                _ => at = end + 1,
            },
            // The cell was torn in the first line of the row: what follows is looked at line by line.
            Quoted::Torn if has_lines => return Some(RowEnd { is_whole: false, ..line_end(text) }),
            // Not the way in which cells are quoted: the line is the row.
            Quoted::Torn => {
                let row = line_end(text);
                return (last || text[..row.end].ends_with(b"\n")).then_some(row);
            }
            Quoted::GoesOn if last => return Some(RowEnd { is_whole: false, ..line_end(text) }),
            Quoted::GoesOn => return None,
        }
        if at >= text.len() && !last {
            return None;
        }
    }
    last.then_some(RowEnd { end: text.len(), is_whole: true })
}

fn line_end(text: &[u8]) -> RowEnd {
    RowEnd { end: memchr::memchr(b'\n', text).map_or(text.len(), |end| end + 1), is_whole: true }
}

/// What becomes of a quoted cell.
enum Quoted {
    /// It ends in front of this place: a delimiter, or a line end.
    Ends(usize),
    /// It goes on where the text ends.
    GoesOn,
    /// A quotation mark in it is neither doubled nor at its end.
    Torn,
}

/// Reads the quoted cell at `start`, and notes whether there are lines in it.
fn quoted_end(text: &[u8], start: usize, delimiter: u8, has_lines: &mut bool) -> Quoted {
    let mut at = start + 1;
    loop {
        let Some(found) = memchr::memchr2(b'"', b'\n', &text[at..]) else { return Quoted::GoesOn };
        at += found + 1;
        if text[at - 1] == b'\n' {
            *has_lines = true;
            continue;
        }
        match text.get(at) {
            Some(b'"') => at += 1,
            Some(b'\n') => return Quoted::Ends(at),
            Some(b'\r') if text.get(at + 1).is_none_or(|byte| *byte == b'\n') => return Quoted::Ends(at),
            Some(byte) if *byte == delimiter => return Quoted::Ends(at),
            Some(_) => return Quoted::Torn,
            None => return Quoted::Ends(at),
        }
    }
}

/// A row of a table in a source of something else, told as JSON: lines and tables that were put together. The names of its columns
/// are not known, so what it holds is marked.
pub(in crate::shape) fn among_lines(line: &str) -> Option<String> {
    let at = memchr::memmem::find(line.as_bytes(), b"\"{\"\"")?;
    // In front of the cell stands a delimiter, if it is not the first.
    let before = at.checked_sub(1).and_then(|before| line.as_bytes().get(before));
    let delimiter = match before {
        Some(byte) => *DELIMITERS.iter().find(|delimiter| *delimiter == byte)?,
        None => *DELIMITERS.iter().find(|delimiter| memchr::memchr(**delimiter, line.as_bytes()).is_some())?,
    };
    let row = row_end(line.as_bytes(), delimiter, true).filter(|row| row.is_whole && row.end == line.len());
    let table = Rows { delimiter, header_bytes: 0, names: Vec::new(), unnamed: UNNAMED, is_escaped: false };
    row.map(|_| table.object(&cells(line.as_bytes(), delimiter)))
}

/// The cells of a row.
fn cells(row: &[u8], delimiter: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(row);
    let records = reader.byte_records().map_while(Result::ok);
    let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
    let mut cells = Vec::new();
    records.for_each(|record| cells.extend(record.iter().map(text)));
    cells
}

impl Framing for Rows {
    fn name(&self) -> &'static str {
        "rows"
    }

    fn spans_lines(&self) -> bool {
        true
    }

    /// Behind the last row that is whole.
    fn cut(&self, bytes: &[u8]) -> usize {
        if self.is_escaped {
            return memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
        }
        let mut end = 0;
        while end < bytes.len() {
            match row_end(&bytes[end..], self.delimiter, false) {
                Some(row) => end += row.end,
                None => break,
            }
        }
        end
    }

    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        let mut at = 0;
        if start.offset == 0 {
            at = if piece.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            at = (at + self.header_bytes).min(piece.len());
        }
        let (mut position, mut done) = (start, 0);
        let tears = Tears::default();
        while at < piece.len() {
            let row = if self.is_escaped {
                Some(line_end(&piece[at..]))
            } else {
                row_end(&piece[at..], self.delimiter, true)
            };
            let Some(row) = row else { break };
            let place = at..at + row.end;
            at = place.end;
            let line = &piece[place.clone()];
            if line.trim_ascii().is_empty() {
                continue;
            }
            // A blank in front can be an empty cell.
            let bytes = line.strip_suffix(b"\n").unwrap_or(line);
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            position = position.after(&piece[done..place.start]);
            done = place.start;
            let terminated = !last || place.end < piece.len() || piece.ends_with(b"\n");
            self.row(Nested { position, bytes, terminated, tears: &tears }, row.is_whole, each);
        }
    }
}

impl Rows {
    /// The records of a row: its events, or one reject.
    fn row(&self, row: Nested<'_>, is_whole: bool, each: &mut dyn FnMut(Record<'_>)) {
        let mark = readable(row.bytes).1;
        let each = &mut |mut record: Record<'_>| {
            record.decoded.mark(mark);
            each(record);
        };
        if row.bytes.len() > MAX_RECORD_BYTES {
            return row.records(true, Reason::TooLong { limit: MAX_RECORD_BYTES }, each);
        }
        let cells = match self.delimiter {
            delimiter if self.is_escaped => escaped::cells(row.bytes, delimiter),
            // Nobody quotes there: a tab in the line of a log is no delimiter.
            b'\t' if self.names.is_empty() => {
                String::from_utf8_lossy(row.bytes).splitn(3, '\t').map(str::to_owned).collect()
            }
            delimiter => cells(row.bytes, delimiter),
        };
        // The columns of a table are shared by its rows: this is a header in the middle, of files that were put together.
        if !self.names.is_empty() && cells == self.names {
            return;
        }
        let reason = if is_whole { Reason::NotAuditEvent { missing: "audit event in this row" } } else { Reason::Torn };
        if is_whole && (cells.len() <= self.names.len() || self.names.is_empty()) {
            return row.records_told(&self.object(&cells), reason, each);
        }
        if is_whole {
            // What does not fit the header is read as a line: cells that nobody quoted have delimiters in them.
            return row.records(false, reason, each);
        }
        // The next row is one by itself: in what was torn every quotation mark is doubled, whoever wrote it.
        Nested { tears: &Tears::default(), ..row }.records(false, reason, each);
    }

    /// A row as a JSON object.
    fn object(&self, cells: &[String]) -> String {
        let mut object = String::from("{");
        for (number, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            if object.len() > 1 {
                object.push(',');
            }
            json::push_string(&mut object, self.names.get(number).map_or(self.unnamed, |name| name.trim()));
            object.push(':');
            json::push_string(&mut object, cell);
        }
        object.push('}');
        object
    }
}
