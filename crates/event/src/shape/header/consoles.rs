//! Headers of what tools print, or send as a stream: the AWS CLI, Fluentd's `stdout`, syslog whose messages are counted.

use super::{Reader, SEVERITIES_ENDS, is_severity};
use crate::time;

/// Longest line that is the head of a document by itself, in bytes.
const MAX_HEAD: usize = 700;

/// Whether a line is a time, a stream and a blank: `aws logs tail --format json` writes it in front of each document.
pub(in crate::shape) fn is_head(line: &[u8]) -> bool {
    let begins = line.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == 0x1b);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !begins || line.len() > MAX_HEAD || line.last() != Some(&b' ') {
        return false;
    }
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let mut reader = Reader::new(text);
    reader.stamp_and_stream().is_some() && reader.rest().is_empty()
}

/// What the AWS CLI writes as text beside the events that it found, and no event: the streams that it searched, and from where to read on.
pub(in crate::shape) fn is_beside(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_plain = |word: &[u8]| {
        word.len() < 600 && word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_./[]$".contains(byte))
    };
    let is_token = |word: &[u8], begins: &[u8]| word.starts_with(begins) && word.len() < 80 && word.ends_with(b"/s");
    // Asked of every line: nearly all are told by their first letters.
    if !(line.starts_with(b"SEARCHEDLOGSTREAMS\t") || line.starts_with(b"b/")) || line.len() >= 1_500 {
        return false;
    }
    let words: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
    match words.as_slice() {
        [b"SEARCHEDLOGSTREAMS", stream, b"True" | b"False"] => is_plain(stream),
        [back, on] => is_token(back, b"b/") && is_token(on, b"f/") && is_plain(back) && is_plain(on),
        _ => false,
    }
}

/// A message of syslog that its length stands in front of (RFC 6587), or a record in a netstring, `123:{…},`: the length of all of it,
/// and where the message begins.
pub(in crate::shape) fn counted(text: &[u8]) -> Option<(usize, usize)> {
    let digits = text.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    let number: usize = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    let end = digits + 1 + number;
    let begins = |between, first| text.get(digits) == Some(&between) && text.get(digits + 1) == Some(&first);
    let length = match text.get(end) {
        _ if begins(b' ', b'<') => end,
        // The comma can be behind what is known of the text.
        None | Some(b',') if begins(b':', b'{') => end + 1,
        _ => return None,
    };
    (number > 10 && text[0] != b'0').then_some((length, digits + 1))
}

/// What is behind a header of syslog that has no tag, or behind none.
pub(in crate::shape) fn syslog_body(text: &str) -> Option<&str> {
    let mut reader = Reader::new(text);
    let _ = reader.try_read(Reader::numbered) || reader.try_read(Reader::of_host);
    (!reader.rest().is_empty()).then(|| reader.rest())
}

impl<'a> Reader<'a> {
    /// `<134>1 <time> host app pid id - `.
    fn numbered(&mut self) -> Option<()> {
        self.priority()?;
        self.word().filter(|version| *version == "1")?;
        self.stamp()?;
        for _ in 0..4 {
            self.word()?;
        }
        self.word().filter(|data| *data == "-").map(|_| ())
    }

    /// `<14>Nov 21 20:37:37 host ` or `<time> host `.
    fn of_host(&mut self) -> Option<()> {
        let _ = self.priority();
        if !self.try_read(Self::stamp) {
            self.date()?;
        }
        self.word().filter(|host| !host.ends_with(':')).map(|_| ())
    }

