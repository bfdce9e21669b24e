//! The rows of an `INSERT`, as `mysqldump`, `pg_dump --inserts` and SQLite's `.dump` write them.

use crate::json;

/// Most values of one row.
const MAX_VALUES: usize = 2_000;

/// The rows of an `INSERT`, or of a line of one, as a list of objects.
pub(super) fn rows(line: &str, escapes: bool) -> Option<String> {
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
}
