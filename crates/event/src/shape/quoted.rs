//! Lines that are no JSON, and hold it in quotation marks of their own: an `INSERT` of SQL, as `mysqldump`, `pg_dump --inserts` and
//! SQLite's `.dump` write them, logfmt (`time=… level=info msg="{\"kind\":…}"`), a text as Python prints it, and what TOML assigns.
//!
//! Each is told as JSON as a whole or not at all. Such a line can stand in the log of any program, with text of a client in it, so
//! what is found in one is marked.

use crate::json;
use crate::literal;

/// Most values of one row, or members of one line.
const MAX_VALUES: usize = 2_000;

/// What a line tells, as JSON: an object, or the rows of a statement as a list of them.
pub(super) fn told(line: &str, holds_event: impl Fn(&str) -> bool) -> Option<String> {
    let line = line.trim_ascii();
    let told = |json: Option<String>| json.filter(|json| holds_event(json));
    // Standard SQL doubles an apostrophe and nothing else; MySQL and `E'…'` escape by backslashes. JSON is JSON in one of them only.
    told(rows(line, false))
        .or_else(|| told(rows(line, true)))
        .or_else(|| told(logfmt(line)))
        .or_else(|| told(text(line)))
        .or_else(|| told(assigned(line)))
}

/// What a text in quotation marks stands for, which can be all of a line: `'{"kind":"Event"}'`, `b'{"kind":"Event"}'`.
fn text(line: &str) -> Option<String> {
    let bytes = line.strip_prefix('b');
    let text = bytes.unwrap_or(line);
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inner = text[1..].strip_suffix(quote)?;
    // Bytes are not letters.
    let is_plain = !(bytes.is_some() && inner.contains("\\x"));
    (is_plain && text_end(&text[1..], quote) == Some(inner.len())).then(|| literal::unescaped(inner)).flatten()
}

/// The one member of a line such as `message = "{\"kind\":\"Event\"}"`.
fn assigned(line: &str) -> Option<String> {
    let (name, value) = line.split_once(" = ")?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-\"".contains(&byte));
    let value = text(value).filter(|_| is_name && value.starts_with('"'))?;
    let mut out = String::from("{");
    json::push_string(&mut out, name.trim_matches('"'));
    out.push(':');
    json::push_string(&mut out, &value);
    out.push('}');
    Some(out)
}

/// The rows of an `INSERT`, or of a line of one, as a list of objects.
fn rows(line: &str, escapes: bool) -> Option<String> {
    let mut reader = Reader { rest: line, escapes };
    let names = if line.starts_with('(') { Vec::new() } else { reader.head()? };
    let mut out = String::from("[");
    loop {
        if out.len() > 1 {
            out.push(',');
        }
        reader.row(&names, &mut out)?;
        reader.blank();
        if !reader.takes(",") || reader.rest.trim_ascii().is_empty() {
            break;
        }
    }
    out.push(']');
    // What is behind the rows, such as `ON CONFLICT DO NOTHING`, holds no text.
    let is_end = reader.rest.ends_with(';') || reader.rest.is_empty();
    (is_end && !reader.rest.contains(['\'', '"', '(']) && reader.rest.len() < 200).then_some(out)
}

struct Reader<'a> {
    rest: &'a str,
    /// Backslashes escape.
    escapes: bool,
}

impl<'a> Reader<'a> {
    fn blank(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn takes(&mut self, text: &str) -> bool {
        self.blank();
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn word(&mut self) -> &'a str {
        self.blank();
        let end = self
            .rest
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// What stands in front of the rows: `INSERT INTO "public"."logs" ("id", "message") VALUES`. The names of the columns, if it has some.
    fn head(&mut self) -> Option<Vec<&'a str>> {
        let verb = self.word().to_ascii_lowercase();
        if !["insert", "replace"].contains(&verb.as_str()) {
            return None;
        }
        loop {
            let word = self.word();
            if word.eq_ignore_ascii_case("into") {
                break;
            }
            if !["ignore", "or", "replace", "low_priority", "delayed"].contains(&word.to_ascii_lowercase().as_str()) {
                return None;
            }
        }
        self.name()?;
        while self.takes(".") {
            self.name()?;
        }
        let mut names = Vec::new();
        if self.takes("(") {
            loop {
                names.push(self.name()?);
                if self.takes(")") {
                    break;
                }
                if !self.takes(",") || names.len() > MAX_VALUES {
                    return None;
                }
            }
        }
        self.word().eq_ignore_ascii_case("values").then_some(names)
    }

    /// The name of a table or a column.
    fn name(&mut self) -> Option<&'a str> {
        self.blank();
        let close = match self.rest.chars().next()? {
            '"' => '"',
            '`' => '`',
            '[' => ']',
            _ => return Some(self.word()).filter(|word| !word.is_empty()),
        };
        let (name, rest) = self.rest[1..].split_once(close)?;
        self.rest = rest;
        Some(name)
    }

    /// A row as an object.
    fn row(&mut self, names: &[&str], out: &mut String) -> Option<()> {
        if !self.takes("(") {
            return None;
        }
        out.push('{');
        for number in 0..MAX_VALUES {
            if number > 0 {
                out.push(',');
            }
            json::push_string(out, names.get(number).map_or("column", |name| name));
            out.push(':');
            self.value(out)?;
            if self.takes(")") {
                out.push('}');
                return Some(());
            }
            if !self.takes(",") {
                return None;
            }
        }
        None
    }

