//! Values of columns and fields, put at their places in an event.

use std::borrow::Cow;

use super::names::{INNER, letters};
use crate::json;
use crate::shape::translated::quoted;
use crate::shape::tree::Tree;

/// Puts a value at its place in the event.
pub(super) fn put(event: &mut Tree, member: &'static str, rest: &str, value: &str) {
    let text = json::string(value);
    let inner = |name: &str| {
        let bare = letters(name);
        INNER.iter().find(|(word, _)| *word == bare).map_or_else(|| name.to_owned(), |(_, inner)| (*inner).to_owned())
    };
    match member {
        // Of what is no list of addresses the decoder says so.
        "sourceIPs" if rest.is_empty() => {
            let list = crate::changed::addresses(value).filter(|_| text.is_some());
            let written = |list: Vec<Cow<'_, str>>| {
                let items: Vec<String> = list.iter().map(|address| quoted(address)).collect();
                format!("[{}]", items.join(","))
            };
            event.put(&[member], list.map_or(value.to_owned(), written));
        }
        "sourceIPs" => put_list(event, &[member], rest, value),
        "annotations" | "requestObject" | "responseObject" | "authenticationMetadata" if rest.is_empty() => {
            // A body that is no object is kept as it is.
            event.put(&[member], value.to_owned());
        }
        "annotations" => event.put(&[member, &dotted(rest)], one(value)),
        "requestObject" | "responseObject" => put_path(event, member, rest, value),
        "user" | "impersonatedUser" => {
            // With `_` between names, which stands in names as well, only these two have something behind it.
            let rest = rest.trim_end_matches("{}");
            let is_list = |name: &str| matches!(inner(name).as_str(), "groups" | "extra");
            let (name, behind) = (rest.split_once('_').filter(|(name, _)| is_list(name)))
                .or_else(|| rest.split_once(['.', ':', '[']))
                .unwrap_or((rest, ""));
            let name = match inner(name).as_str() {
                // A mere name.
                "" if text.is_some() && !crate::changed::is_flattened(value) => "username".to_owned(),
                "name" => "username".to_owned(),
                name => name.to_owned(),
            };
            match name.as_str() {
                "" => event.put(&[member], value.to_owned()),
                "groups" => put_list(event, &[member, "groups"], behind, value),
                "extra" if behind.is_empty() => event.put(&[member, "extra"], value.to_owned()),
                "extra" => {
                    let (key, number) = numbered(behind);
                    put_list(event, &[member, "extra", &dotted(key)], number, value);
                }
                name => event.put(&[member, name], one(value)),
            }
        }
        "objectRef" if !rest.is_empty() => event.put(&[member, &inner(rest)], one(value)),
        "responseStatus" if !rest.is_empty() => {
            let (name, behind) = rest.split_once('.').unwrap_or((rest, ""));
            match inner(name).as_str() {
                "code" => event.put(&[member, "code"], number(value)),
                name if behind.is_empty() => event.put(&[member, name], one(value)),
                name => put_path(event, member, &format!("{name}.{behind}"), value),
            }
        }
        "requestReceivedTimestamp"
        | "stageTimestamp"
        | "kind"
        | "apiVersion"
        | "level"
        | "auditID"
        | "stage"
        | "requestURI"
        | "verb"
        | "userAgent" => event.put(&[member], one(value)),
        _ => event.put(&[member], value.to_owned()),
    }
}

/// The one value of a list of one, as Elasticsearch gives fields.
pub(super) fn one(value: &str) -> String {
    match json::strings(value) {
        Some(list) if list.len() == 1 => quoted(&list[0]),
        Some(_) => value.to_owned(),
        // A number, or a truth value.
        None => {
            let inner = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::trim);
            inner.filter(|inner| !inner.is_empty() && !inner.contains(['{', '[', '"', ','])).unwrap_or(value).to_owned()
        }
    }
}

/// A number that may be written as text, or with a fraction.
fn number(value: &str) -> String {
    let text = one(value);
    let text = json::string(&text).map_or(text.clone(), Cow::into_owned);
    let whole = text.split_once('.').filter(|(_, zeros)| zeros.bytes().all(|byte| byte == b'0'));
    let whole = whole.map_or(text.as_str(), |(whole, _)| whole);
    if whole.parse::<i32>().is_ok() { whole.to_owned() } else { value.to_owned() }
}

