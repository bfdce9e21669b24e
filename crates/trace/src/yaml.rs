//! YAML that a person and `kubectl` read alike. Every text stands in double quotes, escaped as in JSON, so that no
//! value of a log can be anything but a text.

use std::fmt::Write as _;

use serde_json::Value;

/// An object as a YAML document, without its separator.
pub fn document(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0, false);
    out
}

fn write(out: &mut String, value: &Value, indent: usize, is_inline: bool) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (at, (name, member)) in members.iter().enumerate() {
                if at > 0 || !is_inline {
                    out.push_str(&" ".repeat(indent));
                }
                out.push_str(&key(name));
                out.push(':');
                below(out, member, indent);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&" ".repeat(indent));
                out.push('-');
                match item {
                    Value::Object(members) if !members.is_empty() => {
                        out.push(' ');
                        write(out, item, indent + 2, true);
                    }
                    _ => below(out, item, indent),
                }
            }
        }
        value => {
            let _ = writeln!(out, "{}", scalar(value));
        }
    }
}

/// What stands behind a colon or dash.
fn below(out: &mut String, value: &Value, indent: usize) {
    let is_block = match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        out.push('\n');
        write(out, value, indent + 2, false);
    } else {
        out.push(' ');
        write(out, value, 0, false);
    }
}

/// A name is bare when it can only be a name.
fn key(name: &str) -> String {
    let is_plain = name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&name.to_ascii_lowercase().as_str());
    if is_plain { name.to_owned() } else { text(name) }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(value) => text(value),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        value => value.to_string(),
    }
}

/// A text in double quotes; what is not ASCII is escaped when it is no letter or number.
pub fn text(text: &str) -> String {
    let mut out = "\"".to_owned();
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(letter),
            letter if letter.is_alphanumeric() => out.push(letter),
            letter if u32::from(letter) > 0xffff => {
                let _ = write!(out, "\\U{:08x}", u32::from(letter));
            }
            letter => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
        }
    }
    out.push('"');
    out
}

/// A word for a shell, in single quotes when it needs them. `None` when it holds what no command line should, or when a
/// program would take it for an option: a ClusterRole may be called `--all`.
pub fn shell_word(word: &str) -> Option<String> {
    if word.is_empty()
        || word.starts_with('-')
        || word.chars().any(|letter| letter.is_control() || (!letter.is_ascii() && !letter.is_alphanumeric()))
    {
        return None;
    }
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:@=,".contains(&byte));
    Some(if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_texts_whatever_they_hold() {
        let value = json!({
            "kind": "ClusterRole", "metadata": {"name": "a\n---\nkind: Evil", "labels": {"no": "yes", "a/b": "\u{202e}&x"}},
            "rules": [{"verbs": ["*"], "apiGroups": []}, {}], "n": 5, "e": {}, "x": null,
        });
        let expected = "\"e\": {}\nkind: \"ClusterRole\"\nmetadata:\n  labels:\n    \"a/b\": \"\\u202e&x\"\n    \"no\": \"yes\"\n  \
                        name: \"a\\n---\\nkind: Evil\"\n\"n\": 5\nrules:\n  - apiGroups: []\n    verbs:\n      - \"*\"\n  - {}\nx: null\n";
        assert_eq!(document(&value), expected.replace("\"e\": {}", "e: {}"));
    }

    #[test]
    fn shell_words_are_one_word_or_none() {
        assert_eq!(shell_word("web-1").unwrap(), "web-1");
        assert_eq!(shell_word("$(x) 'y").unwrap(), "'$(x) '\\''y'");
        assert!(shell_word("-rf").is_none() && shell_word("--all").is_none());
        assert!(shell_word("a\nb").is_none() && shell_word("").is_none() && shell_word("\u{202e}").is_none());
    }
}