    /// A text, or a word or number in its place.
    fn value(&mut self, out: &mut String) -> Option<()> {
        self.blank();
        let end = self.rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || "_.+-:".contains(letter)));
        let (word, rest) = self.rest.split_at(end?);
        self.rest = rest;
        if !self.rest.starts_with('\'') {
            // What `NULL`, numbers and `now` say of an event nobody has to know.
            json::push_string(out, word);
            return (!word.is_empty()).then_some(());
        }
        let text = self.text()?;
        // `'{"kind":…}'::jsonb`
        if self.takes("::") {
            self.word();
        }
        json::push_string(out, &text);
        Some(())
    }

    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut letters = self.rest[1..].chars();
        loop {
            match letters.next()? {
                '\'' => match letters.as_str().strip_prefix('\'') {
                    Some(rest) => {
                        text.push('\'');
                        letters = rest.chars();
                    }
                    None => break,
                },
                '\\' if self.escapes => text.push(match letters.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'b' => '\u{8}',
                    'Z' => '\u{1a}',
                    '0' => '\0',
                    other => other,
                }),
                letter => text.push(letter),
            }
        }
        self.rest = letters.as_str();
        Some(text)
    }
}

/// The members of a line of logfmt as an object; `None` when a name comes twice, because a value that was not escaped may have written it.
fn logfmt(line: &str) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut out = String::from("{");
    let mut rest = line;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || "_.-@/".contains(letter)))?;
        let name = &rest[..end];
        let behind = rest[end..].strip_prefix('=').filter(|_| !name.is_empty() && names.len() < MAX_VALUES)?;
        if names.contains(&name) {
            return None;
        }
        if !names.is_empty() {
            out.push(',');
        }
        names.push(name);
        json::push_string(&mut out, name);
        out.push(':');
        let behind = match behind.strip_prefix('"') {
            Some(quoted) => {
                let end = text_end(quoted, '"')?;
                json::push_string(&mut out, &literal::unescaped(&quoted[..end])?);
                &quoted[end + 1..]
            }
            None => {
                let end = behind.find(' ').unwrap_or(behind.len());
                if behind[..end].contains(['"', '=', '{']) {
                    return None;
                }
                json::push_string(&mut out, &behind[..end]);
                &behind[end..]
            }
        };
        if !(behind.is_empty() || behind.starts_with(' ')) {
            return None;
        }
        rest = behind.trim_start_matches(' ');
    }
    out.push('}');
    (names.len() > 1).then_some(out)
}

/// Where the quotation mark stands that ends a text.
fn text_end(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, letter)| {
        let is_end = letter == quote && !escaped;
        escaped = letter == '\\' && !escaped;
        is_end.then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_sql_are_told_as_objects() {
        for (line, expected) in [
            (
                r#"INSERT INTO logs VALUES(1,'{"a":"it''s \"x\""}');"#,
                r#"[{"column":"1","column":"{\"a\":\"it's \\\"x\\\"\"}"}]"#,
            ),
            (
                r#"INSERT INTO "public"."logs" ("id", "message") VALUES (NULL, '{"a":1}'::jsonb), (-2.5, E'x') ON CONFLICT DO NOTHING;"#,
                r#"[{"id":"NULL","message":"{\"a\":1}"},{"id":"-2.5","message":"x"}]"#,
            ),
            (r#"REPLACE INTO `d`.`logs` VALUES (1,_utf8mb4'x');"#, r#"[{"column":"1","column":"x"}]"#),
            ("(1,'x'),", r#"[{"column":"1","column":"x"}]"#),
        ] {
            assert_eq!(rows(line, false).as_deref(), Some(expected), "{line}");
        }
        let escaped = r#"INSERT INTO `logs` VALUES (1,'{\"a\":\"it\'s \\\"x\\\"\\n\"}');"#;
        assert_eq!(rows(escaped, true).unwrap(), r#"[{"column":"1","column":"{\"a\":\"it's \\\"x\\\"\\n\"}"}]"#);
        for none in [
            "INSERT INTO logs SELECT 1;",
            "INSERT logs VALUES (1)",
            "INSERT INTO logs VALUES (1,'x",
            "INSERT INTO logs VALUES (1,'x') + ('y');",
            "INSERT INTO logs VALUES (1,f('x'));",
            "(1)x",
            "()",
            "x",
            "",
        ] {
            assert_eq!(rows(none, false), None, "{none}");
        }
    }

    #[test]
    fn members_of_logfmt_are_told_as_an_object() {
        let line = r#"time=2026-11-21T20:37:37Z level=info msg="{\"a\":\"\u00fc\\n\"}" k8s.pod="x y" empty="" n="#;
        let expected = r#"{"time":"2026-11-21T20:37:37Z","level":"info","msg":"{\"a\":\"ü\\n\"}","k8s.pod":"x y","empty":"","n":""}"#;
        assert_eq!(logfmt(line).as_deref(), Some(expected));
        for none in
            ["a=1", "a=1 a=2", "a=1 b", "a=1 b=\"x", "a=1 b=\"x\"y", "a=1 b={\"x\":1}", "{\"a\":1}", "=1 a=1", ""]
        {
            assert_eq!(logfmt(none), None, "{none}");
        }
    }

    #[test]
    fn texts_are_told_as_what_they_stand_for() {
        assert_eq!(text(r#"'{"a":"it\'s \\"x\\""}'"#).unwrap(), r#"{"a":"it's \"x\""}"#);
        assert_eq!(text(r#"b'{"a":1}'"#).unwrap(), r#"{"a":1}"#);
        assert_eq!(assigned(r#"message = "{\"a\":1}""#).unwrap(), r#"{"message":"{\"a\":1}"}"#);
        for none in ["'a' 'b'", "'a", r"b'\xe2'", "x", "", "'"] {
            assert_eq!(text(none), None, "{none}");
        }
        assert_eq!(assigned("x y = \"a\""), None);
    }
}
