//! Lines of formats that carry a log to somewhere else, with the event as the text of one of their fields: ArcSight's CEF, QRadar's
//! LEEF, and what Fluent Bit prints to its `stdout`.
//!
//! A line is read where it is certain that the field holds the event as the server wrote it: its name is one for raw events, and no
//! field beside it holds what a client chooses, because forwarders forget to escape. CEF writes backslashes twice; where a line could be
//! written either way and would say different things, it is not read here.

use super::{Opener, Shape, fields, header, search};
use crate::event::Event;
use crate::json;

pub(super) static SHAPE: Shape = Shape {
    name: "siem",
    summary: "CEF, LEEF, and Fluent Bit's stdout, with the event in a field",
    recognises: |head| open(head.line.trim_end()).is_some(),
    framing: None,
    opener: Opener::Text(open),
    traces: &[],
};

/// Fields that a forwarder fills itself, in lower case.
const OWN: [&str; 34] = [
    "_p",
    "agt",
    "ahost",
    "aid",
    "art",
    "at",
    "av",
    "cat",
    "catdt",
    "cnt",
    "date",
    "devicefacility",
    "devicehostname",
    "deviceprocessname",
    "devicereceipttime",
    "deviceexternalid",
    "devtime",
    "devtimeformat",
    "dtz",
    "dvc",
    "dvchost",
    "dvcpid",
    "end",
    "externalid",
    "file",
    "filepath",
    "logtag",
    "path",
    "rt",
    "sev",
    "start",
    "stream",
    "tag",
    "time",
];

fn is_own(name: &str) -> bool {
    OWN.contains(&name.to_ascii_lowercase().as_str())
}

/// The event that a field of the line holds, as the server wrote it.
fn open(line: &str) -> Option<String> {
    // Nearly all lines that come here are JSON.
    if line.starts_with('{') {
        return None;
    }
    let json = if line.starts_with('[') {
        fluent_bit(line)?
    } else {
        let body = header::syslog_body(line)?;
        match (body.get(..5)?, body.get(..6)?) {
            ("CEF:0" | "CEF:1", _) => cef(body)?,
            (_, "LEEF:1" | "LEEF:2") => leef(body)?,
            _ => return None,
        }
    };
    Event::decode(&json).is_ok().then_some(json)
}

/// What is behind the fields of a header that `|` separates.
fn behind_header(text: &str, fields: usize) -> Option<&str> {
    let (mut left, mut escaped) = (fields, false);
    let end = text.bytes().position(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'|' => left -= 1,
            _ => (),
        }
        left == 0
    })?;
    let head = &text[..end];
    (head.len() < 2_000 && !head.contains(['{', '"'])).then_some(&text[end + 1..])
}

/// The event in the extension of a line of CEF: `key=value key=value`, in whose values `=` is escaped.
fn cef(line: &str) -> Option<String> {
    let extension = behind_header(line, 7)?.trim();
    let bytes = extension.as_bytes();
    // Where names begin, and where their values do.
    let mut names: Vec<(usize, usize)> = Vec::new();
    for (at, _) in extension.match_indices('=') {
        let start = bytes[..at].iter().rposition(|byte| !(byte.is_ascii_alphanumeric() || b"_.[]".contains(byte)));
        let start = start.map_or(0, |before| before + 1);
        if start < at && (start == 0 || bytes[start - 1] == b' ') {
            names.push((start, at + 1));
        }
    }
    let first = names.iter().position(|(start, value)| fields::may_hold_event(&extension[*start..value - 1]))?;
    let is_between = |(start, value): &(usize, usize)| is_own(&extension[*start..value - 1]);
    if !names[..first].iter().all(is_between) {
        return None;
    }
    let start = names[first].1;
    // What looks like a name in the event is text of it where the forwarder escapes nothing; the fields behind it are our own.
    let mut behind = names[first + 1..]
        .iter()
        .rev()
        .take_while(|name| is_between(name))
        .map(|(start, _)| *start)
        .collect::<Vec<_>>();
    behind.reverse();
    let ends = behind.into_iter().chain([bytes.len()]);
    let mut told = ends.filter_map(|end| whole(extension[start..end].trim_end()));
    let event = told.next()?;
    // The same event with more behind it is none.
    told.all(|other| other == event).then_some(event)
}

/// The event that a value of CEF is, when it is one and one only.
fn whole(value: &str) -> Option<String> {
    let is_event = |text: &str| text.starts_with('{') && Event::decode(text).is_ok();
    let unescaped = unescaped(value);
    let bare = is_event(value);
    let has_bare_equals = value.match_indices('=').any(|(at, _)| !value[..at].ends_with('\\'));
    match unescaped.filter(|text| is_event(text)) {
        Some(text) if text == value => Some(text),
        Some(_) if bare && has_bare_equals => Some(value.to_owned()),
        // Both would be events, and differ.
        Some(_) if bare => None,
        Some(text) if !has_bare_equals => Some(text),
        None if bare && has_bare_equals => Some(value.to_owned()),
        _ => None,
    }
}

/// A value without the escapes of CEF; `None` when it has others.
fn unescaped(value: &str) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        out.push(match letter {
            '\\' => match letters.next()? {
                'n' => '\n',
                'r' => '\r',
                kept @ ('\\' | '=' | '|') => kept,
                _ => return None,
            },
            letter => letter,
        });
    }
    Some(out)
}