    /// A word in the colour in which the AWS CLI writes it on a terminal, and without.
    fn painted(&mut self) -> Option<&'a str> {
        let Some(rest) = self.rest().strip_prefix("\x1b[") else { return self.word() };
        let (colour, rest) = rest.split_once('m').filter(|(colour, _)| colour.len() < 8)?;
        let (word, behind) = rest.split_once("\x1b[0m").filter(|_| colour.bytes().all(|byte| byte.is_ascii_digit()))?;
        let is_plain =
            word.len() < 600 && word.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"{}\\'".contains(&byte));
        if !is_plain || !behind.starts_with(' ') {
            return None;
        }
        self.at = self.text.len() - behind.len();
        self.blanks();
        Some(word)
    }

    fn stamp_and_stream(&mut self) -> Option<()> {
        let stamp = self.painted().filter(|word| word.len() >= 19 && time::parse(word).is_some())?;
        self.time = Some(stamp);
        self.painted().filter(|stream| !is_severity(stream.trim_matches(SEVERITIES_ENDS)))?;
        Some(())
    }

    /// `2026-11-21T20:37:37.000000+00:00 kube-apiserver-audit-0a `, in colour or in front of a document in the next line.
    pub(super) fn aws_tail(&mut self) -> Option<()> {
        if self.rest().starts_with("\x1b[") && !self.try_read(Self::stamp_and_stream) {
            // `--format short`
            self.time = Some(self.painted().filter(|word| word.len() >= 19 && time::parse(word).is_some())?);
        } else if self.time.is_none() {
            self.stamp_and_stream()?;
        }
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        self.is_record().then_some(())
    }

    /// `EVENTS\t38\t1795293421108\tkube-apiserver-audit-0a\t`: the AWS CLI's text, whose columns are in the order of their names. Behind the event
    /// stands its time.
    pub(super) fn aws_text(&mut self) -> Option<()> {
        self.rest().strip_prefix("EVENTS\t")?;
        self.word()?;
        let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        for _ in 0..3 {
            if self.is_record() {
                break;
            }
            let word = self.word()?;
            // The stream is the one that is no number, and the last.
            if !is_number(word) && !self.is_record() {
                return None;
            }
        }
        self.ends_with_time = true;
        self.is_record().then_some(())
    }

    /// `2026-11-21 20:37:37.000000000 +0000 kube.audit: `, as Fluentd's `stdout` writes it.
    pub(super) fn fluentd(&mut self) -> Option<()> {
        let start = self.at;
        self.word().filter(|date| date.len() == 10 && date.as_bytes()[4] == b'-')?;
        self.word().filter(|clock| clock.len() >= 8 && clock.as_bytes()[2] == b':')?;
        self.word().filter(|zone| zone.len() == 5 && zone.starts_with(['+', '-']))?;
        let time = self.text[start..self.at].trim_end();
        self.time = time::parse(time).map(|_| time).or(self.time);
        let tag = self.word()?.strip_suffix(':')?;
        self.is_part |= self.is_indented();
        (!is_severity(tag)).then_some(())
    }

    /// `[0] kube.audit: ` in front of a list, as Fluent Bit's `stdout` writes it.
    pub(super) fn fluent_bit(&mut self) -> Option<()> {
        let number = self.word()?.strip_prefix('[')?.strip_suffix(']')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        self.word().filter(|tag| is_number && tag.len() > 1 && tag.ends_with(':'))?;
        self.rest().starts_with('[').then_some(())
    }

    /// `523 <134>1 …`, whose count is that of the text.
    pub(super) fn counted_syslog(&mut self) -> Option<()> {
        let rest = self.rest();
        let (length, message) = counted(rest.as_bytes())?;
        // The line end may be counted.
        if !(length == rest.len() || length == rest.len() + 1) {
            return None;
        }
        self.at += message;
        (self.try_read(Self::rfc5424) || self.try_read(Self::tagged)).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::header;
    use super::*;

    #[test]
    fn what_tools_print_in_front_of_records_is_known() {
        let event = "{\"a\":1}";
        let message = format!("<134>1 2026-11-21T20:37:37Z cp-1 audit - - - {event}");
        let counted = format!("{} <134>1 2026-11-21T20:37:37Z cp-1 audit - - - ", message.len());
        for prefix in [
            "\x1b[32m2026-11-21T20:37:37.000000+00:00\x1b[0m \x1b[36mkube-apiserver-audit-0a\x1b[0m ",
            "\x1b[32m2026-11-21T20:37:37\x1b[0m ",
            "2026-11-21T20:37:37+00:00 kube-apiserver-audit-0a \n",
            "EVENTS\t3826\t1795293421108\tkube-apiserver-audit-0a\t",
            "EVENTS\t1795293421108\t",
            "2026-11-21 20:37:37.000000000 +0000 kube.audit: ",
            &counted,
        ] {
            assert_eq!(header(&format!("{prefix}{event}")).map(|header| header.length), Some(prefix.len()), "{prefix}");
        }
        for prefix in [
            "EVENTS\tGET /\t1\t",
            "2026-11-21 20:37:37.000000000 +0000 INFO: ",
            "99 <134>1 2026-11-21T20:37:37Z cp-1 audit - - - ",
            "2026-11-21T20:37:37+00:00 INFO \n",
            "\x1b[32m2026-11-21T20:37:37\x1b[0m INFO: ",
        ] {
            assert_eq!(header(&format!("{prefix}{event}")), None, "{prefix}");
        }
        assert!(is_head(b"2026-11-21T20:37:37+00:00 kube-apiserver-audit-0a ") && !is_head(b"2026-11-21T20:37:37Z x"));
        assert!(!is_head(b"2026-11-21T20:37:37+00:00 ") && !is_head(b"one two "));
        assert!(is_beside(b"SEARCHEDLOGSTREAMS\tx\tTrue") && is_beside(b"b/38/s\tf/38/s\r") && !is_beside(b"b/38/s"));
    }
}