/// Puts what is, or belongs to, a list of texts.
fn put_list(event: &mut Tree, path: &[&str], number: &str, value: &str) {
    if let Ok(number) = number.trim_end_matches(']').parse::<usize>() {
        return event.put_item(path, number, one(value));
    }
    match json::string(value) {
        // `["a","b"]` came as JSON, `a,b` is what Kibana makes of it.
        Some(text) => {
            // Splunk gives every value a line.
            let is_between = if text.contains('\n') { '\n' } else { ',' };
            let items: Vec<String> = text.split(is_between).map(|item| quoted(item.trim())).collect();
            event.put(path, format!("[{}]", items.join(",")));
        }
        None => event.put(path, value.to_owned()),
    }
}

/// A key, and the number of the item that is named behind it.
fn numbered(key: &str) -> (&str, &str) {
    match key.rsplit_once(['.', '_']) {
        Some((key, number)) if number.parse::<usize>().is_ok() => (key, number),
        _ => (key, ""),
    }
}

/// A key of annotations as the server wrote it: what stands before the slash is a name in DNS, which cannot hold `_`.
pub(in crate::shape) fn dotted(key: &str) -> String {
    if let Some((domain, name)) = key.split_once('/') {
        let is_dedotted = domain.contains('_') && !domain.contains('.');
        return format!("{}/{name}", if is_dedotted { domain.replace('_', ".") } else { domain.to_owned() });
    }
    // The slash was replaced too: `authorization_k8s_io_decision`.
    match key.find("_k8s_io_").or_else(|| key.find("_kubernetes_io_")) {
        Some(at) => {
            let end = at + key[at..].find("_io_").unwrap_or(0) + "_io".len();
            format!("{}/{}", key[..end].replace('_', "."), &key[end + 1..])
        }
        None => key.to_owned(),
    }
}

/// Members below which names are free, dots included.
const FREE: [&str; 8] =
    ["annotations", "labels", "matchLabels", "nodeSelector", "data", "stringData", "limits", "requests"];

/// Puts a value of a body, whose path is written with dots. Splunk writes `subjects{}.name`, and a line for each item; of lists in
/// lists nothing tells whose item a line is, so all are those of the first.
fn put_path(event: &mut Tree, member: &'static str, path: &str, value: &str) {
    let Some((list, rest)) = path.split_once("{}") else { return put_value(event, member, path, value) };
    let text = json::string(value).filter(|text| text.contains('\n'));
    let lines: Vec<String> = text.map_or_else(|| vec![value.to_owned()], |text| text.split('\n').map(quoted).collect());
    for (number, line) in lines.iter().enumerate() {
        let place = match rest.contains("{}") {
            false => format!("{list}.{number}{rest}"),
            true => format!("{list}.0{}", rest.replacen("{}", &format!(".{number}"), 1).replace("{}", ".0")),
        };
        put_value(event, member, &place, line);
    }
}

fn put_value(event: &mut Tree, member: &'static str, path: &str, value: &str) {
    let mut names: Vec<&str> = vec![member];
    let mut rest = path;
    let mut free = false;
    // pandas and OpenObserve write `roleRef_name`; the server's own names have no `_`.
    let between = if path.contains('.') { '.' } else { '_' };
    while !rest.is_empty() {
        let (name, behind) = if free { (rest, "") } else { rest.split_once(between).unwrap_or((rest, "")) };
        // LogScale writes `containers[0].image`.
        let (name, items) = if free { (name, "") } else { name.split_at(name.find('[').unwrap_or(name.len())) };
        let name = name.trim_end_matches(']');
        free = FREE.contains(&name);
        names.extend((!name.is_empty()).then_some(name));
        names.extend(items.split(['[', ']']).filter(|number| !number.is_empty()));
        rest = behind;
    }
    let is_free = names.len() > 2 && FREE.contains(&names[names.len() - 2]);
    let is_text =
        is_free || matches!(names.last(), Some(&("name" | "namespace" | "value" | "resourceVersion" | "uid")));
    let value = one(value);
    let bare = json::string(&value).filter(|_| !is_text).and_then(|text| match text.as_ref() {
        "true" | "True" | "TRUE" => Some("true".to_owned()),
        "false" | "False" | "FALSE" => Some("false".to_owned()),
        number if number.parse::<i64>().is_ok_and(|read| read.to_string() == number) => Some(number.to_owned()),
        _ => None,
    });
    let value = bare.unwrap_or(value);
    event.put(&names, value);
}
