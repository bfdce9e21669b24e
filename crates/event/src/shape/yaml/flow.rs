//! Values in brackets and quotation marks, over as many lines as they take.

use super::scalar::{push_plain, tagged};
use super::{BLANK, MAX_DEPTH};
use crate::json;

/// Goes on in the next line of a text in quotation marks, which `rest` begins with the end of this one: a line end is a blank, an
/// empty line a line end. What is left of `rest`.
fn fold<'a>(value: &mut String, written: usize, rest: &'a str) -> &'a str {
    // Blanks that an escape wrote stay.
    let kept = value[written..].trim_end_matches([' ', '\t']).len();
    value.truncate(written + kept);
    let next = rest.trim_start_matches(BLANK);
    let lines = rest[..rest.len() - next.len()].matches('\n').count();
    match lines {
        1 => value.push(' '),
        _ => (1..lines).for_each(|_| value.push('\n')),
    }
    next
}

/// Where a text without quotation marks ends between brackets; `None` when it may go on behind `text`.
fn plain_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let ends = |at: usize| match bytes[at] {
        b',' | b'[' | b']' | b'{' | b'}' => true,
        b':' => matches!(bytes.get(at + 1), Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b']' | b'}')),
        b'#' => at > 0 && bytes[at - 1].is_ascii_whitespace(),
        _ => false,
    };
    (0..bytes.len()).find(|at| ends(*at))
}

/// Why a value in brackets or quotation marks is not whole.
pub(super) enum Unfinished {
    GoesOn,
    Wrong(&'static str),
}

/// Reads values in brackets and quotation marks.
pub(super) struct Flow<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) out: String,
}

impl Flow<'_> {
    /// Reads over blank space and comments.
    fn blanks(&mut self) -> Option<u8> {
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.len() - rest.trim_start_matches(BLANK).len();
            let rest = &self.text[self.at..];
            if !(rest.starts_with('#') && self.text[..self.at].ends_with(BLANK)) {
                return rest.as_bytes().first().copied();
            }
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }

    pub(super) fn value(&mut self, depth: usize) -> Result<(), Unfinished> {
        if depth > MAX_DEPTH {
            return Err(Unfinished::Wrong("nested too deep"));
        }
        match self.blanks().ok_or(Unfinished::GoesOn)? {
            b'{' => self.members(b'}', depth),
            b'[' => self.members(b']', depth),
            b'"' => self.double_quoted(),
            b'\'' => self.single_quoted(),
            b'!' if let Some((tag, value)) = tagged(&self.text[self.at..]) => {
                let start = self.out.len();
                self.at = self.text.len() - value.len();
                self.value(depth + 1)?;
                tag.apply(&mut self.out, start).map_err(Unfinished::Wrong)
            }
            b'&' | b'*' | b'!' => Err(Unfinished::Wrong("an anchor, an alias or a tag")),
            _ => {
                let rest = &self.text[self.at..];
                let end = plain_end(rest).ok_or(Unfinished::GoesOn)?;
                let lines: Vec<&str> = rest[..end].split('\n').map(|line| line.trim_matches(BLANK)).collect();
                self.at += end;
                push_plain(&mut self.out, lines.join(" ").trim());
                Ok(())
            }
        }
    }

    /// What stands between brackets.
    fn members(&mut self, close: u8, depth: usize) -> Result<(), Unfinished> {
        self.out.push(if close == b'}' { '{' } else { '[' });
        self.at += 1;
        let mut first = true;
        loop {
            if self.blanks().ok_or(Unfinished::GoesOn)? == close {
                self.at += 1;
                self.out.push(char::from(close));
                return Ok(());
            }
            if !std::mem::take(&mut first) {
                self.out.push(',');
            }
            if close == b'}' {
                let start = self.out.len();
                self.value(depth + 1)?;
                if !self.out[start..].starts_with('"') {
                    let name = self.out.split_off(start);
                    if name.starts_with(['{', '[']) {
                        return Err(Unfinished::Wrong("a key that is no text"));
                    }
                    json::push_string(&mut self.out, &name);
                }
                self.out.push(':');
                match self.blanks().ok_or(Unfinished::GoesOn)? {
                    b':' => {
                        self.at += 1;
                        self.value(depth + 1)?;
                    }
                    b',' | b'}' => self.out.push_str("null"),
                    _ => return Err(Unfinished::Wrong("a key without a value")),
                }
            } else {
                self.value(depth + 1)?;
            }
            match self.blanks().ok_or(Unfinished::GoesOn)? {
                b',' => self.at += 1,
                byte if byte == close => (),
                _ => return Err(Unfinished::Wrong("neither a comma nor the end of brackets")),
            }
        }
    }

    fn single_quoted(&mut self) -> Result<(), Unfinished> {
        let mut value = String::new();
        let mut rest = &self.text[self.at + 1..];
        loop {
            let end = rest.find(['\'', '\n']).ok_or(Unfinished::GoesOn)?;
            let start = value.len();
            value.push_str(&rest[..end]);
            if rest[end..].starts_with('\n') {
                rest = fold(&mut value, start, &rest[end..]);
                continue;
            }
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(behind) => {
                    value.push('\'');
                    rest = behind;
                }
                None => break,
            }
        }
        self.at = self.text.len() - rest.len();
        json::push_string(&mut self.out, &value);
        Ok(())
    }

    fn double_quoted(&mut self) -> Result<(), Unfinished> {
        let mut value = String::new();
        let mut rest = &self.text[self.at + 1..];
        loop {
            let end = rest.find(['"', '\\', '\n']).ok_or(Unfinished::GoesOn)?;
            let start = value.len();
            value.push_str(&rest[..end]);
            let special = &rest[end..];
            match special.as_bytes()[0] {
                b'\n' => rest = fold(&mut value, start, special),
                b'"' => {
                    self.at = self.text.len() - special.len() + 1;
                    json::push_string(&mut self.out, &value);
                    return Ok(());
                }
                // The end of the line is none of the text.
                _ if special.starts_with("\\\n") => {
                    let next = special[2..].trim_start_matches([' ', '\t', '\r']);
                    let blank = next.len() - next.trim_start_matches(BLANK).len();
                    (0..next[..blank].matches('\n').count()).for_each(|_| value.push('\n'));
                    rest = next.trim_start_matches(BLANK);
                }
                _ => rest = escape(&mut value, &special[1..])?,
            }
        }
    }
}

/// Writes what an escape stands for that `rest` begins with, behind its backslash; what is left of it.
fn escape<'a>(value: &mut String, rest: &'a str) -> Result<&'a str, Unfinished> {
    let letter = rest.chars().next().ok_or(Unfinished::GoesOn)?;
    let rest = &rest[letter.len_utf8()..];
    let digits = match letter {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    if digits > 0 {
        let code = rest.get(..digits).ok_or(Unfinished::GoesOn)?;
        let unit = u32::from_str_radix(code, 16).map_err(|_| Unfinished::Wrong("an escape that is none"))?;
        // The second half of a pair, as in JSON: the AWS CLI of old wrote what is beyond 16 bits so.
        let second = rest[digits..].strip_prefix("\\u").and_then(|rest| u32::from_str_radix(rest.get(..4)?, 16).ok());
        if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (unit, second) {
            let char = char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            value.push(char.unwrap_or(char::REPLACEMENT_CHARACTER));
            return Ok(&rest[digits + 6..]);
        }
        value.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        return Ok(&rest[digits..]);
    }
    value.push(match letter {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '0' => '\0',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'a' => '\u{7}',
        'v' => '\u{b}',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        other => other,
    });
    Ok(rest)
}
