//! The line as the API server writes it, decoded in one pass, without a form in between.
//!
//! The server's encoder is deterministic: members come in the order of its types, without white space, times with six
//! digits (155,272 of 155,272 events of real v1 logs). Such a line needs none of what other wrappings need, so it is
//! read straight into a row: every value a span of the line. Which member becomes which column is in the table of columns
//! ([`crate::columns`]), from whose paths the plan is made.
//!
//! Whatever is not exactly so (another member, a member twice, a value of another type, `null`, white space between
//! members, what only a collector writes: a verb in capitals, a level that no policy has, a body as text, keys without
//! their dots) is not for this module: it says no, and [`crate::Event::decode`] reads the line instead. So the two agree
//! by construction where this one says yes; a test compares them on the lines of all logs.

mod plan;

use memchr::memmem;

use crate::changed::{FLATTENED, LEVELS};
use crate::columns::{self, COLUMNS, Kind};
use crate::fingerprint::Keyed;
use crate::json_scan::{string_end, unescape, value_end};
use crate::keys;
use crate::partition::Folders;
use crate::request;
use crate::row::Origin;
use crate::rows::{Draft, Rows, Span};
use crate::shape::Position;
use crate::time;
use plan::{Member, Object, PLAN, Value};

const EVENT_TIME: usize = columns::at("event_time");
const AUDIT_ID: usize = columns::at("audit_id");
const STAGE: usize = columns::at("stage");
const LEVEL: usize = columns::at("level");
const VERB: usize = columns::at("verb");
const ANNOTATIONS: usize = columns::at("annotations");
const STATUS_CODE: usize = columns::at("status_code");
const SOURCE_IP: usize = columns::at("source_ip");
const SOURCE_IPS: usize = columns::at("source_ips");
const RESOURCE: usize = columns::at("resource");
const TRUNCATED: usize = columns::at("truncated");
const REDACTED: usize = columns::at("redacted");
const DATE: usize = columns::at("date");
const PARTITION: usize = columns::at("resource_partition");
const CLUSTER: usize = columns::at("cluster");
const HOST: usize = columns::at("host");
const SOURCE_ID: usize = columns::at("source_id");
const LINE_NUMBER: usize = columns::at("line_number");
const BYTE_OFFSET: usize = columns::at("byte_offset");
const BYTE_LENGTH: usize = columns::at("byte_length");

/// What tells where an event that was read belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Hash of the audit id; see [`Keyed::request`].
    pub request: u64,
    /// Time of the request in microseconds since 1970.
    pub time: i64,
    /// Another time stands for that of the request.
    pub is_time_assumed: bool,
    /// See [`request::stage_rank`].
    pub rank: u8,
    /// See [`request::goes_on`].
    pub goes_on: bool,
    /// Resource partition.
    pub partition: &'static str,
}

/// Reads the lines of one piece of a source into its rows.
#[derive(Debug)]
pub struct Canonical<'k> {
    keyed: &'k Keyed,
    /// Length of the piece.
    length: usize,
    origin: [(usize, Option<Span>); 3],
    folders: Folders,
    partitions: Vec<(&'static str, Span)>,
    /// Midnight of the day that was read last, by its ten characters.
    midnight: ([u8; 10], i64),
    draft: Draft,
    texts: Vec<Span>,
}

impl<'k> Canonical<'k> {
    /// For a piece of `length` bytes of a source that comes from `origin`.
    pub fn new(keyed: &'k Keyed, length: usize, origin: &Origin, rows: &mut Rows) -> Self {
        let mut copy = |text: &str| rows.copy(length, text.as_bytes());
        let folders = origin.folders;
        let origin = [
            (CLUSTER, origin.cluster.as_deref().map(&mut copy)),
            (HOST, origin.host.as_deref().map(&mut copy)),
            (SOURCE_ID, Some(copy(&origin.source_id))),
        ];
        let (draft, texts) = (Draft::new(), Vec::new());
        Self { keyed, length, origin, folders, partitions: Vec::new(), midnight: ([0; 10], 0), draft, texts }
    }

