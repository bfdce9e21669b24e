//! What collectors put in front of a record in its line: times, hosts, streams, tags.
//!
//! Only what is written here is taken for a header. Components write what clients sent into their own lines (klog's traces hold
//! the user agent as it came), and access logs do. So an object behind any other text proves nothing.

mod consoles;

use crate::time;

pub(super) use consoles::{counted, is_beside, is_head, syslog_body};

/// What stands in front of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header<'a> {
    /// Its length in bytes.
    pub(super) length: usize,
    /// The time in it.
    pub(super) time: Option<&'a str>,
    /// A container runtime says that the line goes on in another one.
    pub(super) is_part: bool,
    /// Behind the record stands its time, in milliseconds, and nothing else.
    pub(super) ends_with_time: bool,
}

/// The months of RFC 3164.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Words that say how grave a line of a program's own log is: what follows is that program's text.
const SEVERITIES: [&str; 12] =
    ["trace", "debug", "info", "notice", "warn", "warning", "err", "error", "crit", "critical", "fatal", "panic"];

/// What can stand around such a word.
const SEVERITIES_ENDS: [char; 3] = ['[', ']', ':'];

/// Longest word of a header.
const MAX_WORD: usize = 256;

/// Whether a line is one of a component's own log, as klog writes it: `I1121 20:37:37.000000       1 trace.go:236] …`.
pub(super) fn is_klog(text: &str) -> bool {
    let mut reader = Reader::new(text);
    reader.container();
    let bytes = reader.rest().trim_ascii_start().as_bytes();
    let shape = b"I0000 00:00:00.";
    bytes.len() > shape.len()
        && shape.iter().zip(bytes).all(|(want, have)| match want {
            b'I' => b"IWEF".contains(have),
            b'0' => have.is_ascii_digit(),
            _ => want == have,
        })
}

