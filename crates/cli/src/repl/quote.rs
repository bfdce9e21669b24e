//! Values as SQL writes them.

use std::fmt::Write as _;

use kforensic_report::is_hostile;

/// `value` as an SQL expression that is a string: on one line, and without characters that a terminal obeys or hides.
///
/// Such characters become `chr(27)`, so that what completion puts into a statement can be read, edited and kept.
pub(super) fn text_literal(value: &str) -> String {
    if !value.chars().any(is_hostile) {
        return format!("'{}'", value.replace('\'', "''"));
    }
    let mut sql = String::from("(");
    let mut is_open = false;
    for next in value.chars() {
        if is_hostile(next) == is_open {
            // A piece ends, and the next one begins.
            sql.push_str(if is_open { "'" } else { "" });
            is_open = !is_open;
            let glue = if sql.len() > 1 { " || " } else { "" };
            sql.push_str(glue);
            sql.push_str(if is_open { "'" } else { "" });
        } else if !is_open {
            sql.push_str(if sql.len() > 1 { " || " } else { "" });
        }
        match next {
            // Writing into a string cannot fail.
            _ if !is_open => drop(write!(sql, "chr({})", u32::from(next))),
            '\'' => sql.push_str("''"),
            _ => sql.push(next),
        }
    }
    sql.push_str(if is_open { "')" } else { ")" });
    sql
}

/// `name` as SQL writes it: bare when it is a plain word, else in double quotes.
pub(super) fn name(name: &str) -> String {
    let is_plain = |next: char| next.is_ascii_lowercase() || next.is_ascii_digit() || next == '_';
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    if begins && name.chars().all(is_plain) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_and_hostile_characters_are_numbers() {
        for (value, sql) in [
            ("bob", "'bob'"),
            ("", "''"),
            ("it's", "'it''s'"),
            ("x' OR '1'='1", "'x'' OR ''1''=''1'"),
            (r"back\slash", r"'back\slash'"),
            ("\x1b[2Jevil", "(chr(27) || '[2Jevil')"),
            ("a\r\nb", "('a' || chr(13) || chr(10) || 'b')"),
            ("it's\u{202e}", "('it''s' || chr(8238))"),
            ("\0", "(chr(0))"),
        ] {
            assert_eq!(text_literal(value), sql);
        }
    }

    #[test]
    fn names_are_quoted_when_they_must_be() {
        assert_eq!(
            ["user_name", "Odd", "a b", "q\"q", "1st"].map(name).join(" "),
            "user_name \"Odd\" \"a b\" \"q\"\"q\" \"1st\""
        );
    }
}
