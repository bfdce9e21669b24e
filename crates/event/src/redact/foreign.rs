//! Manifests of Secrets in other words than JSON: YAML, Python's and Go's way to print a value, JSON whose quotation marks are
//! doubled (CSV), percent-encoded or written for HTML, and text of two or four bytes a character.

use std::ops::Range;

use memchr::memmem;

use super::{About, Edit, Redactor};

/// Text with its quotation marks as JSON has them, and where each of its bytes came from.
struct Folded {
    text: Vec<u8>,
    /// For each byte, where what stands for it begins; and the end of the text.
    from: Vec<usize>,
}

/// What undoes one way of writing quotation marks: the byte that the text begins with, and the length of what stands for it.
type Fold = fn(&[u8]) -> (u8, usize);

/// The ways of writing quotation marks, each with what betrays it.
const FOLDS: [(&[&[u8]], Fold); 5] = [
    (&[b"\"\"data\"\"", b"\"\"stringData\"\"", b"\"\"kind\"\"", b"\"\"token\"\""], doubled),
    (&[b"&quot;", b"&#34;", b"&#x22;", b"u0026quot;", b"u0026#34;"], html),
    (&[b"%22data%22", b"%22stringData%22", b"%22kind%22", b"%22token%22"], percent),
    (&[b"'data'", b"'stringData'", b"'kind'", b"'token'"], python),
    (RUBY, ruby),
];

/// What betrays Ruby's words.
const RUBY: &[&[u8]] = &[b"\"=>"];

fn doubled(text: &[u8]) -> (u8, usize) {
    match text {
        [b'"', b'"', ..] => (b'"', 2),
        // The end of a cell.
        [b'"', ..] => (b'\n', 1),
        _ => (text[0], 1),
    }
}

fn html(text: &[u8]) -> (u8, usize) {
    const WORDS: [(&[u8], u8); 9] = [
        (b"&quot;", b'"'),
        (b"&#34;", b'"'),
        (b"&#x22;", b'"'),
        (b"&#39;", b'\''),
        (b"&amp;", b'&'),
        (b"&#92;", b'\\'),
        (b"\\u0026quot;", b'"'),
        (b"\\u0026#34;", b'"'),
        (b"\\u0026amp;", b'&'),
    ];
    let word = WORDS.iter().find(|(word, _)| text.starts_with(word));
    word.map_or((text[0], 1), |(word, byte)| (*byte, word.len()))
}

fn percent(text: &[u8]) -> (u8, usize) {
    let digits = text.get(1..3).filter(|_| text[0] == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
    match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        Some(byte) => (byte, 3),
        None => (text[0], 1),
    }
}

fn python(text: &[u8]) -> (u8, usize) {
    if text[0] == b'\'' { (b'"', 1) } else { (text[0], 1) }
}

/// Ruby, Fluentd and Fluent Bit write `"name"=>value`.
fn ruby(text: &[u8]) -> (u8, usize) {
    if text.starts_with(b"=>") { (b':', 2) } else { (text[0], 1) }
}

