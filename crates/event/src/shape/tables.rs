//! Rows that JSON holds in another way than as objects: `tables` with `columns` and `rows` (Log Analytics, Kusto, Splunk), `f` and `v`
//! (BigQuery), lists of a name and a value each (CloudWatch Logs Insights), key-value lists (OpenTelemetry), columns one after the
//! other (Grafana's frames, `to_json` and `to_dict` of pandas).
//!
//! Each row is told as an object, and searched like any other wrapper.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{Opener, RowOfTable, Shape, fields};
use crate::json;

pub(super) static SHAPE: Shape = Shape {
    name: "tables",
    summary: "tables as JSON: CloudWatch Logs Insights, Log Analytics, Splunk, BigQuery, key-value lists of OpenTelemetry",
    recognises: |head| {
        (head.has("results.field") && head.has("results.value"))
            || head.has("tables.columns")
            || head.has("Tables.Columns")
            || (head.has("rows.f") && head.has("rows.f.v"))
            || (head.has("schema.name") && head.has("datarows"))
            || head.has("resourceLogs.scopeLogs.logRecords.body.kvlistValue")
    },
    framing: None,
    opener: Opener::Rows(rows),
    traces: &[],
};

/// Key-value lists in key-value lists that are opened.
const MAX_DEPTH: usize = 40;

/// The rows of a value, each with the object that tells it; `None` when it is no table.
fn rows(value: &str) -> Option<Vec<RowOfTable<'_>>> {
    if value.starts_with('[') {
        return pairs(value).map(|object| vec![(value, object)]);
    }
    if json::member(value, "kvlistValue").is_some() {
        return any_value(value, 0).filter(|told| told.starts_with('{')).map(|object| vec![(value, object)]);
    }
    // `datarows` is OpenSearch's, `values` that of ES|QL, `data` that of pandas and ClickHouse.
    let is_name = |name: &str| name.eq_ignore_ascii_case("rows") || matches!(name, "datarows" | "values" | "data");
    let (mut names, mut rows, mut columns) = (None, None, None);
    json::members(value, &mut |name, member| match name.as_ref() {
        "columns" | "Columns" | "fields" | "meta" => names = names.take().or_else(|| column_names(member)),
        "schema" => {
            let columns = if member.starts_with('[') { Some(member) } else { json::member(member, "fields") };
            names = columns.and_then(column_names);
        }
        "data" if member.starts_with('{') => columns = json::member(member, "values").and_then(list),
        name if is_name(name) => rows = list(member),
        _ => (),
    })
    .ok()?;
    let Some(names) = names else { return by_names(value) };
    if let Some(columns) = columns {
        return by_columns(&names, &columns);
    }
    let row = |row: &'_ str| -> Option<String> {
        let cells: Vec<Cow<'_, str>> = match list(row) {
            Some(cells) => cells.into_iter().map(Cow::Borrowed).collect(),
            None => {
                let cells = list(json::member(row, "f")?)?;
                cells.into_iter().map(|cell| json::member(cell, "v").map(Cow::Borrowed)).collect::<Option<_>>()?
            }
        };
        // Anything else is another table, of columns in the place of rows.
        (cells.len() == names.len()).then(|| object(names.iter().map(String::as_str).zip(cells)))
    };
    rows?.into_iter().map(|text| Some((text, row(text)?))).collect()
}

/// Whether an object can be a table by its columns: what would be the id of an event are several.
pub(super) fn may_be_columns(object: &str) -> bool {
    let Some(at) = memchr::memmem::find(object.as_bytes(), b"\"auditID\"") else { return false };
    let value = object[at + b"\"auditID\"".len()..].trim_ascii_start().strip_prefix(':').map(str::trim_ascii_start);
    value.is_some_and(|value| value.starts_with(['{', '[']))
}

/// The rows of an object whose members are the columns of a table, `{"auditID":{"0":"a","1":"b"},"verb":{"0":"get","1":"list"}}` or
/// `{"auditID":["a","b"],"verb":["get","list"]}`, as pandas writes them.
fn by_names(value: &str) -> Option<Vec<RowOfTable<'_>>> {
    if !may_be_columns(value) {
        return None;
    }
    let (mut names, mut columns, mut keys) = (Vec::new(), Vec::new(), None);
    let mut is_table = true;
    json::members(value, &mut |name, column| {
        let cells = if is_table { cells(column) } else { None };
        let (of_this, cells) = cells.unwrap_or_default();
        let known = keys.get_or_insert_with(|| of_this.clone());
        is_table &= cells.len() > 1 && *known == of_this;
        names.push(name.into_owned());
        columns.push(cells);
    })
    .ok()?;
    if !is_table || !fields::are_of_events(&names) {
        return None;
    }
    let length = |column: &Vec<&str>| column.iter().map(|cell| cell.len()).sum::<usize>();
    let places = (0..columns.len()).max_by_key(|column| length(&columns[*column]))?;
    across(&names, &columns, places)
}