/// The event in the attributes of a line of LEEF, between which stands a tab, or what the header says; nothing is escaped.
fn leef(line: &str) -> Option<String> {
    let mut attributes = behind_header(line, 5)?;
    let mut between = '\t';
    if line.starts_with("LEEF:2") {
        let (named, rest) = attributes.split_once('|')?;
        let hex = ["0x", "x"].iter().find_map(|begins| named.strip_prefix(begins));
        between = match hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(letter) => letter,
            None if named.is_empty() => '\t',
            None => named.chars().next().filter(|letter| letter.len_utf8() == named.len())?,
        };
        attributes = rest;
    }
    loop {
        let (name, value) = attributes.split_once('=')?;
        if value.starts_with('{') && fields::may_hold_event(name) {
            let event = search::first_value(value)?;
            let behind = value[event.len()..].split(between);
            let mut names = behind.skip(1).filter(|attribute| !attribute.is_empty());
            let is_end = value[event.len()..].is_empty() || value[event.len()..].starts_with(between);
            let is_safe = names.all(|attribute| attribute.split_once('=').is_some_and(|(name, _)| is_own(name)));
            return (is_end && is_safe).then(|| event.to_owned());
        }
        if !is_own(name) {
            return None;
        }
        attributes = value.split_once(between)?.1;
    }
}

/// The event in a line such as `[0] tag: [[1795293421.108, {}], {"log"=>"{…}"}]`, where the text stands as it is.
fn fluent_bit(line: &str) -> Option<String> {
    let (number, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let (tag, rest) = rest.split_once(": [")?;
    let is_tag = !tag.is_empty()
        && tag.len() < 256
        && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-*/".contains(&byte));
    if !number.bytes().all(|byte| byte.is_ascii_digit()) || !is_tag {
        return None;
    }
    let time = rest.trim_start_matches('[');
    let digits = time.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let members = time[digits..].strip_prefix(", {}], {").or_else(|| time[digits..].strip_prefix(", {"))?;
    let mut rest = members;
    // Members in front of the event are our own, and plain.
    let event = loop {
        let (name, behind) = rest.strip_prefix('"')?.split_once("\"=>\"")?;
        if behind.starts_with('{') && fields::may_hold_event(name) {
            break search::first_value(behind)?;
        }
        let (value, behind) = behind.split_once('"')?;
        if !is_own(name) || value.contains(['{', '\\']) {
            return None;
        }
        rest = behind.strip_prefix(", ")?;
    };
    let offset = event.as_ptr().addr() - line.as_ptr().addr() + event.len();
    let mut rest = line[offset..].strip_prefix("\\n").unwrap_or(&line[offset..]).strip_prefix('"')?;
    while let Some(member) = rest.strip_prefix(", \"") {
        let (name, behind) = member.split_once("\"=>\"")?;
        let (value, behind) = behind.split_once('"')?;
        if !is_own(name) || value.contains('{') {
            return None;
        }
        rest = behind;
    }
    (rest == "}]" && json::is_object(event)).then(|| event.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","requestURI":"/x?a=b\u0026c=d","user":{},"stageTimestamp":"2026-11-21T20:37:37.000000Z"}"#;

    #[test]
    fn what_is_certain_is_read() {
        let escaped = EVENT.replace('\\', "\\\\").replace('=', "\\=");
        for line in [
            format!("CEF:0|a|b|c|d|e|f|msg={escaped}"),
            // Nothing is escaped.
            format!("CEF:0|a|b|c|d|e|f|rt=1 msg={EVENT} dvc=x"),
            format!("<14>Nov 21 20:37:37 cp-1 CEF:0|a|b|c|d|e|f|rt=1 raw={escaped} cat=x y"),
            format!("LEEF:1.0|a|b|c|d|cat=x\tpayload={EVENT}\tdevTime=1"),
            format!("LEEF:2.0|a|b|c|d|^|payload={EVENT}"),
            format!("[12] k.a: [[1.5, {{}}], {{\"time\"=>\"x\", \"log\"=>\"{EVENT}\\n\", \"stream\"=>\"stdout\"}}]"),
        ] {
            assert_eq!(open(&line).as_deref(), Some(EVENT), "{line}");
        }
    }

    #[test]
    fn what_a_client_can_have_written_is_not() {
        for line in [
            // The agent is a client's, and nobody escaped it.
            format!("CEF:0|a|b|c|d|e|f|requestClientApplication=x msg={EVENT}"),
            format!("CEF:0|a|b|c|d|e|f|msg={EVENT} requestClientApplication=x"),
            format!("CEF:0|a|b|c|d|e|f|requestClientApplication={EVENT}"),
            format!("<14>Nov 21 20:37:37 cp-1 nginx: CEF:0|a|b|c|d|e|f|msg={EVENT}"),
            format!("LEEF:1.0|a|b|c|d|usrName=x\tpayload={EVENT}"),
            format!("LEEF:1.0|a|b|c|d|payload={EVENT}x"),
            format!("[0] k.a: [[1.5, {{}}], {{\"agent\"=>\"x\", \"log\"=>\"{EVENT}\"}}]"),
            format!("[0] k.a: [[1.5, {{}}], {{\"log\"=>\"{EVENT}\", \"x\"=>\"y\"}}]"),
            // Either is an event, and they differ.
            r#"CEF:0|a|b|c|d|e|f|msg={"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a\\u0026","user":{},"stageTimestamp":"2026-11-21T20:37:37.000000Z"}"#.to_owned(),
        ] {
            assert!(open(&line).is_none(), "{line}");
        }
    }
}