/// Leaves the quotation marks of Ruby's words that begin or end a text. Fluent Bit escapes none of those in it, and one more would
/// turn texts and what stands between them round for the rest of the record.
fn settle_marks(text: &mut [u8], has_escapes: bool) {
    let (mut is_inside, mut before, mut at) = (false, b'{', 0);
    while at < text.len() {
        let byte = text[at];
        if byte == b'"' {
            let next = text[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
            let is_mark = match is_inside {
                true => next.is_none_or(|next| b":,}]".contains(next)),
                false => b":,{[".contains(&before),
            };
            if is_mark {
                is_inside = !is_inside;
            } else {
                text[at] = b'\'';
            }
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
        if byte == b'\\' && !has_escapes {
            text[at] = b'/';
        }
        at += if byte == b'\\' && is_inside && has_escapes { 2 } else { 1 };
    }
}

impl Folded {
    fn new(text: &[u8], fold: Fold) -> Self {
        let mut folded = Self { text: Vec::with_capacity(text.len()), from: Vec::with_capacity(text.len() + 1) };
        let mut at = 0;
        while at < text.len() {
            let (byte, length) = fold(&text[at..]);
            folded.text.push(byte);
            folded.from.push(at);
            at += length;
        }
        folded.from.push(text.len());
        folded
    }
}

impl Redactor {
    /// Finds the values of Secrets in text that is no JSON, in order.
    pub(super) fn foreign(&self, text: &[u8], about: About) -> Vec<Edit> {
        let mut places = yaml(text, about == About::Secrets);
        places.extend(go(text));
        let mut edits: Vec<Edit> = Vec::new();
        for (words, fold) in FOLDS {
            if words.iter().all(|word| memmem::find(text, word).is_none()) {
                continue;
            }
            if words == RUBY {
                // A text that ends in a backslash looks like one that goes on.
                edits.extend(self.folded(text, fold, Some(true), about));
                if memmem::find(text, b"\\\"").is_some() {
                    edits.extend(self.folded(text, fold, Some(false), about));
                }
            } else {
                edits.extend(self.folded(text, fold, None, about));
            }
        }
        edits.extend(places.into_iter().map(|at| Edit {
            with: self.value(&text[at.clone()]).into_bytes(),
            at,
            values: 1,
        }));
        self.in_order(text, edits)
    }

    /// Edits in the order of their places; those that overlap become one.
    fn in_order(&self, text: &[u8], mut edits: Vec<Edit>) -> Vec<Edit> {
        edits.retain(|edit| !edit.at.is_empty());
        edits.sort_by_key(|edit| (edit.at.start, std::cmp::Reverse(edit.at.end)));
        let mut merged: Vec<Edit> = Vec::with_capacity(edits.len());
        for edit in edits {
            match merged.last_mut().filter(|last| edit.at.start < last.at.end) {
                None => merged.push(edit),
                // One in another is a part of it; what goes on behind it is hidden too.
                Some(last) if edit.at.end > last.at.end => {
                    last.at.end = edit.at.end;
                    last.with = self.value(&text[last.at.clone()]).into_bytes();
                }
                Some(_) => (),
            }
        }
        merged
    }

    /// Finds the values of Secrets in text whose quotation marks are written in another way: `has_escapes` says for Ruby's words
    /// whether a backslash escapes them.
    fn folded(&self, text: &[u8], fold: Fold, has_escapes: Option<bool>, about: About) -> Vec<Edit> {
        let mut folded = Folded::new(text, fold);
        if let Some(has_escapes) = has_escapes {
            settle_marks(&mut folded.text, has_escapes);
        }
        let edits = self.scan(&folded.text, if about == About::Else { About::Unknown } else { about });
        edits
            .into_iter()
            .map(|edit| {
                // The quotation marks around a value stay as they are written.
                let is = |at: usize| folded.text.get(at) == Some(&b'"');
                let start = edit.at.start + usize::from(is(edit.at.start));
                let end = edit.at.end - usize::from(edit.at.end > start && is(edit.at.end - 1));
                let at = folded.from[start]..folded.from[end.max(start)];
                Edit { with: self.value(&folded.text[start..end.max(start)]).into_bytes(), at, values: edit.values }
            })
            .collect()
    }

    /// What is left of a rejected record in UTF-16 or UTF-32 without its secret values; `None` when it is none, or has none.
    pub(super) fn wide(&self, record: &[u8]) -> Option<(Vec<u8>, u32)> {
        let zeros = memchr::memchr_iter(0, record).count();
        // A hole that truncating a log leaves has all its zeros in one place.
        let alternating = record.windows(2).filter(|pair| (pair[0] == 0) != (pair[1] == 0)).count();
        if zeros == 0 || zeros * 4 < record.len() || alternating * 3 < record.len() {
            return None;
        }
        let narrow: Vec<u8> = record.iter().copied().filter(|byte| *byte != 0).collect();
        let (redacted, values) = self.reject(&narrow);
        (values > 0).then(|| (redacted.into_owned(), values))
    }
}

/// A line of YAML: its indentation, and the key and the value that it has.
struct Line {
    indent: usize,
    key: Range<usize>,
    value: Range<usize>,
}

/// The lines of a text that have something in them.
fn lines(text: &[u8]) -> impl Iterator<Item = Line> {
    let mut start = 0;
    text.split_inclusive(|byte| *byte == b'\n').filter_map(move |line| {
        let at = start;
        start += line.len();
        let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'-')).count();
        let end = line.trim_ascii_end().len();
        if indent >= end {
            return None;
        }
        let colon = memmem::find(&line[indent..end], b":").map_or(end, |colon| indent + colon);
        let value = line[colon.min(end)..end].iter().position(|byte| !b": \t".contains(byte));
        let value = value.map_or(end, |blank| colon + blank);
        Some(Line { indent, key: at + indent..at + colon, value: at + value..at + end })
    })
}