/// The cells of a column, and the numbers of their rows when it is an object.
fn cells(column: &str) -> Option<(Vec<String>, Vec<&str>)> {
    if column.starts_with('[') {
        return Some((Vec::new(), list(column)?));
    }
    let (mut keys, mut cells) = (Vec::new(), Vec::new());
    if !column.starts_with('{') {
        return None;
    }
    json::members(column, &mut |key, cell| {
        keys.push(key.into_owned());
        cells.push(cell);
    })
    .ok()?;
    keys.iter().all(|key| key.bytes().all(|byte| byte.is_ascii_digit())).then_some((keys, cells))
}

/// The rows of a table that is told column by column. The place of a row is that of its cell in the longest column: so places are in
/// order, and each is one of its own.
fn by_columns<'a>(names: &[String], columns: &[&'a str]) -> Option<Vec<RowOfTable<'a>>> {
    let places =
        columns.iter().position(|column| Some(column.len()) == columns.iter().map(|column| column.len()).max())?;
    let columns: Vec<Vec<&str>> = columns.iter().map(|column| list(column)).collect::<Option<_>>()?;
    across(names, &columns, places)
}

/// The rows that columns make, each in the place of its cell in the column `places`.
fn across<'a>(names: &[String], columns: &[Vec<&'a str>], places: usize) -> Option<Vec<RowOfTable<'a>>> {
    let rows = columns.first()?.len();
    if columns.len() != names.len() || columns.iter().any(|column| column.len() != rows) {
        return None;
    }
    let row = |row: usize| {
        let cells = columns.iter().map(|column| Cow::Borrowed(column[row]));
        (columns[places][row], object(names.iter().map(String::as_str).zip(cells)))
    };
    Some((0..rows).map(row).collect())
}

fn list(value: &str) -> Option<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(value).ok()?;
    Some(items.into_iter().map(RawValue::get).collect())
}

/// Names of columns: texts, or objects that have them.
fn column_names(columns: &str) -> Option<Vec<String>> {
    let name = |column: &str| {
        let named = ["name", "ColumnName", "columnName"].iter().find_map(|name| json::member(column, name));
        json::string(named.unwrap_or(column)).map(Cow::into_owned)
    };
    list(columns)?.into_iter().map(name).collect()
}

fn object<'a>(members: impl Iterator<Item = (&'a str, Cow<'a, str>)>) -> String {
    let mut out = String::from("{");
    for (name, value) in members.filter(|(_, value)| value != "null") {
        if out.len() > 1 {
            out.push(',');
        }
        json::push_string(&mut out, name);
        out.push(':');
        out.push_str(&value);
    }
    out.push('}');
    out
}

/// The object that a list of names and values tells; `None` when an item is anything else.
fn pairs(list_of_pairs: &str) -> Option<String> {
    // Most lists are none; what the first item looks like tells it.
    if !list_of_pairs[1..].trim_ascii_start().starts_with('{') {
        return None;
    }
    let mut members: Vec<(String, String)> = Vec::new();
    for item in list(list_of_pairs)? {
        let (mut name, mut value) = (None, None);
        let mut others = false;
        json::members(item, &mut |key, member| match key.as_ref() {
            "field" | "key" | "name" | "Key" | "Name" => name = json::string(member),
            "value" | "Value" => value = Some(member),
            _ => others = true,
        })
        .ok()?;
        let (name, value) = (name?, value.filter(|_| !others)?);
        members.push((name.into_owned(), any_value(value, 0).unwrap_or_else(|| value.to_owned())));
    }
    if members.is_empty() {
        return None;
    }
    Some(object(members.iter().map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str())))))
}

