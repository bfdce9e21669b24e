//! SQL functions that take a member out of a JSON object: `json_member` and `json_text`; and `json_has_doubles`.
//!
//! DuckDB's own functions take the first of two members with one name, and the API server the last, because the body of a
//! patch is logged as the client sent it. Written in SQL, a member would cost a list of all members, each copied: a
//! question about the bodies of pods took six seconds.

use std::borrow::Cow;
use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch, StringBuilder};
use arrow::datatypes::DataType;
use duckdb::Connection;
use duckdb::vscalar::arrow::{ArrowFunctionSignature, VArrowScalar};
use kforensic_event::json;

use crate::argument::texts;

/// Makes the functions; they answer NULL when an argument is NULL, or the first is no JSON object.
///
/// * `json_member(json, key)`: the last member of that name, as JSON text written as DuckDB writes it: without blanks, and
///   with no more escapes than it takes.
/// * `json_text(json, key)`: the same as text when it is a string with something in it.
/// * `json_has_doubles(json)`: whether two of its members have one name.
pub(crate) fn register(connection: &Connection) -> duckdb::Result<()> {
    connection.register_scalar_function::<Doubles>("json_has_doubles")?;
    connection.register_scalar_function::<Member>("json_member")?;
    connection.register_scalar_function::<Text>("json_text")
}

struct Doubles;
struct Member;
struct Text;

impl VArrowScalar for Doubles {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let answers = texts(&input, 0)?.iter().map(|object| object.and_then(has_doubles));
        Ok(Arc::new(answers.collect::<BooleanArray>()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], DataType::Boolean)]
    }
}

impl VArrowScalar for Member {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        each(&input, |object, key| last_member(object, key).map(written))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8, DataType::Utf8], DataType::Utf8)]
    }
}

impl VArrowScalar for Text {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        each(&input, |object, key| last_member(object, key).and_then(json::string).filter(|text| !text.is_empty()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8, DataType::Utf8], DataType::Utf8)]
    }
}

fn each(
    input: &RecordBatch,
    answer: impl for<'a> Fn(&'a str, &str) -> Option<Cow<'a, str>>,
) -> Result<Arc<dyn Array>, Box<dyn Error>> {
    let (objects, keys) = (texts(input, 0)?, texts(input, 1)?);
    let mut answers = StringBuilder::with_capacity(objects.len(), 0);
    for pair in objects.iter().zip(keys.iter()) {
        answers.append_option(match pair {
            (Some(object), Some(key)) => answer(object, key),
            _ => None,
        });
    }
    Ok(Arc::new(answers.finish()))
}

fn has_doubles(object: &str) -> Option<bool> {
    let mut names = HashSet::new();
    let mut are_double = false;
    json::members(object, &mut |name, _| are_double |= !names.insert(name)).ok()?;
    Some(are_double)
}

fn last_member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let mut found = None;
    let is_object = json::members(object, &mut |name, value| {
        if name == key {
            found = Some(value);
        }
    });
    is_object.ok().and(found)
}

/// A JSON value as DuckDB writes it.
pub(crate) fn written(value: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte != b'\\' && byte != b' ' && byte != b'\n' && byte != b'\r' && byte != b'\t';
    if value.bytes().all(is_plain) {
        return Cow::Borrowed(value);
    }
    let (mut out, mut rest) = (String::with_capacity(value.len()), value);
    while let Some(quote) = rest.find('"') {
        out.extend(rest[..quote].split_ascii_whitespace());
        let end = string_end(&rest[quote..]);
        let string = &rest[quote..quote + end];
        match json::string(string) {
            Some(text) if string.contains('\\') => json::push_string(&mut out, &text),
            // A lone surrogate stays as it is.
            _ => out.push_str(string),
        }
        rest = &rest[quote + end..];
    }
    out.extend(rest.split_ascii_whitespace());
    Cow::Owned(out)
}

/// Length of the string that `text` begins with, quotes included.
fn string_end(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_what_they_are_in_sql() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        connection
            .execute_batch(
                "CREATE MACRO member_in_sql(json, key) AS list_last(list_filter(
                    list_zip(json_keys(json), json_extract(json, '$.*')), lambda pair: pair[1] = key))[2];
                 CREATE MACRO text_in_sql(json, key) AS CASE json_type(member_in_sql(json, key))
                    WHEN 'VARCHAR' THEN nullif(json_extract_string(member_in_sql(json, key), '$'), '') END;",
            )
            .unwrap();
        let ask = |sql: &str, object: &str, key: &str| {
            connection.query_row(sql, [object, key], |row| row.get::<_, Option<String>>(0)).unwrap()
        };
        let values = [
            "1",
            "-12",
            "1.5",
            "true",
            "null",
            "\"x\"",
            "\"\"",
            "{}",
            "[]",
            " [ 1 , \"a b\" ,\n{\"c\" : null} ] ",
            r#""a\"b\\c\/d\u003c\u00e9\n\t\u0001""#,
            r#"{"a\u0062": [ "\ud83d\ude00", "x" ]}"#,
            "\"ü  é\"",
        ];
        for value in values {
            for object in [
                format!("{{\"k\":{value}}}"),
                format!(" {{ \"a\" : 1, \"k\" : 0 ,\"\\u006b\" : {value} , \"z\":{{\"k\":2}} }} "),
                format!("{{\"other\":{value}}}"),
                format!("[{{\"k\":{value}}}]"),
                value.to_owned(),
            ] {
                for (native, sql) in [
                    (
                        "SELECT json_member(?::VARCHAR, ?::VARCHAR)",
                        "SELECT member_in_sql(?::VARCHAR, ?::VARCHAR)::VARCHAR",
                    ),
                    ("SELECT json_text(?::VARCHAR, ?::VARCHAR)", "SELECT text_in_sql(?::VARCHAR, ?::VARCHAR)"),
                ] {
                    assert_eq!(ask(native, &object, "k"), ask(sql, &object, "k"), "{native} of {object}");
                }
            }
        }
        for (object, doubles) in [
            ("{}", Some("false")),
            ("{\"a\":1,\"b\":{\"a\":1}}", Some("false")),
            ("{\"a\":1,\"b\":2,\"\\u0061\":3}", Some("true")),
            ("[1]", None),
            ("{\"a\":1,\"a\":", None),
        ] {
            let sql = "SELECT json_has_doubles(?::VARCHAR)::VARCHAR";
            let said = connection.query_row(sql, [object], |row| row.get::<_, Option<String>>(0)).unwrap();
            assert_eq!(said.as_deref(), doubles, "{object}");
        }
        // What is no JSON has no members, and is no error.
        assert_eq!(ask("SELECT json_member(?::VARCHAR, ?::VARCHAR)", "{\"k\":1", "k"), None);
        let in_a_list = "SELECT list_transform([?::JSON, NULL], lambda one: json_text(one, ?::VARCHAR))::VARCHAR";
        assert_eq!(ask(in_a_list, "{\"k\":\"v\"}", "k").as_deref(), Some("[v, NULL]"));
    }
}