/// The header in front of a record, empty when the text begins with it; `None` when the text begins with something else.
pub(super) fn header(text: &str) -> Option<Header<'_>> {
    let mut reader = Reader::new(text);
    // Items of a list that are written a line each begin with the comma behind the one before, or end with it. JSON text sequences
    // (RFC 7464) have a separator in front of each.
    reader.at += text.len() - text.trim_start_matches([',', ' ', '\t', '\r', '\n', '\u{feff}', '\u{1e}']).len();
    if reader.container() {
        reader.blanks();
    }
    if reader.is_record() || reader.try_read(Reader::fluent_bit) || (reader.known() && reader.is_record()) {
        let Reader { at: length, time, is_part, ends_with_time, .. } = reader;
        return Some(Header { length, time, is_part, ends_with_time });
    }
    None
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    time: Option<&'a str>,
    is_part: bool,
    ends_with_time: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, time: None, is_part: false, ends_with_time: false }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn is_record(&self) -> bool {
        let mut bytes = self.rest().bytes();
        match bytes.next() {
            Some(b'[') => {
                let first = self.rest()[1..].trim_ascii_start();
                let behind_number = first.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
                let is_number = behind_number.len() < first.len() && behind_number.starts_with(',');
                first.starts_with(['{', '[', '"', ']']) || is_number || self.rest().len() == 1
            }
            Some(b'{') => {
                self.rest()[1..].trim_ascii_start().starts_with(['"', '}']) || self.rest().trim_ascii().len() == 1
            }
            _ => false,
        }
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(['\u{feff}', ' ', '\t', '\r']).len();
    }

    /// Whether the text goes on behind a tab.
    fn is_indented(&self) -> bool {
        self.text[..self.at].ends_with('\t')
    }

    /// A word, and the blanks behind it.
    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let end = rest.find([' ', '\t']).unwrap_or(rest.len());
        let word = &rest[..end];
        let is_plain = !word.is_empty() && word.len() <= MAX_WORD && !word.contains(['"', '{', '}', '\\', '\'']);
        if !is_plain || end == rest.len() {
            return None;
        }
        self.at += end;
        self.blanks();
        Some(word)
    }

    /// Reads what `read` does, or nothing.
    fn try_read(&mut self, read: impl FnOnce(&mut Self) -> Option<()>) -> bool {
        let (at, time) = (self.at, self.time);
        let done = read(self).is_some();
        if !done {
            (self.at, self.time) = (at, time);
        }
        done
    }

    /// `<time> stdout F `, as a CRI writes it.
    fn container(&mut self) -> bool {
        self.try_read(|reader| {
            reader.stamp()?;
            reader.word().filter(|stream| matches!(*stream, "stdout" | "stderr"))?;
            let tag = reader.word()?.split(':').next()?;
            // A tab behind the header's blank: a line of a value that klog wrote, of which a client can have chosen some.
            reader.is_part = tag == "P" || reader.is_indented();
            matches!(tag, "P" | "F").then_some(())
        })
    }

    fn known(&mut self) -> bool {
        self.try_read(Self::rfc5424)
            || self.try_read(Self::tagged)
            || self.try_read(Self::counted_syslog)
            || self.try_read(Self::labelled)
            || self.try_read(Self::fluentd)
            || self.try_read(Self::aws_text)
            || self.try_read(Self::aws_tail)
            || self.try_read(Self::stamped)
            || self.try_read(Self::dated)
            || self.try_read(Self::bracketed)
            || self.try_read(Self::group)
            || self.try_read(Self::host)
            || self.try_read(Self::file)
    }

    /// A time as a word.
    fn stamp(&mut self) -> Option<()> {
        let word = self.word().filter(|word| word.len() >= 19 && time::parse(word).is_some())?;
        self.time = Some(word);
        Some(())
    }

    /// `<134>`, and a version.
    fn priority(&mut self) -> Option<()> {
        let (number, _) = self.rest().strip_prefix('<')?.split_once('>')?;
        let is_number = !number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
        self.at += if is_number { number.len() + 2 } else { return None };
        Some(())
    }

    /// `<134>1 <time> host app pid id [data] `.
    fn rfc5424(&mut self) -> Option<()> {
        self.priority()?;
        self.word().filter(|version| *version == "1")?;
        self.stamp()?;
        for _ in 0..4 {
            self.word()?;
        }
        match self.rest().as_bytes().first()? {
            b'-' => _ = self.word()?,
            b'[' => {
                while self.rest().starts_with('[') && !self.is_record() {
                    self.structured()?;
                }
                self.blanks();
            }
            _ => return None,
        }
        self.is_part |= self.is_indented();
        self.is_record().then_some(())
    }

    /// An element of structured data, which holds texts.
    fn structured(&mut self) -> Option<()> {
        let (mut in_text, mut escaped) = (false, false);
        let end = self.rest().bytes().position(|byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                _ => (),
            }
            byte == b']' && !in_text
        })?;
        self.at += end + 1;
        Some(())
    }

    /// `Nov 21 20:37:37 `.
    fn date(&mut self) -> Option<()> {
        self.word().filter(|month| MONTHS.contains(month))?;
        self.word().filter(|day| day.len() <= 2 && day.bytes().all(|byte| byte.is_ascii_digit()))?;
        self.word().filter(|clock| clock.len() >= 8 && clock.as_bytes()[2] == b':').map(|_| ())
    }

    /// `Nov 21 20:37:37 host tag[1]: ` as syslog and journalctl write it, with a priority or without one; with other times too.
    fn tagged(&mut self) -> Option<()> {
        let _ = self.priority();
        if self.try_read(Self::stamp) {
            // The host can be missing, the tag cannot.
        } else {
            self.date()?;
        }
        let first = self.word()?;
        let tag = if first.ends_with(':') { first } else { self.word()? };
        let name = tag.strip_suffix(':')?;
        self.is_part |= self.is_indented();
        (!is_severity(name)).then_some(())
    }

    /// `<time> {job="audit"} `, as logcli writes it.
    fn labelled(&mut self) -> Option<()> {
        self.stamp()?;
        let rest = self.rest();
        let name = rest.strip_prefix('{')?.split('=').next()?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let (mut in_text, mut escaped) = (false, false);
        let end = rest.bytes().position(|byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                _ => (),
            }
            byte == b'}' && !in_text
        })?;
        self.at += end + 1;
        self.blanks();
        // A query without a selector that tells streams apart prints none of their labels.
        (is_name || rest.starts_with("{}")).then_some(())
    }

    /// `<time> ` or `<time> stream `.
    fn stamped(&mut self) -> Option<()> {
        self.stamp()?;
        if !self.is_record() {
            self.word().filter(|stream| !is_severity(stream.trim_end_matches(':')))?;
        }
        Some(())
    }

    /// `Nov 28 16:46:49 ` and `2026-11-28 16:46:49.123456 ` and nothing else, as `ts` writes them.
    fn dated(&mut self) -> Option<()> {
        if !self.try_read(Self::date) {
            let is_like = |word: &str, shape: &[u8]| {
                let digit = |(have, want): (u8, &u8)| if *want == b'0' { have.is_ascii_digit() } else { have == *want };
                word.len() >= shape.len() && word.bytes().zip(shape).all(digit)
            };
            self.word().filter(|date| date.len() == 10 && is_like(date, b"0000-00-00"))?;
            let clock = self.word().filter(|clock| is_like(clock, b"00:00:00"))?;
            let fraction = clock[8..].strip_prefix('.').unwrap_or(&clock[8..]);
            if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
        }
        self.is_part |= self.is_indented();
        self.is_record().then_some(())
    }

    /// `[pod/kube-apiserver-cp-1/kube-apiserver] `, as `kubectl logs --prefix` writes it.
    fn bracketed(&mut self) -> Option<()> {
        self.word().filter(|word| word.starts_with("[pod/") && word.ends_with(']'))?;
        // With `--timestamps` too.
        self.try_read(Self::stamp);
        Some(())
    }

    /// `/aws/eks/prod/cluster kube-apiserver-audit-0a ` and `kube-apiserver-1  | `.
    fn group(&mut self) -> Option<()> {
        let (first, second) = (self.word()?, self.word()?);
        (first.starts_with('/') || second == "|").then_some(())
    }

    /// A host, or a tag.
    fn host(&mut self) -> Option<()> {
        let word = self.word()?;
        // Python's `logging` writes `INFO:name:` in front of whatever a program says.
        (!word.split(':').any(is_severity)).then_some(())
    }

    /// `audit.log:` and `audit.log:12:`, as `grep` writes them.
    fn file(&mut self) -> Option<()> {
        let rest = self.rest();
        let end = rest.find('{')?;
        let name = rest[..end].strip_suffix(':')?;
        let is_name = !name.is_empty()
            && name.len() <= MAX_WORD
            && !name.contains([' ', '\t', '"', '\\', '\''])
            && !name.split(':').any(is_severity);
        self.at += end;
        is_name.then_some(())
    }
}

