//! As much of JSON Schema as our own schemas use.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::Value;

/// What of the schema a value does not fit; `root` is where references lead.
pub(crate) fn problem(schema: &Value, value: &Value, root: &Value) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return problem(root.pointer(&reference[1..]).expect(reference), value, root);
    }
    if let Some(all) = schema["anyOf"].as_array() {
        let none = all.iter().all(|one| problem(one, value, root).is_some());
        if none {
            return Some(format!("{value} fits none of {all:?}"));
        }
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the schema has the type {other}"),
    };
    if !types.is_empty() && !types.into_iter().any(is) {
        return Some(format!("{value} is no {}", schema["type"]));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return Some(format!("{value} is not {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        return Some(format!("{value} is none of {}", schema["enum"]));
    }
    if schema["minLength"].as_u64().is_some_and(|least| value.as_str().is_some_and(|text| (text.len() as u64) < least))
    {
        return Some(format!("{value} is too short"));
    }
    if schema["minimum"].as_i64().is_some_and(|least| value.as_i64().is_some_and(|number| number < least)) {
        return Some(format!("{value} is less than {}", schema["minimum"]));
    }
    let missing =
        schema["required"].as_array().into_iter().flatten().find(|name| value.get(name.as_str().unwrap()).is_none());
    if let Some(name) = missing {
        return Some(format!("{name} is missing in {value}"));
    }
    if let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, member) in members {
            match properties.get(name) {
                Some(property) => {
                    if let Some(found) = problem(property, member, root) {
                        return Some(format!("{name}: {found}"));
                    }
                }
                None if schema["additionalProperties"] == false => return Some(format!("{name} is not in the schema")),
                None => (),
            }
        }
    }
    let items = value.as_array().filter(|_| schema.get("items").is_some());
    items.into_iter().flatten().find_map(|item| problem(&schema["items"], item, root))
}