    /// Adds the row of a line that stands in the piece at `at`; `None`, and nothing is added, when the line is not exactly
    /// as the server writes it.
    pub fn read(&mut self, line: &[u8], at: usize, position: Position, rows: &mut Rows) -> Option<Taken> {
        let text = std::str::from_utf8(line).ok()?;
        self.draft.clear();
        let end = Reader { canonical: self, line: text, base: at, rows }.object(&PLAN, 0)?;
        if end != line.len() {
            return None;
        }
        let draft = &mut self.draft;
        let time = draft.get(EVENT_TIME)?;
        let slice = |span: Span| span.of(self.length, at, line, rows);
        let is_level = |level: &[u8]| LEVELS.iter().any(|known| known.as_bytes() == level);
        if !draft.span(LEVEL).map(slice).is_some_and(is_level)
            || draft.span(VERB).map(slice).is_some_and(|verb| verb.iter().any(u8::is_ascii_uppercase))
        {
            return None;
        }
        let stage = draft.span(STAGE).map(slice);
        let stage = stage.and_then(|stage| std::str::from_utf8(stage).ok());
        let code = draft.get(STATUS_CODE);
        let rank = request::stage_rank(stage);
        let resource = draft.span(RESOURCE).map(slice).and_then(|resource| std::str::from_utf8(resource).ok());
        let partition = self.folders.of_resource(resource);
        let taken = Taken {
            request: self.keyed.request(draft.span(AUDIT_ID).map(slice)?),
            time,
            is_time_assumed: false,
            rank,
            goes_on: request::goes_on(rank, code),
            partition,
        };
        let span = match self.partitions.iter().find(|(known, _)| std::ptr::eq(*known, partition)) {
            Some((_, span)) => *span,
            None => {
                let span = rows.copy(self.length, partition.as_bytes());
                self.partitions.push((partition, span));
                span
            }
        };
        draft.text(PARTITION, span);
        draft.int(DATE, time::day(time).into());
        if draft.get(TRUNCATED).is_none() {
            draft.int(TRUNCATED, 0);
        }
        draft.int(REDACTED, 0);
        for (column, span) in self.origin {
            if let Some(span) = span {
                draft.text(column, span);
            }
        }
        draft.int(LINE_NUMBER, position.line);
        draft.int(BYTE_OFFSET, position.offset);
        draft.int(BYTE_LENGTH, i64::try_from(line.len()).unwrap_or(i64::MAX));
        rows.add(draft);
        Some(taken)
    }
}

/// Whether the server leaves a member out when it is empty: that of an object, not of the event itself, whose verb can be.
fn is_left_out(column: usize) -> bool {
    COLUMNS[column].path.contains('.') && !COLUMNS[column].path.contains('[')
}

/// Reads one line.
struct Reader<'r, 'k, 'l> {
    canonical: &'r mut Canonical<'k>,
    line: &'l str,
    /// Where the line stands in the piece.
    base: usize,
    rows: &'r mut Rows,
}

