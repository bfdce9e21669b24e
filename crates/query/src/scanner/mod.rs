//! SQL cut into tokens where DuckDB cuts it. The only reader of SQL's letters in the house; whoever has to see where a
//! string ends, which words stand in a statement, or where the next statement begins, asks here.
//!
//! Pure. It decides nothing about what may run: every statement of a user goes through [`crate::gate`], which has DuckDB's own
//! parser. But what a text hides from us and not from DuckDB is how a second statement would get past whoever reads only
//! here, so the ends are DuckDB's, oddities included, and a table of texts that DuckDB itself has cut is the test:
//!
//! - a carriage return ends a `--` comment, and `/* */` nests;
//! - names stand in double quotes or in backticks, both doubled inside;
//! - a backslash escapes in `E'…'` only; `N`, `X` and `B` may stand before a string, too;
//! - `$tag$…$tag$` is a string, but a tag never begins with a digit: `$1` is a parameter, whatever follows;
//! - `1e'…'` is the number 1 and a string with escapes;
//! - all that is neither ASCII nor a blank belongs to words, as do `$` and control characters behind their beginning.
//!
//! One thing differs. DuckDB makes blanks of the Unicode spaces before it cuts a text, in a look that takes neither comments in
//! `/* */` nor escapes into account; where an odd quote in one of these misleads it, such a space stays a letter to it, and is a
//! blank to us. Words are longer to DuckDB then, and no string or comment ends elsewhere.

use std::borrow::Cow;
use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Blank space.
    Space,
    /// `-- …`, without the end of the line, or `/* … */`.
    Comment,
    /// A keyword or a name without quotes.
    Word,
    /// A name in double quotes or backticks.
    QuotedName,
    /// A string: `'…'`, `E'…'`, `N'…'`, `X'…'`, `B'…'` or `$tag$…$tag$`.
    Text,
    /// A number, such as `1`, `.5`, `1_000` or `1e-3`.
    Number,
    /// `;`
    Semicolon,
    /// Any other character: an operator of several is several. `$` directly before a word makes a parameter of it, and
    /// before a number, too.
    Symbol,
}

/// A piece of SQL. All tokens of a text together are the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// Whether its end was found; a string, a quoted name or a comment that is still open goes to the end of the text.
    pub is_closed: bool,
}

impl Token {
    /// The token as it stands in `sql`.
    pub fn text<'a>(&self, sql: &'a str) -> &'a str {
        &sql[self.range.clone()]
    }

    /// Whether it is more than blank space and comments.
    pub fn is_code(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Comment)
    }

    /// The name that a word or a quoted name is, as it was written; `None` for what is none.
    pub fn name<'a>(&self, sql: &'a str) -> Option<Cow<'a, str>> {
        let text = self.text(sql);
        match self.kind {
            Kind::Word => Some(Cow::Borrowed(text)),
            Kind::QuotedName => {
                let quote = &text[..1];
                let inner = text[1..].strip_suffix(quote).filter(|_| self.is_closed).unwrap_or(&text[1..]);
                let doubled = quote.repeat(2);
                Some(if inner.contains(&doubled) {
                    Cow::Owned(inner.replace(&doubled, quote))
                } else {
                    Cow::Borrowed(inner)
                })
            }
            _ => None,
        }
    }

    /// Whether it is this keyword, in any case, and without quotes.
    pub fn is_word(&self, sql: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.text(sql).eq_ignore_ascii_case(word)
    }
}

/// The tokens of `sql`, one by one.
///
/// # Example
/// ```
/// use kforensic_query::scanner::{Kind, scan};
///
/// let sql = "SELECT 'it''s; ' -- ;";
/// let code: Vec<_> = scan(sql).filter(|token| token.is_code()).map(|token| (token.kind, token.text(sql))).collect();
/// assert_eq!(code, [(Kind::Word, "SELECT"), (Kind::Text, "'it''s; '")]);
/// ```
pub fn scan(sql: &str) -> impl Iterator<Item = Token> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = sql.as_bytes().get(at..).filter(|rest| !rest.is_empty())?;
        let (kind, length, is_closed) = first(rest);
        let start = at;
        at += length;
        Some(Token { kind, range: start..at, is_closed })
    })
}

/// The tokens of `sql`.
pub fn tokens(sql: &str) -> Vec<Token> {
    scan(sql).collect()
}

/// The byte ranges of the statements of `sql`, each with its semicolon; the last one may lack it.
pub fn statements(sql: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    let mut end = 0;
    for token in scan(sql) {
        match (token.kind, start) {
            (Kind::Semicolon, Some(first)) => {
                found.push(first..token.range.end);
                start = None;
            }
            (Kind::Semicolon, None) => (),
            _ if token.is_code() => {
                start = start.or(Some(token.range.start));
                end = token.range.end;
            }
            _ => (),
        }
    }
    found.extend(start.map(|first| first..end));
    found
}

/// Whether `sql` ends where a statement ends, or holds none.
pub fn is_complete(sql: &str) -> bool {
    let tokens = tokens(sql);
    let is_open = tokens.iter().any(|token| !token.is_closed);
    let last = tokens.iter().rev().find(|token| token.is_code());
    !is_open && last.is_none_or(|token| token.kind == Kind::Semicolon)
}