fn is_severity(word: &str) -> bool {
    SEVERITIES.contains(&word.to_ascii_lowercase().trim_matches(SEVERITIES_ENDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_collectors_are_known() {
        for prefix in [
            "",
            "\u{feff}",
            "node-1 ",
            "2021-07-21T09:46:13.123Z ",
            "2023-05-20T05:26:57.511000+00:00 kube-apiserver-audit-900118 ",
            "<134>1 2026-11-21T20:37:37.365950Z cp-1 kube-apiserver 1 audit - ",
            "<14>1 2026-11-21T20:37:37Z cp-1 audit - - [x@1 a=\"{\"] ",
            "<14>Nov 21 20:37:37 cp-1 audit: ",
            "Nov  1 20:37:37 cp-1 kube-apiserver[12]: ",
            "2026-11-21T20:37:37+0000 cp-1 kube-apiserver[12]: ",
            "2026-11-21T20:37:37+00:00\tkube.audit\t",
            "2026-11-21T20:37:37Z {job=\"audit\", filename=\"/var/log/a{}.log\"} ",
            "2026-11-21T20:37:37.365950123Z stdout F ",
            "[pod/kube-apiserver-cp-1/kube-apiserver] ",
            "kube-apiserver-1  | ",
            "Nov 28 16:46:49 ",
            "2026-11-28 16:46:49 ",
            "2026-11-28 16:46:49.123456 ",
            "audit-1.log:12:",
            "/aws/eks/prod/cluster kube-apiserver-audit-0a ",
        ] {
            let text = format!("{prefix}{{\"a\":1}}");
            assert_eq!(header(&text).map(|header| header.length), Some(prefix.len()), "{prefix}");
        }
        let part = header("2026-11-21T20:37:37.365950123Z stdout P {\"a\"").unwrap();
        assert!(part.is_part && part.time == Some("2026-11-21T20:37:37.365950123Z"));
    }

    #[test]
    fn text_of_programs_is_no_header() {
        for prefix in [
            "I1121 20:37:37.000000       1 trace.go:236] Trace[123]: user-agent:",
            "10.0.0.9 - - [21/Nov/2026:20:37:37 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"",
            "2026-11-21T20:37:37Z INFO request from ",
            "2026-11-21T20:37:37Z INFO ",
            "2026-11-28 16:46:49,123 ",
            "2026-11-28 16:46:49 INFO ",
            "error: ",
            "INFO:web:",
            "INFO:web: ",
            "e\":201},\"requestObject\":",
            "time=2026-11-21T20:37:37Z level=info msg=",
        ] {
            assert_eq!(header(&format!("{prefix}{{\"a\":1}}")), None, "{prefix}");
        }
        assert!(is_klog("I1121 20:37:37.000000       1 trace.go:236] x"));
        assert!(
            is_klog("2026-11-21T20:37:37.365950123Z stderr F W1121 20:37:37.000000       1 x.go:2] x")
                && !is_klog("Important")
        );
    }
}
