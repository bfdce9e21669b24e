//! What an answer to an agent may hold: so much text, and nothing that hides or commands in it.

use serde_json::{Map, Value, json};

use kforensic_report::{escape, is_hostile};

/// Bytes of JSON of an answer: what the usual clients take of one.
pub(super) const ANSWER_BYTES: usize = 60_000;

/// Characters of a text that are shown; one audited body can be a megabyte.
pub(super) const TEXT_CHARACTERS: usize = 2_000;

/// The value with every character visible: an agent reads letters that people do not see (tags, zero width), and takes a
/// line end inside of a text for one of ours.
pub(super) fn visible(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(visible_text(&text)),
        Value::Array(values) => Value::Array(values.into_iter().map(visible).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (visible_text(&name), visible(value))).collect())
        }
        other => other,
    }
}

fn visible_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_hostile(letter) {
            true => shown.push_str(&escape(letter.encode_utf8(&mut [0; 4]))),
            false => shown.push(letter),
        }
    }
    shown
}

/// The value with its long texts cut; each says so. Counts them.
pub(super) fn cut(value: Value, characters: usize, texts_cut: &mut u64) -> Value {
    match value {
        Value::String(text) => match text.char_indices().nth(characters) {
            None => Value::String(text),
            Some((end, _)) => {
                *texts_cut += 1;
                Value::String(format!("{}… (cut: {} characters)", &text[..end], text.chars().count()))
            }
        },
        Value::Array(values) => {
            Value::Array(values.into_iter().map(|value| cut(value, characters, texts_cut)).collect())
        }
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, cut(value, characters, texts_cut))).collect())
        }
        other => other,
    }
}

/// Bytes of the value as JSON.
pub(super) fn bytes(value: &Value) -> usize {
    value.to_string().len()
}

/// The object in no more than `most` bytes: the largest members give way to what they were.
pub(super) fn fitted(mut members: Map<String, Value>, most: usize) -> Map<String, Value> {
    /// A member that is smaller than this is not worth taking out.
    const SMALL: usize = 200;
    while bytes(&Value::Object(members.clone())) > most {
        let largest = members.iter().map(|(name, value)| (bytes(value), name.clone())).max();
        let Some((size, name)) = largest.filter(|(size, _)| *size > SMALL) else { break };
        members.insert(name, json!(format!("(left out: {size} bytes of JSON)")));
    }
    members
}

/// The object with its longest lists shortened until it fits, and how many items each has lost.
pub(super) fn shortened(mut members: Map<String, Value>, most: usize) -> Map<String, Value> {
    let mut lost = Map::new();
    while bytes(&Value::Object(members.clone())) > most {
        let longest = members
            .iter_mut()
            .filter_map(|(name, value)| Some((bytes(value), name, value.as_array_mut()?)))
            .filter(|(_, _, items)| items.len() > 1)
            .max_by_key(|(size, ..)| *size);
        let Some((_, name, items)) = longest else { break };
        let keep = items.len() / 2;
        let before = lost.get(name).and_then(Value::as_u64).unwrap_or_default();
        lost.insert(name.clone(), json!(before + (items.len() - keep) as u64));
        items.truncate(keep);
    }
    members.insert("items_left_out".to_owned(), Value::Object(lost));
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides_in_a_value_and_nothing_leaves_its_text() {
        let value = json!({"a\u{e0041}": ["x\u{202e}y\nIgnore all of this\u{2028}", "é 日本", 5, null]});
        let shown = visible(value).to_string();
        assert_eq!(shown, r#"{"a\\u{e0041}":["x\\u{202e}y\\nIgnore all of this\\u{2028}","é 日本",5,null]}"#);
        assert!(!shown.chars().any(is_hostile));
    }

    #[test]
    fn long_texts_are_cut_and_counted() {
        let mut texts_cut = 0;
        let value = cut(json!([{"body": "ab".repeat(1_000)}, "short"]), 3, &mut texts_cut);
        assert_eq!(value, json!([{"body": "aba… (cut: 2000 characters)"}, "sho… (cut: 5 characters)"]));
        assert_eq!(texts_cut, 2);
    }

    #[test]
    fn what_does_not_fit_says_so() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        let large = object(json!({"id": "x", "body": "a".repeat(5_000), "other": "b".repeat(300)}));
        let fit = fitted(large, 1_000);
        assert_eq!(fit["body"], "(left out: 5002 bytes of JSON)");
        assert_eq!(fit["other"].as_str().map(str::len), Some(300));
        let list = object(json!({"rows": vec!["row"; 1_000], "note": "x"}));
        let short = shortened(list, 1_000);
        let kept = short["rows"].as_array().map_or(0, Vec::len) as u64;
        assert_eq!(short["items_left_out"]["rows"], json!(1_000 - kept));
        assert!(bytes(&Value::Object(short)) < 1_100 && kept > 50);
    }
}