/// The values below `data` and `stringData` of manifests of Secrets in YAML. `all` says that the text is about one.
fn yaml(text: &[u8], all: bool) -> Vec<Range<usize>> {
    let has = |word: &[u8]| memmem::find(text, word).is_some();
    if !(has(b"ata:") && (all || has(b"Secret"))) {
        return Vec::new();
    }
    let (mut places, mut start) = (Vec::new(), 0);
    // A document, or an item of a list, is an object of its own.
    let starts = memmem::find_iter(text, b"\n-").map(|at| at + 1).chain([text.len()]);
    for end in starts.collect::<Vec<_>>() {
        let found = manifest(&text[start..end], all);
        places.extend(found.into_iter().map(|at| start + at.start..start + at.end));
        start = end;
    }
    places
}

/// The values below `data` and `stringData` of one manifest of a Secret in YAML.
fn manifest(text: &[u8], all: bool) -> Vec<Range<usize>> {
    let (mut found, mut is_secret) = (Vec::new(), all);
    let mut data: Option<usize> = None;
    for line in lines(text) {
        let key = unquoted(&text[line.key.clone()]);
        let value = &text[line.value.clone()];
        if data.is_some_and(|indent| line.indent <= indent) {
            data = None;
        }
        match key {
            _ if data.is_some() && line.value.is_empty() && line.key.end < text.len() && text[line.key.end] != b':' => {
                found.push(line.key);
            }
            _ if data.is_some() && matches!(value.first(), Some(b'|' | b'>')) && value.len() <= 3 => (),
            _ if data.is_some() && !line.value.is_empty() => found.push(line.value),
            _ if data.is_some() => (),
            b"kind" => is_secret |= memmem::find(value, b"Secret").is_some(),
            b"data" | b"stringData" if value.is_empty() => data = Some(line.indent),
            b"data" | b"stringData" => found.push(line.value),
            _ => (),
        }
    }
    if is_secret { found } else { Vec::new() }
}

fn unquoted(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text);
    text.strip_prefix(b"'").and_then(|text| text.strip_suffix(b"'")).unwrap_or(text)
}

/// The data of a Secret as Go prints it: `map[data:map[a:b] kind:Secret]`, `StringData:map[string]string{"a":"b"}`.
fn go(text: &[u8]) -> Vec<Range<usize>> {
    if memmem::find(text, b"ata:map[").is_none() || memmem::find(text, b"Secret").is_none() {
        return Vec::new();
    }
    let is_data = |at: &usize| {
        let before = text[..*at].strip_suffix(b"d").or_else(|| text[..*at].strip_suffix(b"D"));
        before.is_some_and(|before| {
            before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric()) || before.ends_with(b"tring")
        })
    };
    memmem::find_iter(text, b"ata:map[")
        .filter(is_data)
        .map(|at| {
            let inner = at + b"ata:map[".len();
            let key = memchr::memchr(b']', &text[inner..]).map_or(text.len(), |end| inner + end);
            // A type stands in the brackets, and the content behind it in braces.
            match memchr::memchr(b'{', &text[key..]).filter(|brace| *brace <= b"][]uint8".len()) {
                Some(brace) if text[inner..key].iter().all(u8::is_ascii_alphanumeric) => {
                    key + brace + 1..closing(text, key + brace + 1, b'{', b'}')
                }
                _ => inner..closing(text, inner, b'[', b']'),
            }
        })
        .collect()
}

