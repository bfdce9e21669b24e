//! Secret values in JSON text, by structure. One pass from left to right that also works on half a document.
//!
//! The `kind` of an object may stand behind its data (keys can be sorted), so a value that *may* be a secret
//! is marked, and what becomes of the mark is decided when the object around it ends.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use super::{About, Edit, Redactor, apply};

/// Objects in objects that are told apart; what is deeper belongs to the last of them.
const MAX_DEPTH: usize = 100;

/// JSON in strings in JSON that is opened. Wrappers need four at most.
const MAX_STRINGS: usize = 6;

/// Longest time of a container runtime: RFC 3339 with nine digits and an offset.
const MAX_TIME_BYTES: usize = 35;

/// Why a value may be a secret: bits of a [`Mark`].
mod why {
    /// Below `data` or `stringData`.
    pub(super) const DATA: u8 = 1;
    /// The `value` of an operation of a JSON patch.
    pub(super) const PATCH: u8 = 1 << 1;
    /// `kubectl.kubernetes.io/last-applied-configuration`.
    pub(super) const MANIFEST: u8 = 1 << 2;
    /// A member called `token`.
    pub(super) const TOKEN: u8 = 1 << 3;
    /// A header that carries credentials.
    pub(super) const HEADER: u8 = 1 << 4;
    /// In a fragment whose beginning is missing: nobody knows what it belongs to.
    pub(super) const FRAGMENT: u8 = 1 << 5;
    /// Below a member called `token` that is no text.
    pub(super) const BELOW_TOKEN: u8 = 1 << 6;
    /// Right below `data` or `stringData`, not deeper.
    pub(super) const ENTRY: u8 = 1 << 7;
}

/// The annotation that repeats the whole manifest.
const MANIFEST_NAME: &[u8] = b"/last-applied-configuration";

/// Headers that carry credentials, in lower case.
const HEADERS: [&[u8]; 6] =
    [b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"x-auth-token", b"x-api-key"];

/// Members of an audit event, and of objects, whose values are not secrets: they stay readable in a fragment.
const HARMLESS: [&[u8]; 30] = [
    b"kind",
    b"apiVersion",
    b"level",
    b"auditID",
    b"stage",
    b"requestURI",
    b"verb",
    b"username",
    b"uid",
    b"resource",
    b"namespace",
    b"name",
    b"subresource",
    b"apiGroup",
    b"resourceVersion",
    b"userAgent",
    b"type",
    b"code",
    b"status",
    b"reason",
    b"requestReceivedTimestamp",
    b"stageTimestamp",
    b"creationTimestamp",
    b"time",
    b"stream",
    b"operation",
    b"manager",
    b"fieldsType",
    b"authorization.k8s.io/decision",
    b"authorization.k8s.io/reason",
];

/// What the key of a member says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    None,
    Kind,
    Data,
    Token,
    Manifest,
    Path,
    Value,
    /// A row of a table.
    Cells,
    Header,
    Harmless,
    Other,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unknown,
    Secret,
    /// Of a vendor, such as `SealedSecret`: its `data` are texts, or say where the values come from.
    LikeSecret,
    Token,
    Other,
}

/// An object or array whose end has not been reached.
#[derive(Debug)]
struct Frame {
    kind: Kind,
    /// Reasons that hold for everything in it.
    under: u8,
    key: Key,
    /// Whether a `path` was seen, and leads to the data of a Secret.
    path: Option<bool>,
    /// Whether a `value` was seen: it may be an operation of a JSON patch.
    value: bool,
    /// It is the value of `data` or `stringData`: the names of its members are free, `kind` among them.
    is_data: bool,
    /// Number of the first mark in it.
    marks: usize,
    /// Cells of a row of a table that were seen, when it is one.
    cells: Option<usize>,
}

/// A value that may be a secret.
#[derive(Debug)]
struct Mark {
    at: Range<usize>,
    why: u8,
}

struct Scan<'a> {
    redactor: &'a Redactor,
    text: &'a [u8],
    about: About,
    /// Strings that this text was unpacked from.
    strings: usize,
    frames: Vec<Frame>,
    /// Frames beyond [`MAX_DEPTH`].
    deeper: usize,
    /// The text is at its end.
    torn: bool,
    /// An object ended or a member stood where none had begun: the beginning of the record is missing.
    headless: bool,
    marks: Vec<Mark>,
    edits: Vec<Edit>,
}

