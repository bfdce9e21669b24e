//! Items and documents of databases that write the type of every value beside it: DynamoDB (`{"S":"x"}`), Firestore
//! (`{"stringValue":"x"}`), and Avro's JSON, where values can be absent (`{"string":"x"}`). An item is told as the object that was
//! stored, and searched like any other wrapper.
//!
//! Every value has its type, down to the last one of a body, so that a body which looks like a type is none: it has one around it.
//! Where one value has none, nothing is told; but for `null`, and the items of Avro's arrays.

use std::borrow::Cow;

use super::{Opener, RowOfTable, Shape};
use crate::json;

pub(super) static SHAPE: Shape = Shape {
    name: "typed",
    summary: "items of DynamoDB, documents of Firestore and Avro's JSON, whose values say their types",
    recognises: |head| {
        let ends = [".S", ".M", ".stringValue", ".mapValue", ".string"];
        head.names().any(|name| {
            let begins = ["Item.", "Items.", "documents.fields.", "document.fields.", "fields.", "auditID."];
            begins.iter().any(|begin| name.starts_with(begin)) && ends.iter().any(|end| name.ends_with(end))
        })
    },
    framing: None,
    opener: Opener::Rows(rows),
    traces: &[],
};

/// Values in one another that are read.
const MAX_DEPTH: usize = 100;

/// Whether the first member of an object says its type, told from its first bytes.
pub(super) fn may_be(object: &str) -> bool {
    const TYPES: [&str; 16] = [
        "string\"",
        "long\"",
        "int\"",
        "map\"",
        "array\"",
        "S\"",
        "M\"",
        "L\"",
        "N\"",
        "NULL\"",
        "BOOL\"",
        "stringValue\"",
        "mapValue\"",
        "arrayValue\"",
        "timestampValue\"",
        "integerValue\"",
    ];
    let Some((name, value)) = object.split_once(':') else { return false };
    let value = value.trim_ascii_start();
    name.len() < 300
        && value.strip_prefix('{').is_some_and(|value| {
            value
                .trim_ascii_start()
                .strip_prefix('"')
                .is_some_and(|kind| TYPES.iter().any(|known| kind.starts_with(known)))
        })
}

fn rows(object: &str) -> Option<Vec<RowOfTable<'_>>> {
    let told = may_be(object).then(|| members(object, 0)).flatten()?;
    Some(vec![(object, told)])
}

/// An object all of whose values say their type.
fn members(object: &str, depth: usize) -> Option<String> {
    let mut out = Some(String::from("{"));
    json::members(object, &mut |name, typed| {
        let told = value(typed, depth + 1);
        out = out.take().zip(told).map(|(mut out, told)| {
            if out.len() > 1 {
                out.push(',');
            }
            json::push_string(&mut out, &name);
            out.push(':');
            out + &told
        });
    })
    .ok()?;
    out.map(|out| out + "}")
}

fn list(values: &str, each: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut told = Some(Vec::new());
    json::elements(values, &mut |item| {
        told = told.take().zip(each(item)).map(|(mut told, item)| {
            told.push(item);
            told
        });
    })
    .ok()?;
    told.map(|told| format!("[{}]", told.join(",")))
}

/// A value that says its type, as JSON.
fn value(typed: &str, depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return None;
    }
    if typed == "null" {
        return Some(typed.to_owned());
    }
    let (mut told, mut count) = (None, 0);
    json::members(typed, &mut |kind, inner| {
        count += 1;
        told = of_type(&kind, inner, depth);
    })
    .ok()?;
    told.filter(|_| count == 1)
}

