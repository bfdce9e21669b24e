//! What a tool is called with: JSON, which becomes the words of the command line, so that both are read alike.

use clap::{Args, FromArgMatches};
use rmcp::model::JsonObject;
use serde_json::{Map, Value, json};

use crate::args::{FilterArgs, QueryArgs};
use crate::error::CliError;

/// Rows of an answer when no number is given.
pub(super) const LIMIT: u64 = 100;

/// The most rows that can be asked for.
pub(super) const LIMIT_MAX: u64 = 1_000;

/// The filter that is no option of its own here: it has a bound.
const LIMIT_NAME: &str = "limit";

fn wrong(name: &str, problem: &str) -> CliError {
    CliError::Argument { problem: format!("the argument `{name}` {problem}") }
}

/// Refuses arguments that a tool does not know: what is misspelt would be left out without a word.
pub(super) fn check(arguments: &JsonObject, schema: &Value) -> Result<(), CliError> {
    let known = schema["properties"].as_object();
    match arguments.keys().find(|name| known.is_none_or(|known| !known.contains_key(*name))) {
        Some(name) => Err(wrong(name, "is not known here")),
        None => Ok(()),
    }
}

/// A text that may be absent.
pub(super) fn text<'a>(arguments: &'a JsonObject, name: &str) -> Result<Option<&'a str>, CliError> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(name, "is a text")),
    }
}

/// A text that must be there.
pub(super) fn needed<'a>(arguments: &'a JsonObject, name: &str) -> Result<&'a str, CliError> {
    text(arguments, name)?.ok_or_else(|| wrong(name, "is missing"))
}

/// How many rows are wanted.
pub(super) fn limit(arguments: &JsonObject) -> Result<usize, CliError> {
    let limit = match arguments.get(LIMIT_NAME) {
        None | Some(Value::Null) => LIMIT,
        Some(value) => value.as_u64().ok_or_else(|| wrong(LIMIT_NAME, "is a whole number"))?,
    };
    Ok(usize::try_from(limit.clamp(1, LIMIT_MAX)).unwrap_or(usize::MAX))
}

/// The filters of canned queries as properties of a schema, read off the options of the command line.
pub(super) fn filters() -> Map<String, Value> {
    let options = FilterArgs::augment_args(clap::Command::new("filters"));
    let property = |option: &clap::Arg| {
        let name = option.get_long()?.replace('-', "_");
        let kind = if option.get_action().takes_values() { "string" } else { "boolean" };
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        let mut property = json!({"type": kind, "description": help});
        let values = option.get_possible_values();
        if kind == "string" && !values.is_empty() {
            property["enum"] = values.iter().map(|value| value.get_name().to_owned()).collect();
        }
        (name != LIMIT_NAME).then_some((name, property))
    };
    let mut filters: Map<String, Value> = options.get_arguments().filter_map(property).collect();
    let most = format!("at most this many rows, the newest; {LIMIT} unless said, {LIMIT_MAX} at most");
    filters.insert(
        LIMIT_NAME.to_owned(),
        json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "description": most}),
    );
    filters
}

/// The options of `kforensic query` that the arguments say.
pub(super) fn query(arguments: &JsonObject) -> Result<QueryArgs, CliError> {
    let mut words = Vec::new();
    for (name, value) in arguments {
        let option = name.replace('_', "-");
        match (name.as_str(), value) {
            ("query" | "value" | LIMIT_NAME, _) | (_, Value::Null | Value::Bool(false)) => (),
            ("parameters", Value::Object(own)) => {
                for (name, value) in own {
                    words.push(format!("--parameter={name}={}", word(name, value)?));
                }
            }
            ("parameters", _) => return Err(wrong("parameters", "is an object of names and values")),
            (_, Value::Bool(true)) => words.push(format!("--{option}")),
            (name, value) => words.push(format!("--{option}={}", word(name, value)?)),
        }
    }
    // Behind it nothing is an option, whatever it begins with.
    words.push("--".to_owned());
    words.push(needed(arguments, "query")?.to_owned());
    words.extend(text(arguments, "value")?.map(str::to_owned));
    let command = QueryArgs::augment_args(clap::Command::new("query")).no_binary_name(true).disable_help_flag(true);
    let problem = |error: &clap::Error| {
        let text = error.render().to_string();
        let first = text.trim().trim_start_matches("error: ").lines().next().unwrap_or_default().to_owned();
        CliError::Argument { problem: first }
    };
    let matches = command.try_get_matches_from(words).map_err(|error| problem(&error))?;
    QueryArgs::from_arg_matches(&matches).map_err(|error| problem(&error))
}

fn word(name: &str, value: &Value) -> Result<String, CliError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        _ => Err(wrong(name, "is a text, a number, or true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: &Value) -> JsonObject {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn arguments_are_read_as_the_command_line_is() {
        let given = object(&json!({
            "query": "secret-reads", "user": "--from=/etc", "source_ip": "10.0.0.0/8", "where": "verb = 'get'",
            "parameters": {"own": true, "seconds": 5}, "limit": 3, "host": null,
        }));
        let args = query(&given).unwrap();
        assert_eq!(args.name.as_deref(), Some("secret-reads"));
        // A value is never an option.
        assert_eq!((args.filter.user.as_deref(), args.from.len()), (Some("--from=/etc"), 0));
        assert_eq!(args.filter.source_ip.as_deref(), Some("10.0.0.0/8"));
        assert_eq!(args.parameters, [("own".into(), "true".into()), ("seconds".into(), "5".into())]);
        assert_eq!(limit(&given).unwrap(), 3);
        let options = query(&object(&json!({"query": "--from", "value": "--output=x"}))).unwrap();
        assert_eq!((options.name.as_deref(), options.value.as_deref()), (Some("--from"), Some("--output=x")));
        assert!(query(&object(&json!({"query": "x", "outcome": "maybe"}))).is_err());
        assert!(query(&object(&json!({"query": "x", "user": ["bob"]}))).is_err());
        assert!(query(&object(&json!({}))).is_err());
    }

    #[test]
    fn what_is_not_in_the_schema_is_refused() {
        let schema = json!({"properties": filters()});
        assert!(check(&object(&json!({"user": "bob", "since": "1h"})), &schema).is_ok());
        for name in ["output", "from", "usr", "queries", "force"] {
            let refused = check(&object(&json!({name: "x"})), &schema).unwrap_err().to_string();
            assert_eq!(refused, format!("the argument `{name}` is not known here"));
        }
    }
}