/// Kind, length and whether it is closed of the token that begins `rest`, which is not empty.
///
/// Bytes suffice: whatever ends a token is ASCII, or a space that is looked for as a whole.
fn first(rest: &[u8]) -> (Kind, usize, bool) {
    let closed = |kind, length| (kind, length, true);
    let until = |kind, end: Option<usize>| match end {
        Some(length) => (kind, length, true),
        None => (kind, rest.len(), false),
    };
    let spaces = blank(rest);
    match rest[0] {
        _ if spaces > 0 => {
            let mut length = spaces;
            while let more @ 1.. = blank(&rest[length..]) {
                length += more;
            }
            closed(Kind::Space, length)
        }
        b'-' if rest.starts_with(b"--") => closed(Kind::Comment, position(rest, |byte| matches!(byte, b'\n' | b'\r'))),
        b'/' if rest.starts_with(b"/*") => until(Kind::Comment, block_comment(rest)),
        b'\'' => until(Kind::Text, quoted(rest, b'\'', false)),
        quote @ (b'"' | b'`') => until(Kind::QuotedName, quoted(rest, quote, false)),
        letter if is_prefix(letter) && rest.get(1) == Some(&b'\'') => {
            let escapes = letter.eq_ignore_ascii_case(&b'e');
            until(Kind::Text, quoted(&rest[1..], b'\'', escapes).map(|end| end + 1))
        }
        b'$' => match dollar_tag(rest) {
            Some(tag) => until(Kind::Text, find(&rest[tag.len()..], tag).map(|at| at + 2 * tag.len())),
            None => closed(Kind::Symbol, 1),
        },
        b';' => closed(Kind::Semicolon, 1),
        b'0'..=b'9' | b'.' => match number(rest) {
            length if rest[..length].iter().any(u8::is_ascii_digit) => closed(Kind::Number, length),
            _ => closed(Kind::Symbol, 1),
        },
        byte if is_word(byte) => closed(Kind::Word, word(rest)),
        _ => closed(Kind::Symbol, 1),
    }
}

/// Bytes of the blank character that `rest` begins with; zero when it begins with another.
fn blank(rest: &[u8]) -> usize {
    match rest {
        [b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r', ..] => 1,
        // A space that does not break.
        [0xc2, 0xa0, ..] => 2,
        // U+2000 to U+200B, U+202F, U+205F and U+2060, U+3000, and a byte order mark.
        [0xe2, 0x80, 0x80..=0x8b | 0xaf, ..]
        | [0xe2, 0x81, 0x9f | 0xa0, ..]
        | [0xe3, 0x80, 0x80, ..]
        | [0xef, 0xbb, 0xbf, ..] => 3,
        _ => 0,
    }
}

/// What may stand in a word; a digit, and `$`, only behind its beginning.
fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii() || byte.is_ascii_control()
}

/// Whether the letter may stand before a string.
fn is_prefix(letter: u8) -> bool {
    matches!(letter.to_ascii_lowercase(), b'n' | b'x' | b'e' | b'b')
}

fn position(bytes: &[u8], is_end: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| is_end(*byte)).unwrap_or(bytes.len())
}

fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, sought)
}

/// Bytes of the word that `rest` begins with.
fn word(rest: &[u8]) -> usize {
    let mut length = 0;
    while length < rest.len() && blank(&rest[length..]) == 0 && (is_word(rest[length]) || rest[length] == b'$') {
        length += 1;
    }
    length
}

/// Bytes of the number that `rest` begins with. What only looks like an exponent, as in `1e'x'`, is none of it, unless
/// the text ends there.
fn number(rest: &[u8]) -> usize {
    let is_digit = |at: usize| rest.get(at).is_some_and(u8::is_ascii_digit);
    let is_exponent = |at: usize| matches!(rest[at], b'e' | b'E');
    let mut at = 1;
    while at < rest.len() {
        let goes_on = match rest[at] {
            b'0'..=b'9' | b'.' => true,
            b'_' => is_digit(at - 1) && is_digit(at + 1),
            b'e' | b'E' => !is_exponent(at - 1) && (is_digit(0) || is_digit(at - 1)),
            b'+' | b'-' => is_exponent(at - 1),
            _ => false,
        };
        if !goes_on {
            while !(rest[at - 1].is_ascii_digit() || rest[at - 1] == b'.') {
                at -= 1;
            }
            return at;
        }
        at += 1;
    }
    at
}

/// Bytes of `text`, which begins with `quote`, up to behind the closing one.
fn quoted(text: &[u8], quote: u8, has_escapes: bool) -> Option<usize> {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' if has_escapes => at += 2,
            byte if byte == quote && text.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Comments of SQL nest.
fn block_comment(text: &[u8]) -> Option<usize> {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        match () {
            () if rest.starts_with(b"/*") => (depth, at) = (depth + 1, at + 2),
            () if rest.starts_with(b"*/") => (depth, at) = (depth - 1, at + 2),
            () => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// `$tag$` or `$$`; `$1` and `$name` are parameters.
fn dollar_tag(text: &[u8]) -> Option<&[u8]> {
    let is_tag = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let end = 1 + position(&text[1..], |byte| !is_tag(byte));
    let begins = !text[1..].first().is_some_and(u8::is_ascii_digit);
    (begins && text.get(end) == Some(&b'$')).then(|| &text[..=end])
}

#[cfg(test)]
mod tests;