fn of_type(kind: &str, inner: &str, depth: usize) -> Option<String> {
    let is_text = inner.starts_with('"');
    match kind {
        "S" | "B" | "string" | "stringValue" | "timestampValue" | "bytesValue" | "referenceValue" if is_text => {
            Some(inner.to_owned())
        }
        "SS" | "BS" if json::strings(inner).is_some() => Some(inner.to_owned()),
        "NS" => {
            let numbers: Option<Vec<Cow<'_, str>>> = json::strings(inner)?.into_iter().map(number).collect();
            Some(format!("[{}]", numbers?.join(",")))
        }
        // Numbers are texts there, because JSON's are not exact everywhere.
        "N" | "integerValue" | "doubleValue" | "int" | "long" | "float" | "double" => {
            let text = json::string(inner).unwrap_or(Cow::Borrowed(inner));
            number(text).map(Cow::into_owned)
        }
        "BOOL" | "booleanValue" | "boolean" => matches!(inner, "true" | "false").then(|| inner.to_owned()),
        "NULL" => (inner == "true").then(|| "null".to_owned()),
        "nullValue" => matches!(inner, "null" | "\"NULL_VALUE\"").then(|| "null".to_owned()),
        "M" | "map" => members(inner, depth),
        // Items of Avro have types where they can be absent.
        "array" => list(inner, |item| match item.starts_with(['{', '[']) {
            true => value(item, depth + 1),
            false => Some(item.to_owned()),
        }),
        "L" => list(inner, |item| value(item, depth + 1)),
        // Firestore leaves out what is empty.
        "mapValue" => match json::member(inner, "fields") {
            Some(fields) => members(fields, depth),
            None => (inner.trim_matches(['{', '}']).trim_ascii().is_empty()).then(|| "{}".to_owned()),
        },
        "arrayValue" => match json::member(inner, "values") {
            Some(values) => list(values, |item| value(item, depth + 1)),
            None => (inner.trim_matches(['{', '}']).trim_ascii().is_empty()).then(|| "[]".to_owned()),
        },
        // A record of Avro, by the name of its type: `io.k8s.audit.User`.
        record if record.contains('.') => members(inner, depth),
        _ => None,
    }
}

/// A number as JSON writes it.
fn number(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    serde_json::from_str::<serde_json::Number>(&text).ok().map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(object: &str) -> Option<String> {
        rows(object).map(|mut rows| rows.remove(0).1)
    }

    #[test]
    fn values_are_told_without_their_types() {
        for (object, expected) in [
            (
                r#"{"a":{"S":"x\"y"},"b":{"M":{"S":{"S":"z"},"n":{"N":"200"}}},"c":{"L":[{"BOOL":true},{"NULL":true},{"SS":["p"]},{"NS":["1","2.5"]}]}}"#,
                r#"{"a":"x\"y","b":{"S":"z","n":200},"c":[true,null,["p"],[1,2.5]]}"#,
            ),
            (
                r#"{"a": {"stringValue": "x"}, "b": {"mapValue": {"fields": {"stringValue": {"integerValue": "7"}}}}, "c": {"arrayValue": {}}, "d": {"mapValue": {}}, "e": {"arrayValue": {"values": [{"nullValue": null}, {"doubleValue": 2.5}]}}}"#,
                r#"{"a":"x","b":{"stringValue":7},"c":[],"d":{},"e":[null,2.5]}"#,
            ),
            (
                r#"{"a":{"string":"x"},"b":null,"c":{"array":["p",{"string":"q"}]},"d":{"io.x.User":{"n":{"int":7},"m":{"map":{"string":{"boolean":true}}}}}}"#,
                r#"{"a":"x","b":null,"c":["p","q"],"d":{"n":7,"m":{"string":true}}}"#,
            ),
        ] {
            assert_eq!(told(object).as_deref(), Some(expected));
        }
        for none in [
            r#"{"a":"x"}"#,
            r#"{"a":{"S":"x"},"b":"y"}"#,
            r#"{"a":{"S":"x"},"b":{"S":"y","N":"1"}}"#,
            r#"{"a":{"S":{"S":"x"}}}"#,
            r#"{"a":{"M":{"b":"x"}}}"#,
            r#"{"a":{"N":"x"}}"#,
            r#"{"a":{"string":{"string":"x"}}}"#,
            r#"{"a":{"array":[{"b":"x"}]}}"#,
            r#"{"a":{"string":"x"},"b":{"User":{"c":{"string":"x"}}}}"#,
        ] {
            assert_eq!(told(none), None, "{none}");
        }
    }
}