impl Redactor {
    /// Finds the secret values in JSON text, in order.
    pub(super) fn scan(&self, text: &[u8], about: About) -> Vec<Edit> {
        self.scan_string(text, about, 0)
    }

    fn scan_string(&self, text: &[u8], about: About, strings: usize) -> Vec<Edit> {
        let scan = |under| {
            let mut scan = Scan {
                redactor: self,
                text,
                about,
                strings,
                frames: vec![Frame::new(under, 0)],
                deeper: 0,
                torn: false,
                headless: false,
                marks: Vec::new(),
                edits: Vec::new(),
            };
            scan.run();
            scan
        };
        let mut done = scan(0);
        if done.headless && about == About::Unknown {
            done = scan(why::FRAGMENT);
        }
        done.edits.sort_by_key(|edit| edit.at.start);
        // Of two at one place the later one replaces all of it.
        done.edits.reverse();
        done.edits.dedup_by_key(|edit| edit.at.start);
        done.edits.reverse();
        done.edits
    }
}

impl Frame {
    fn new(under: u8, marks: usize) -> Self {
        Self {
            kind: Kind::Unknown,
            under,
            key: Key::None,
            path: None,
            value: false,
            is_data: false,
            marks,
            cells: None,
        }
    }
}

impl Scan<'_> {
    fn run(&mut self) {
        let mut at = self.fragment();
        while let Some(&byte) = self.text.get(at) {
            at = match byte {
                b'"' => self.string(at),
                b'{' | b'[' => {
                    self.open();
                    at + 1
                }
                b'}' | b']' => {
                    // Other text has brackets that only close as well, but no braces.
                    self.headless |= byte == b'}' && self.frames.len() == 1;
                    self.close();
                    at + 1
                }
                b',' => {
                    self.top().key = Key::None;
                    at + 1
                }
                b':' | b' ' | b'\t' | b'\r' | b'\n' => at + 1,
                _ => self.literal(at),
            };
        }
        self.torn = true;
        self.deeper = 0;
        while self.frames.len() > 1 {
            self.close();
        }
        self.decide(0, self.accepted(), 0);
    }

    /// The frame on top. The lowest one stands for the text as a whole and is never taken away.
    fn top(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    /// Reasons that make a secret of a value which no kind says anything about.
    fn accepted(&self) -> u8 {
        match self.about {
            About::Secrets => why::DATA | why::MANIFEST | why::HEADER,
            About::Token => why::TOKEN | why::BELOW_TOKEN | why::HEADER,
            About::Else => why::HEADER,
            // What `token` is when it is no text, only the kind can tell.
            About::Unknown => !why::BELOW_TOKEN,
        }
    }

    /// Reasons that hold for the value that comes next.
    fn reasons(&mut self) -> u8 {
        let frame = self.top();
        let by_key = match frame.key {
            Key::Data => why::DATA,
            Key::Value => why::PATCH,
            Key::Header => why::HEADER,
            Key::Token => why::TOKEN,
            Key::Manifest => why::MANIFEST,
            Key::None | Key::Kind | Key::Path | Key::Cells | Key::Harmless | Key::Other => 0,
        };
        let entry = if frame.is_data { why::ENTRY } else { 0 };
        by_key | entry | frame.under
    }

    fn open(&mut self) {
        if self.frames.len() >= MAX_DEPTH {
            self.deeper += 1;
            return;
        }
        // A member called `token` is a secret when it is a text, not when it is an object.
        let mut under = self.reasons() & !(why::TOKEN | why::MANIFEST | why::ENTRY);
        if self.top().key == Key::Token {
            under |= why::BELOW_TOKEN;
        }
        if self.top().key == Key::Harmless {
            under &= !why::FRAGMENT;
        }
        let is_data = self.top().key == Key::Data;
        let cells = (self.top().key == Key::Cells).then_some(0);
        let frame = Frame { is_data, cells, ..Frame::new(under, self.marks.len()) };
        self.frames.push(frame);
    }

    fn close(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        if self.frames.len() == 1 {
            // What follows belongs to an object of which nothing is known.
            let under = self.frames[0].under;
            self.frames[0] = Frame { marks: self.frames[0].marks, ..Frame::new(under, 0) };
            return;
        }
        let Some(frame) = self.frames.pop() else { return };
        if frame.value && frame.under & why::PATCH == 0 {
            self.operation(&frame);
        }
        match frame.kind {
            Kind::Unknown => (),
            Kind::Secret => self.decide(frame.marks, u8::MAX, 0),
            // The request says so, whatever the body calls itself.
            _ if self.about == About::Secrets => (),
            Kind::Token => {
                self.decide(frame.marks, why::TOKEN | why::BELOW_TOKEN, why::DATA | why::ENTRY | why::MANIFEST);
            }
            Kind::LikeSecret => self.decide(frame.marks, why::ENTRY, why::DATA | why::TOKEN | why::BELOW_TOKEN),
            Kind::Other => {
                let all = why::DATA | why::ENTRY | why::MANIFEST | why::TOKEN | why::BELOW_TOKEN;
                self.decide(frame.marks, 0, all);
            }
        }
    }

    /// Decides about the `value` of an operation of a JSON patch: its path says whether it is data.
    fn operation(&mut self, operation: &Frame) {
        let is_data = operation.path.unwrap_or(self.torn);
        for mark in self.marks.iter_mut().skip(operation.marks).filter(|mark| mark.why & why::PATCH != 0) {
            mark.why &= !why::PATCH;
            mark.why |= if is_data { why::DATA } else { 0 };
        }
        self.decide(operation.marks, 0, 0);
    }

    /// Makes edits of the marks from the number `from` on that are `accepted`, and takes away those of which
    /// nothing is left without what is `dropped`.
    fn decide(&mut self, from: usize, accepted: u8, dropped: u8) {
        for mark in self.marks.split_off(from.min(self.marks.len())) {
            if mark.why & accepted != 0 {
                self.accept(mark.at);
            } else if mark.why & !dropped != 0 {
                self.marks.push(Mark { why: mark.why & !dropped, ..mark });
            }
        }
    }

    /// Takes up a string. Returns where it ends.
    fn string(&mut self, start: usize) -> usize {
        let end = string_end(self.text, start);
        let behind = self.text[end..].iter().position(|byte| !byte.is_ascii_whitespace()).map(|blank| end + blank);
        let is_key = behind.is_some_and(|at| self.text[at] == b':');
        if is_key {
            let key = Key::of(&unescaped(&self.text[start..end]));
            self.headless |= self.frames.len() == 1;
            let frame = self.top();
            frame.key = key;
            frame.value |= key == Key::Value;
        } else {
            self.leaf(start..end, true);
        }
        end
    }

    /// Takes up a number, `true`, `false`, `null`, or text that is no JSON. Returns where it ends.
    fn literal(&mut self, start: usize) -> usize {
        let length = self.text[start..].iter().position(|byte| b",:]}\"[{ \t\r\n".contains(byte));
        // At least one byte, whatever it is.
        let end = length.map_or(self.text.len(), |length| start + length.max(1));
        if self.frames.len() > 1 && &self.text[start..end] != b"null" {
            self.leaf(start..end, false);
        }
        end
    }

    fn leaf(&mut self, at: Range<usize>, is_text: bool) {
        let mut reasons = self.reasons();
        if let Some(cells) = &mut self.top().cells {
            *cells += 1;
            if is_text && *cells > 1 && !is_column(&unescaped(&self.text[at.clone()])) {
                reasons |= why::DATA;
            }
        }
        let key = self.top().key;
        let torn = is_text && string_is_torn(&self.text[at.clone()]);
        if is_text && !torn {
            match key {
                Key::Kind if self.deeper == 0 => {
                    let kind = Kind::of(&unescaped(&self.text[at.clone()]));
                    let frame = self.top();
                    // Of two kinds the one that hides more.
                    let hides_more = kind == Kind::Secret || !frame.is_data;
                    if frame.kind != Kind::Secret && kind != Kind::Unknown && hides_more {
                        frame.kind = kind;
                    }
                }
                Key::Path if self.deeper == 0 => {
                    let path = unescaped(&self.text[at.clone()]);
                    let secret = leads_to_data(&path);
                    let frame = self.top();
                    frame.path = Some(frame.path == Some(true) || secret);
                }
                _ => (),
            }
        }
        let mut reasons =
            if is_text { reasons } else { reasons & (why::DATA | why::ENTRY | why::PATCH | why::BELOW_TOKEN) };
        if key == Key::Harmless || key == Key::Kind {
            reasons &= !why::FRAGMENT;
        }
        if reasons & why::MANIFEST != 0 && memmem::find(&unescaped(&self.text[at.clone()]), b"\"Secret").is_some() {
            return self.accept(at);
        }
        let whole = match self.about {
            About::Secrets => why::DATA | why::MANIFEST | why::PATCH,
            _ => why::DATA | why::MANIFEST | why::FRAGMENT,
        };
        // A value of a ConfigMap can be the manifest of a Secret. When it belongs to a Secret all the same, it is replaced as a whole.
        let may_be_kept = reasons & whole == 0 || self.about != About::Secrets;
        if is_text && may_be_kept && self.unpacked(&at) && reasons & whole == 0 {
            return;
        }
        if reasons != 0 {
            self.marks.push(Mark { at, why: reasons });
        }
    }

    /// Looks into a string that may be JSON itself. Whether something was replaced.
    fn unpacked(&mut self, at: &Range<usize>) -> bool {
        let quoted = &self.text[at.clone()];
        let may_be_json = self.strings < MAX_STRINGS && memmem::find(quoted, b"\\\"").is_some();
        let may_be_manifest = self.about == About::Secrets || memmem::find(quoted, b"Secret").is_some();
        if !may_be_json && !may_be_manifest {
            return false;
        }
        let inner = unescaped(quoted);
        let scanned =
            if may_be_json { self.redactor.scan_string(&inner, self.about, self.strings + 1) } else { Vec::new() };
        let (scanned, in_json) = apply(&inner, scanned);
        let foreign = if may_be_manifest { self.redactor.foreign(&scanned, self.about) } else { Vec::new() };
        let (foreign, in_foreign) = apply(&scanned, foreign);
        let echoed = match self.about {
            About::Secrets | About::Unknown => self.redactor.echoes(&foreign, false),
            _ => Vec::new(),
        };
        let (redacted, echoed) = apply(&foreign, echoed);
        let values = in_json + in_foreign + echoed;
        if values == 0 {
            return false;
        }
        let text = String::from_utf8_lossy(&redacted);
        let with = serde_json::to_vec(text.as_ref()).unwrap_or_default();
        self.edits.push(Edit { at: at.clone(), with, values });
        true
    }

    fn accept(&mut self, at: Range<usize>) {
        let raw = &self.text[at.clone()];
        let value = unescaped(raw);
        let redacted = self.redactor.value(&value);
        // What the beginning of a fragment lacks is not added.
        let with = if raw.starts_with(b"\"") || !raw.ends_with(b"\"") {
            format!("\"{redacted}\"")
        } else {
            format!("{redacted}\"")
        };
        self.edits.push(Edit { at, with: with.into_bytes(), values: 1 });
    }

    /// Of a record whose beginning is missing, the rest of the string that it begins in. Returns where that ends.
    fn fragment(&mut self) -> usize {
        if self.about != About::Unknown {
            return 0;
        }
        let prefix = container_prefix(self.text);
        let Some(quote) = first_quote(self.text, prefix) else {
            // The middle of a line that a container runtime split can be the middle of a value.
            if self.strings == 0 && prefix < self.text.len() && self.text[..prefix].ends_with(b" P ") {
                self.accept(prefix..self.text.len());
                return self.text.len();
            }
            return 0;
        };
        // Behind the hole that truncating a log leaves, too.
        let prefix = memchr::memrchr(0, &self.text[..quote]).map_or(prefix, |hole| hole + 1).max(prefix);
        let behind = self.text[quote + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
        let opens = self.text[prefix..quote].iter().rev().find(|byte| !byte.is_ascii_whitespace());
        let closes = matches!(behind, Some(b',' | b'}' | b']' | b':'));
        if !closes || matches!(opens, Some(b'{' | b'[' | b',' | b':' | b'=' | b'(')) {
            return 0;
        }
        self.frames[0].under = why::FRAGMENT;
        if behind != Some(&b':') && quote > prefix {
            self.accept(prefix..quote + 1);
        }
        quote + 1
    }
}

impl Key {
    fn of(key: &[u8]) -> Self {
        let is = |name: &[u8]| key.eq_ignore_ascii_case(name);
        match key {
            _ if is(b"kind") => Self::Kind,
            _ if is(b"data") || is(b"stringData") || is(b"string_data") => Self::Data,
            _ if is(b"token") => Self::Token,
            _ if is(b"path") => Self::Path,
            _ if is(b"value") => Self::Value,
            b"cells" => Self::Cells,
            // Dots may have been replaced.
            _ if key.ends_with(MANIFEST_NAME) => Self::Manifest,
            _ if HEADERS.iter().any(|header| is(header)) => Self::Header,
            _ if HARMLESS.contains(&key) => Self::Harmless,
            _ => Self::Other,
        }
    }
}

impl Kind {
    fn of(kind: &[u8]) -> Self {
        match kind {
            b"Secret" | b"SecretList" => Self::Secret,
            b"TokenRequest" | b"TokenReview" => Self::Token,
            // What is in these says itself what it is.
            b"Event" | b"EventList" | b"List" | b"" => Self::Unknown,
            _ if memmem::find(kind, b"Secret").is_some() => Self::LikeSecret,
            _ => Self::Other,
        }
    }
}

/// Whether a cell is what the server tells of a Secret beside its name: its type, the number of its values, its age.
fn is_column(cell: &[u8]) -> bool {
    let is_age =
        !cell.is_empty() && cell.iter().all(|byte| byte.is_ascii_digit() || b"smhdy<>nvalidukow".contains(byte));
    is_age || cell == b"Opaque" || cell.contains(&b'/')
}

/// Whether the path of a JSON patch leads to the data of a Secret, or to the annotation that repeats it.
fn leads_to_data(path: &[u8]) -> bool {
    let below = |root: &[u8]| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
    let manifest = b"/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";
    below(b"/data") || below(b"/stringData") || path == manifest
}

/// Where the string that begins at `start` ends: behind its closing quote, or with the text.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

/// Whether the closing quote of a string is missing.
fn string_is_torn(raw: &[u8]) -> bool {
    string_end(raw, 0) == raw.len() && (raw.len() < 2 || !raw.ends_with(b"\""))
}

/// The value of a JSON string, torn or not; of anything else the bytes as they are.
fn unescaped(raw: &[u8]) -> Cow<'_, [u8]> {
    let inner = raw.strip_prefix(b"\"").unwrap_or(raw);
    let inner = if raw.len() > 1 { inner.strip_suffix(b"\"").unwrap_or(inner) } else { inner };
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let text = String::from_utf8_lossy(inner);
    // A torn string may end in half an escape, of six bytes at most.
    for cut in 0..=6.min(text.len()) {
        let Some(text) = text.get(..text.len() - cut) else { continue };
        if let Ok(value) = serde_json::from_str::<String>(&format!("\"{text}\"")) {
            return Cow::Owned(value.into_bytes());
        }
    }
    Cow::Owned(text.replace("\\\"", "\"").replace("\\\\", "\\").into_bytes())
}

/// Where the text behind the prefix of a container runtime begins: `2026-11-21T20:37:37Z stdout F `.
fn container_prefix(text: &[u8]) -> usize {
    let mut words = text.splitn(4, |byte| *byte == b' ');
    let (Some(time), Some(stream), Some(tag)) = (words.next(), words.next(), words.next()) else { return 0 };
    // Without blanks before it, all of a JSON text would be taken for the time.
    let is_time =
        time.len() <= MAX_TIME_BYTES && time.iter().all(|byte| byte.is_ascii_digit() || b"-:.TZ+".contains(byte));
    match (stream, tag) {
        (b"stdout" | b"stderr", b"F" | b"P") if is_time => time.len() + stream.len() + tag.len() + 3,
        _ => 0,
    }
}

/// The first quote that no backslash escapes.
fn first_quote(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}