/// A value as OpenTelemetry writes it (`AnyValue`), as JSON.
fn any_value(value: &str, depth: usize) -> Option<String> {
    if depth > MAX_DEPTH || !json::is_object(value) {
        return None;
    }
    let (mut told, mut others) = (None, 0);
    json::members(value, &mut |kind, inner| {
        others += 1;
        told = match kind.as_ref() {
            "stringValue" | "boolValue" | "doubleValue" | "bytesValue" => Some(inner.to_owned()),
            // Numbers of 64 bits are text there.
            "intValue" => Some(json::string(inner).map_or(inner.to_owned(), Cow::into_owned)),
            "arrayValue" => items(inner, depth),
            "kvlistValue" => key_values(inner, depth),
            _ => None,
        };
    })
    .ok()?;
    told.filter(|_| others == 1)
}

fn items(array: &str, depth: usize) -> Option<String> {
    let Some(values) = json::member(array, "values") else { return Some("[]".to_owned()) };
    let items: Option<Vec<String>> = list(values)?.into_iter().map(|item| any_value(item, depth + 1)).collect();
    Some(format!("[{}]", items?.join(",")))
}

fn key_values(values: &str, depth: usize) -> Option<String> {
    let Some(values) = json::member(values, "values") else { return Some("{}".to_owned()) };
    let mut members: Vec<(String, String)> = Vec::new();
    for pair in list(values)? {
        let key = json::string(json::member(pair, "key")?)?.into_owned();
        let value = json::member(pair, "value").map_or(Some("null".to_owned()), |value| {
            if value == "{}" { Some("null".to_owned()) } else { any_value(value, depth + 1) }
        });
        members.push((key, value?));
    }
    let mut out = String::from("{");
    for (number, (key, value)) in members.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        json::push_string(&mut out, key);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &str) -> Vec<String> {
        rows(value).unwrap_or_default().into_iter().map(|(_, object)| object).collect()
    }

    #[test]
    fn rows_are_told_as_objects() {
        for (table, expected) in [
            (
                r#"[{"field":"@timestamp","value":"t"},{"field":"@message","value":"{}"}]"#,
                r#"{"@timestamp":"t","@message":"{}"}"#,
            ),
            (
                r#"{"name":"PrimaryResult","columns":[{"name":"A","type":"string"},{"name":"B"}],"rows":[["x",1]]}"#,
                r#"{"A":"x","B":1}"#,
            ),
            (
                r#"{"schema":{"fields":[{"name":"T"},{"name":"Line"}]},"data":{"values":[[1],["x"]]}}"#,
                r#"{"T":1,"Line":"x"}"#,
            ),
            (r#"{"fields":["_time","_raw"],"rows":[["x","y"]]}"#, r#"{"_time":"x","_raw":"y"}"#),
            (
                r#"{"schema":{"fields":[{"name":"A"},{"name":"B"}]},"rows":[{"f":[{"v":"x"},{"v":null}]}]}"#,
                r#"{"A":"x"}"#,
            ),
            (
                r#"{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"5"}},{"key":"b","value":{"arrayValue":{"values":[{"stringValue":"x"}]}}},{"key":"c","value":{"kvlistValue":{"values":[{"key":"d","value":{"boolValue":true}}]}}}]}}"#,
                r#"{"a":5,"b":["x"],"c":{"d":true}}"#,
            ),
        ] {
            assert_eq!(told(table), [expected], "{table}");
        }
        let both = [r#"{"auditID":"a","verb":"get"}"#, r#"{"auditID":"b"}"#];
        assert_eq!(told(r#"{"auditID": {"0":"a","1":"b"}, "verb": {"0":"get","1":null}}"#), both);
        assert_eq!(told(r#"{"auditID":["a","b"],"verb":["get",null]}"#), both);
        for none in [
            "[]",
            "[1]",
            "[{\"field\":1}]",
            "{}",
            r#"{"rows":[[1]]}"#,
            r#"{"schema":{"fields":["a"]},"data":{"values":[[1],[2]]}}"#,
            r#"[{"name":"a","value":"b","x":1}]"#,
            // Of one row each member may have a list for its value, and of others there are not as many.
            r#"{"auditID":["a"],"verb":["get"]}"#,
            r#"{"auditID":["a","b"],"verb":["get"]}"#,
            r#"{"auditID":{"0":"a","1":"b"},"verb":{"0":"get","2":"get"}}"#,
            r#"{"auditID":{"0":"a","x":"b"},"verb":{"0":"get","x":"get"}}"#,
            r#"{"requestURI":["a","b"],"verb":["get","get"]}"#,
        ] {
            assert!(rows(none).is_none_or(|rows| rows.is_empty()), "{none}");
        }
    }
}