impl Reader<'_, '_, '_> {
    /// Reads the object at `at`; returns what is behind it.
    fn object(&mut self, object: &Object, mut at: usize) -> Option<usize> {
        let bytes = self.line.as_bytes();
        if bytes.get(at)? != &b'{' {
            return None;
        }
        if bytes.get(at + 1)? == &b'}' {
            return object.may_be_empty.then_some(at + 2);
        }
        let (mut seen, mut next) = (0_u64, 0);
        loop {
            at += 1;
            // Members come in the order of the plan, but some are left out.
            let rest = bytes.get(at..)?;
            let count = object.members.len();
            let found = (next..count).chain(0..next).find(|member| rest.starts_with(&object.members[*member].key))?;
            if seen & 1 << found != 0 {
                return None;
            }
            seen |= 1 << found;
            next = found + 1;
            let member = &object.members[found];
            at = self.value(&member.value, at + member.key.len())?;
            match bytes.get(at)? {
                b',' => (),
                b'}' => break,
                _ => return None,
            }
        }
        // What is required does not make it say something by itself.
        let says = object.required == 0 || seen != object.required;
        (seen & object.required == object.required && says).then_some(at + 1)
    }

    fn value(&mut self, value: &Value, at: usize) -> Option<usize> {
        let bytes = self.line.as_bytes();
        match value {
            Value::Always(text) => bytes[at..].starts_with(text).then_some(at + text.len()),
            Value::Object(object) => self.object(object, at),
            Value::Map(column, members) => self.map(*column, members, at),
            // Where the server leaves out what is empty, a collector wrote it.
            Value::Column(column, Kind::Text) if bytes[at..].starts_with(b"\"\"") && is_left_out(*column) => None,
            Value::Column(column, Kind::Text) => {
                let (span, end) = self.string(at)?;
                self.canonical.draft.text(*column, span);
                Some(end)
            }
            // The server writes no body as text: a collector packed it, or put a word in its place.
            Value::Column(_, Kind::Json) if bytes.get(at)? == &b'"' => None,
            Value::Column(column, Kind::Json) => {
                let end = value_end(bytes, at)?;
                // What PowerShell leaves of an object: the decoder tells.
                if memmem::find(&bytes[at..end], FLATTENED).is_some() {
                    return None;
                }
                self.canonical.draft.text(*column, Span::new(self.base + at, end - at));
                Some(end)
            }
            Value::Column(column, Kind::Time) => {
                let (time, end) = self.time(at)?;
                self.canonical.draft.int(*column, time);
                Some(end)
            }
            Value::Column(column, Kind::Texts) => self.list(*column, at),
            Value::Column(column, Kind::Int) => {
                let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                // A status of three digits: no sign, no zero in front, no fraction.
                let text = self.line.get(at..at + digits).filter(|text| text.len() == 3 && !text.starts_with('0'))?;
                self.canonical.draft.int(*column, text.parse().ok()?);
                Some(at + digits)
            }
            Value::Column(..) => None,
        }
    }

    /// The text of the string at `at`, and what is behind it.
    fn string(&mut self, at: usize) -> Option<(Span, usize)> {
        let bytes = self.line.as_bytes();
        if bytes.get(at)? != &b'"' {
            return None;
        }
        let (end, escapes) = string_end(bytes, at + 1)?;
        if !escapes {
            return Some((Span::new(self.base + at + 1, end - at - 2), end));
        }
        let span = self.rows.write(self.canonical.length, |beside| unescape(&bytes[at + 1..end - 1], beside))?;
        Some((span, end))
    }

    fn list(&mut self, column: usize, at: usize) -> Option<usize> {
        let mut texts = std::mem::take(&mut self.canonical.texts);
        texts.clear();
        let end = self.strings(at, &mut texts);
        let list = self.rows.list(&texts);
        self.canonical.draft.text(column, list);
        if column == SOURCE_IPS
            && let Some(last) = texts.last()
        {
            self.canonical.draft.text(SOURCE_IP, *last);
        }
        self.canonical.texts = texts;
        end
    }

    /// The texts of the array of strings at `at`.
    fn strings(&mut self, mut at: usize, texts: &mut Vec<Span>) -> Option<usize> {
        let bytes = self.line.as_bytes();
        if bytes.get(at)? != &b'[' {
            return None;
        }
        if bytes.get(at + 1)? == &b']' {
            return Some(at + 2);
        }
        loop {
            let (text, end) = self.string(at + 1)?;
            texts.push(text);
            at = end;
            match bytes.get(at)? {
                b',' => (),
                b']' => return Some(at + 1),
                _ => return None,
            }
        }
    }

    /// An object that is kept word for word, some of whose members have columns.
    fn map(&mut self, column: usize, members: &[Member], start: usize) -> Option<usize> {
        let bytes = self.line.as_bytes();
        let mut at = start;
        if bytes.get(at)? != &b'{' {
            return None;
        }
        let mut seen = 0_u64;
        if bytes.get(at + 1)? == &b'}' {
            at += 1;
        } else {
            loop {
                at += 1;
                let rest = bytes.get(at..)?;
                let known = members.iter().position(|member| rest.starts_with(&member.key));
                at = match known {
                    Some(known) if seen & 1 << known != 0 => return None,
                    Some(known) => {
                        seen |= 1 << known;
                        let at = at + members[known].key.len();
                        // Annotations are texts, what the authenticator adds are lists of them.
                        let opens = if column == ANNOTATIONS { b'"' } else { b'[' };
                        if bytes.get(at)? != &opens {
                            return None;
                        }
                        self.map_value(&members[known].value, at)?
                    }
                    None => {
                        if bytes.get(at)? != &b'"' {
                            return None;
                        }
                        let (end, escapes) = string_end(bytes, at + 1)?;
                        // A key that is written with escapes may be one that has a column; one whose dots were replaced, too.
                        let is_replaced = || keys::restored(&self.line[at + 1..end - 1]).is_some();
                        if escapes || bytes.get(end)? != &b':' || is_replaced() {
                            return None;
                        }
                        value_end(bytes, end + 1)?
                    }
                };
                match bytes.get(at)? {
                    b',' => (),
                    b'}' => break,
                    _ => return None,
                }
            }
        }
        self.canonical.draft.text(column, Span::new(self.base + start, at + 1 - start));
        Some(at + 1)
    }

    /// A value of a map that has a column: a text, or the first of a list of texts.
    fn map_value(&mut self, value: &Value, at: usize) -> Option<usize> {
        let bytes = self.line.as_bytes();
        let Value::Column(column, kind) = value else { return None };
        if *kind == Kind::Bool {
            let (end, _) = string_end(bytes, at + 1)?;
            self.canonical.draft.int(*column, i64::from(&self.line[at..end] == "\"true\""));
            return Some(end);
        }
        if bytes.get(at)? == &b'"' {
            let (span, end) = self.string(at)?;
            self.canonical.draft.text(*column, span);
            return Some(end);
        }
        let mut texts = Vec::new();
        let end = self.strings(at, &mut texts)?;
        if let Some(first) = texts.first() {
            self.canonical.draft.text(*column, *first);
        }
        Some(end)
    }

    /// The instant in the string at `at`, when it is written as the server does.
    fn time(&mut self, at: usize) -> Option<(i64, usize)> {
        // `"2026-11-21T20:37:37.325661Z"`
        let text = self.line.get(at..at + 29)?;
        let bytes = text.as_bytes();
        let digits = |from: usize, length: usize| {
            let digits = &bytes[from..from + length];
            let number = digits.iter().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit.wrapping_sub(b'0')));
            digits.iter().all(u8::is_ascii_digit).then_some(number)
        };
        let marks = [(0, b'"'), (11, b'T'), (14, b':'), (17, b':'), (20, b'.'), (27, b'Z'), (28, b'"')];
        if !marks.iter().all(|(mark, byte)| bytes[*mark] == *byte) {
            return None;
        }
        if bytes[1..11] != self.canonical.midnight.0 {
            let midnight = time::parse_canonical(&format!("{}T00:00:00.000000Z", text.get(1..11)?))?;
            self.canonical.midnight = (bytes[1..11].try_into().ok()?, midnight);
        }
        let (hours, minutes, seconds) = (digits(12, 2)?, digits(15, 2)?, digits(18, 2)?);
        let seconds_of_day = (hours * 60 + minutes) * 60 + seconds;
        let time = self.canonical.midnight.1 + seconds_of_day * 1_000_000 + digits(21, 6)?;
        // A leap second would not survive the way through POSIX time and back.
        (hours < 24 && minutes < 60 && seconds < 60).then_some((time, at + 29))
    }
}

#[cfg(test)]
mod tests;