/// Where the bracket closes that was opened in front of `start`.
fn closing(text: &[u8], start: usize, open: u8, close: u8) -> usize {
    let mut depth = 1_usize;
    for (at, byte) in text.iter().enumerate().skip(start) {
        depth = if *byte == open { depth + 1 } else { depth - usize::from(*byte == close) };
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str, about: About) -> String {
        let redactor = Redactor::new(&[7; super::super::KEY_BYTES]);
        let (redacted, _) = super::super::apply(text.as_bytes(), redactor.foreign(text.as_bytes(), about));
        String::from_utf8(redacted.into_owned()).unwrap()
    }

    #[test]
    fn values_of_a_secret_are_found_in_other_words_than_json() {
        for text in [
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: keep\ndata:\n  a: HIDE\n  \"b\": 'HIDE'\ntype: keep\n",
            "- stringData:\n    a: HIDE\n    b: |\n      HIDE\n      HIDE\n  kind: Secret\n",
            "stringData: {a: HIDE}\nkind: Secret",
            "{'kind': 'Secret', 'metadata': {'name': 'keep'}, 'data': {'a': 'HIDE', 'b': 'HIDE'}}",
            "0 tag: {\"kind\"=>\"Secret\", \"metadata\"=>{\"name\"=>\"keep\"}, \"data\"=>{\"a\"=>\"HIDE\", \"b\"=>\"HIDE\"}}",
            "map[data:map[a:HIDE b:HIDE] kind:Secret metadata:map[name:keep]]",
            "&Secret{Name:keep,Data:map[string][]uint8{\"a\":[]uint8{HIDE}},StringData:map[string]string{\"b\":\"HIDE\"}}",
            "{&quot;kind&quot;:&quot;Secret&quot;,&quot;name&quot;:&quot;keep&quot;,&quot;data&quot;:{&quot;a&quot;:&quot;HIDE&quot;}}",
            "%7B%22kind%22%3A%22Secret%22%2C%22name%22%3A%22keep%22%2C%22data%22%3A%7B%22a%22%3A%22HIDE%22%7D%7D",
            "1,\"{\"\"kind\"\":\"\"Secret\"\",\"\"name\"\":\"\"keep\"\",\"\"data\"\":{\"\"a\"\":\"\"HIDE\"\"}}\"",
        ] {
            let hidden = redacted(text, About::Unknown);
            assert!(!hidden.contains("HIDE") && hidden.contains("redacted:"), "{text}\n{hidden}");
            assert_eq!(hidden.matches("keep").count(), text.matches("keep").count(), "{text}\n{hidden}");
        }
    }

    /// Fluent Bit's `stdout` escapes no quotation mark: each of these texts has some of its own in front of the secret.
    #[test]
    fn quotation_marks_in_the_words_of_ruby_hide_no_secret() {
        for text in [
            r#"{"kind": "Secret", "data": {"k": "HIDE"}}"#,
            r#"{"apiVersion":"v1","data":{"a":"HIDE","b":"HIDE"},"kind":"Secret","metadata":{"annotations":{},"name":"s"},"stringData":{"p":"HIDE"},"type":"Opaque"}"#,
            r#"x"y"#,
            r#"x", y"#,
            r#"say "hi", he said"#,
            r#""x"#,
            r#"x\"#,
            r#"a", "b"=>"c"#,
        ] {
            for place in ["kubectl.kubernetes.io/last-applied-configuration", "note"] {
                let record = format!(
                    r#"[0] kube.audit: [[1795293421.1, {{}}], {{"kind"=>"Event", "verb"=>"create", "objectRef"=>{{"resource"=>"secrets", "name"=>"s"}}, "requestObject"=>{{"kind"=>"Secret", "metadata"=>{{"name"=>"s", "annotations"=>{{"{place}"=>"{text}"}}}}, "data"=>{{"k"=>"HIDE"}}, "stringData"=>{{"p"=>"HIDE"}}}}, "stage"=>"keep"}}]"#
                );
                let hidden = redacted(&record, About::Unknown);
                assert!(!hidden.contains("HIDE") && hidden.contains("redacted:"), "{record}\n{hidden}");
                assert!(hidden.contains("\"keep\""), "{record}\n{hidden}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "kind: ConfigMap\ndata:\n  a: b\n---\nkind: Secret\nmetadata:\n  name: x\n",
            "map[data:map[a:b] kind:ConfigMap]",
            "{'kind': 'ConfigMap', 'data': {'a': 'b'}}",
            "the secret's data: none",
        ] {
            assert_eq!(redacted(text, About::Unknown), text);
        }
    }
}
