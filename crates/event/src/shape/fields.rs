//! Events whose members are the columns of a table, or fields of a flat record: Log Analytics' AKSAudit (`AuditId`,
//! `RequestUri`), Kibana (`kubernetes.audit.user.username`), CloudWatch Logs Insights (`user.groups.0`), VictoriaLogs, Alibaba's
//! SLS, warehouses that write all names in lower case or with `_`.
//!
//! What a name says is told by its letters alone; all names of a record must have the same beginning as that of its audit id. What
//! the table lacks is left out. The record itself is kept and comes back when the event is rebuilt.

use std::borrow::Cow;

use super::request_path::PathObject;
use super::translated::Translated;
use super::tree::Tree;
use super::{Opener, Shape};
use crate::event::Event;
use crate::json;
use crate::reject::Reason;
use crate::words;

pub(super) static SHAPE: Shape = Shape {
    name: "fields",
    summary: "events whose members are fields or columns: AKSAudit, Kibana, CloudWatch Logs Insights, VictoriaLogs, SLS",
    // Names as the server writes them need no table: other shapes know these better.
    recognises: |head| {
        let is_plain = |name: &str| name == "auditID" || name.ends_with(".auditID");
        !head.names().any(is_plain) && is_table(head.names())
    },
    framing: None,
    opener: Opener::Object(open),
    traces: &[
        b"\"AuditId\"",
        b"AuditId,",
        b",AuditId",
        b".auditID\"",
        b"auditID,",
        b",auditID",
        b"auditID\t",
        b"auditID;",
        b"\"auditid\"",
        b",auditid",
        b"auditid,",
        b"\tauditID",
        b"\tauditid",
        b"auditid\t",
        b"AUDITID",
        b"AUDIT_ID",
        b"\"audit_id\"",
        b"|audit_id|",
        b",audit_id",
        b"audit_id,",
    ],
};

/// Members of an event, with the letters of their names in lower case.
const MEMBERS: [(&str, &str); 21] = [
    ("kind", "kind"),
    ("apiversion", "apiVersion"),
    ("level", "level"),
    ("auditid", "auditID"),
    ("stagetimestamp", "stageTimestamp"),
    ("stagereceivedtime", "stageTimestamp"),
    ("stage", "stage"),
    ("requesturi", "requestURI"),
    ("verb", "verb"),
    ("useragent", "userAgent"),
    ("user", "user"),
    ("impersonateduser", "impersonatedUser"),
    ("authenticationmetadata", "authenticationMetadata"),
    ("sourceips", "sourceIPs"),
    ("objectref", "objectRef"),
    ("responsestatus", "responseStatus"),
    ("requestobject", "requestObject"),
    ("responseobject", "responseObject"),
    ("requestreceivedtimestamp", "requestReceivedTimestamp"),
    ("requestreceivedtime", "requestReceivedTimestamp"),
    ("annotations", "annotations"),
];

/// Members of members whose names have more than one word.
const INNER: [(&str, &str); 16] = [
    ("username", "username"),
    ("name", "name"),
    ("uid", "uid"),
    ("groups", "groups"),
    ("extra", "extra"),
    ("apigroup", "apiGroup"),
    ("apiversion", "apiVersion"),
    ("resourceversion", "resourceVersion"),
    ("resource", "resource"),
    ("subresource", "subresource"),
    ("namespace", "namespace"),
    ("code", "code"),
    ("status", "status"),
    ("message", "message"),
    ("reason", "reason"),
    ("impersonationconstraint", "impersonationConstraint"),
];

/// Names of the time of a record, letters alone, best first. It stands for the time of the event when that is left out.
const TIMES: [&str; 10] = [
    "timestamp",
    "time",
    "timegenerated",
    "timegeneratedutc",
    "date",
    "ts",
    "eventtime",
    "messagetime",
    "datetime",
    "timens",
];

/// Names of columns that hold events as text, letters alone.
const COLUMNS: [&str; 28] = [
    "message",
    "msg",
    "raw",
    "rawdata",
    "rawlog",
    "rawevent",
    "log",
    "logs",
    "line",
    "event",
    "eventoriginal",
    "body",
    "content",
    "text",
    "textpayload",
    "jsonpayload",
    "payload",
    "data",
    "properties",
    "propertieslog",
    "record",
    "json",
    "fullmessage",
    "originalevent",
    "original",
    "value",
    "logmessage",
    "fieldsmessage",
];

/// The letters and digits of a name, in lower case, without the type that Log Analytics puts behind it.
fn letters(name: &str) -> String {
    let name = ["_s", "_d", "_g", "_t", "_b"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a column of that name may hold events as text.
pub(super) fn may_hold_event(name: &str) -> bool {
    COLUMNS.contains(&letters(name).as_str())
}

/// Whether names of columns are those of a table of events.
pub(super) fn are_of_events(names: &[String]) -> bool {
    is_table(names.iter().map(String::as_str)) || names.iter().any(|name| name.starts_with("protopayload_auditlog"))
}

/// Whether there is an audit id among names, and what was asked for beside it.
fn is_table<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let names: Vec<&str> = names.collect();
    let Some(beginning) = beginning(names.iter().copied()) else { return false };
    let has = |member: &str| names.iter().any(|name| place(name, beginning).is_some_and(|(found, _)| found == member));
    has("verb") || has("requestURI")
}

/// What stands in front of the names of members: `kubernetes.audit.`, told from that of the audit id.
fn beginning<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.find_map(|name| {
        let bare = ["_s", "_g"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        (0..bare.len()).filter(|at| bare.is_char_boundary(*at)).find_map(|at| {
            let rest = &bare[at..];
            let is_start = at == 0 || !bare.as_bytes()[at - 1].is_ascii_alphanumeric();
            let is_id = is_start && rest.as_bytes()[0].is_ascii_alphanumeric() && letters(rest) == "auditid";
            // In `x.audit_id` the id begins with `audit`, in `kubernetes.audit.auditID` behind it.
            is_id.then(|| &bare[..at])
        })
    })
}

/// The member of an event that a name tells, and what it says of the place in it.
fn place<'a>(name: &'a str, beginning: &str) -> Option<(&'static str, &'a str)> {
    // Azure's portal says the zone of columns of times.
    let ends = ["_s", "_d", "_g", "_t", "_b", " [UTC]"];
    let name = ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let rest = name.strip_prefix(beginning)?;
    let mut found: Option<(&'static str, &'a str)> = None;
    for (word, member) in MEMBERS {
        if let Some(behind) = behind(rest, word)
            && found.is_none_or(|(_, shortest)| behind.len() < shortest.len())
        {
            found = Some((member, behind));
        }
    }
    found.map(|(member, behind)| (member, behind.trim_start_matches(['.', '_', ':', '['])))
}

/// What is behind a word, whatever its case and with `_` in it; `None` when a text does not begin with it.
fn behind<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let mut letters = word.bytes();
    let mut wanted = letters.next();
    for (at, byte) in text.bytes().enumerate() {
        match wanted {
            None => return matches!(byte, b'.' | b'_' | b':' | b'[').then(|| &text[at..]),
            Some(letter) if byte.eq_ignore_ascii_case(&letter) => wanted = letters.next(),
            Some(_) if matches!(byte, b'_' | b'-' | b' ') && at > 0 => (),
            Some(_) => return None,
        }
    }
    wanted.is_none().then_some("")
}

/// The event that a flat record tells.
fn open(record: &str) -> Option<Result<Translated, Reason>> {
    if !may_be_record(record) {
        return None;
    }
    let mut fields: Vec<(Cow<'_, str>, &str)> = Vec::new();
    json::members(record, &mut |name, value| fields.push((name, value))).ok()?;
    let beginning = beginning(fields.iter().map(|(name, _)| name.as_ref()))?.to_owned();
    if fields.iter().any(|(_, value)| holds_original(value)) {
        return None;
    }
    let (mut event, mut time) = (Tree::default(), None);
    let mut has_user = false;
    for (name, value) in &fields {
        let Some((member, rest)) = place(name, &beginning) else {
            let rank = TIMES.iter().position(|time| *time == letters(name));
            let written = one(value);
            if let Some(rank) = rank.filter(|_| crate::time::read(&written).is_some())
                && time.as_ref().is_none_or(|(best, _)| rank < *best)
            {
                time = Some((rank, written));
            }
            continue;
        };
        // Nothing in it: the rest of it may stand under names of its own.
        let is_empty = rest.is_empty() && !member.ends_with("Object") && matches!(value.trim_matches('"'), "{}" | "[]");
        if let Some(value) = told(value).filter(|_| !is_empty) {
            has_user |= member == "user";
            put(&mut event, member, rest, &value);
        }
    }
    object_of_uri(&mut event, &fields, &beginning);
    let has = |member: &str| event.has(member);
    if !has("auditID") || !(has("verb") || has("requestURI")) {
        return None;
    }
    if !has_user {
        event.put(&["user"], "{}".to_owned());
    }
    if !(event.has("requestReceivedTimestamp") || event.has("stageTimestamp"))
        && let Some((_, time)) = time
    {
        // Under the name of a record's own time, so that the decoder says what it assumes.
        event.put(&["@timestamp"], time);
    }
    let has_other_words = in_the_server_s_words(&mut event);
    let translated = Translated {
        json: event.finish(),
        original: record.to_owned(),
        is_cut: false,
        any_level: true,
        peer_unknown: false,
        has_other_words,
        cluster: None,
        part: None,
    };
    Some(translated.event().err().map_or(Ok(translated), Err))
}

/// Whether a record may be one, told from its bytes: most are not, and this is asked about all that are no event as they are.
fn may_be_record(record: &str) -> bool {
    let bytes = record.as_bytes();
    let id = memchr::memchr_iter(b'I', bytes).chain(memchr::memchr_iter(b'i', bytes));
    let mut ids = id.filter(|at| bytes.get(at + 1).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'd')));
    ids.any(|at| {
        let before = &bytes[at.saturating_sub(6)..at];
        let before = before.strip_suffix(b"_").unwrap_or(before);
        before.len() >= 5 && before[before.len() - 5..].eq_ignore_ascii_case(b"audit")
    })
}

/// Whether a value is an event as the server wrote it, which a collector kept beside its own version.
fn holds_original(value: &str) -> bool {
    value.len() > 200
        && value.starts_with("\"{")
        && json::string(value).is_some_and(|text| Event::decode(&text).is_ok())
}

/// A value as JSON: text that is JSON itself is that. `None` when it says that there is none.
fn told(value: &str) -> Option<Cow<'_, str>> {
    match json::string(value) {
        Some(text) => {
            let text = text.trim();
            if matches!(text, "" | "-" | "null" | "None" | "(null)" | "NaN" | "nan" | "undefined") {
                return None;
            }
            let is_json = text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            Some(if is_json { Cow::Owned(text.to_owned()) } else { Cow::Borrowed(value) })
        }
        None if value == "null" => None,
        None => Some(Cow::Borrowed(value)),
    }
}

/// Puts in what the table lacks of the object and the path of the request tells, by the server's own rules. A table that holds
/// `objectRef` as a whole lacks nothing of it.
fn object_of_uri(event: &mut Tree, fields: &[(Cow<'_, str>, &str)], beginning: &str) {
    let of = |wanted: &str, inner: &str| {
        fields.iter().find_map(|(name, value)| {
            let (member, rest) = place(name, beginning)?;
            (member == wanted && letters(rest) == inner).then(|| json::string(&one(value)).map(Cow::into_owned))?
        })
    };
    let Some(uri) = of("requestURI", "") else { return };
    let Some(object) = PathObject::of_uri(&uri) else { return };
    if of("objectRef", "resource").is_some_and(|told| Some(told.as_str()) != object.resource) {
        return;
    }
    for (name, told) in [
        ("resource", object.resource),
        ("namespace", object.namespace),
        ("name", object.name),
        ("apiGroup", object.api_group),
        ("apiVersion", object.api_version),
        ("subresource", object.subresource),
    ] {
        if let Some(told) = told {
            event.put(&["objectRef", name], super::translated::quoted(told));
        }
    }
}

/// Objects of an event whose members have names of their own.
const OBJECTS: [&str; 5] = ["user", "impersonatedUser", "objectRef", "responseStatus", "authenticationMetadata"];

/// Gives members of members the names that the server gives them, when a collector wrote all names in another way; whether
/// it did. Bodies say it themselves, or what stands beside them does: a patch has no `apiVersion`.
fn in_the_server_s_words(event: &mut Tree) -> bool {
    let mut others = false;
    for object in OBJECTS {
        event.change(object, &mut |value| {
            let mut out = String::from("{");
            let mut changed = false;
            json::members(value, &mut |name, value| {
                if out.len() > 1 {
                    out.push(',');
                }
                let told =
                    INNER.iter().find(|(word, _)| *word == letters(&name)).map_or(name.as_ref(), |(_, told)| told);
                changed |= told != name;
                json::push_string(&mut out, told);
                out.push(':');
                out.push_str(value);
            })
            .ok()?;
            others |= changed;
            changed.then(|| out + "}")
        });
    }
    let bodies = ["requestObject", "responseObject"];
    for body in bodies {
        event.change(body, &mut |value| {
            others |= words::are_others(value);
            None
        });
    }
    if others {
        bodies.into_iter().for_each(|body| event.change(body, &mut words::of_the_server));
    }
    others
}

/// Puts a value at its place in the event.
fn put(event: &mut Tree, member: &'static str, rest: &str, value: &str) {
    let text = json::string(value);
    let inner = |name: &str| {
        let bare = letters(name);
        INNER.iter().find(|(word, _)| *word == bare).map_or_else(|| name.to_owned(), |(_, inner)| (*inner).to_owned())
    };
    match member {
        "sourceIPs" => put_list(event, &[member], rest, value),
        "annotations" | "requestObject" | "responseObject" | "authenticationMetadata" if rest.is_empty() => {
            // A body that is no object is kept as it is.
            event.put(&[member], value.to_owned());
        }
        "annotations" => event.put(&[member, &dotted(rest)], one(value)),
        "requestObject" | "responseObject" => put_path(event, member, rest, value),
        "user" | "impersonatedUser" => {
            // With `_` between names, which stands in names as well, only these two have something behind it.
            let is_list = |name: &str| matches!(inner(name).as_str(), "groups" | "extra");
            let (name, behind) = (rest.split_once('_').filter(|(name, _)| is_list(name)))
                .or_else(|| rest.split_once(['.', ':', '[']))
                .unwrap_or((rest, ""));
            let name = match inner(name).as_str() {
                // A mere name.
                "" if text.is_some() => "username".to_owned(),
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
fn one(value: &str) -> String {
    match json::strings(value) {
        Some(list) if list.len() == 1 => super::translated::quoted(&list[0]),
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
            let items: Vec<String> = text.split(',').map(|item| super::translated::quoted(item.trim())).collect();
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
pub(super) fn dotted(key: &str) -> String {
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

/// Puts a value of a body, whose path is written with dots.
fn put_path(event: &mut Tree, member: &'static str, path: &str, value: &str) {
    let mut names: Vec<&str> = vec![member];
    let mut rest = path;
    let mut free = false;
    while !rest.is_empty() {
        let (name, behind) = if free { (rest, "") } else { rest.split_once('.').unwrap_or((rest, "")) };
        free = FREE.contains(&name);
        names.push(name);
        rest = behind;
    }
    let is_free = names.len() > 2 && FREE.contains(&names[names.len() - 2]);
    let is_text =
        is_free || matches!(names.last(), Some(&("name" | "namespace" | "value" | "resourceVersion" | "uid")));
    let value = one(value);
    let bare = json::string(&value).filter(|_| !is_text).filter(|text| {
        matches!(text.as_ref(), "true" | "false") || text.parse::<i64>().is_ok_and(|number| number.to_string() == *text)
    });
    let value = bare.map_or(value.clone(), Cow::into_owned);
    event.put(&names, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(record: &str) -> serde_json::Value {
        serde_json::from_str(&open(record).unwrap().unwrap().json).unwrap()
    }

    #[test]
    fn names_are_told_by_their_letters() {
        let expected = serde_json::json!({
            "auditID": "a", "verb": "get", "requestURI": "/api", "level": "Metadata",
            "user": {"username": "bob", "groups": ["dev", "ops"]}, "sourceIPs": ["10.0.0.9"],
            "objectRef": {"resource": "secrets", "apiVersion": "v1"}, "responseStatus": {"code": 403},
            "requestReceivedTimestamp": "2026-11-21T20:37:07.107777Z",
            "annotations": {"authorization.k8s.io/decision": "allow"},
        });
        let with_time = |mut event: serde_json::Value| {
            let members = event.as_object_mut().unwrap();
            let own = members.remove("@timestamp");
            let received = members.get("requestReceivedTimestamp").cloned();
            let written = own.or(received).unwrap().to_string();
            let told = crate::time::render(crate::time::read(&written).unwrap().micros);
            members.insert("requestReceivedTimestamp".to_owned(), told.into());
            event
        };
        for record in [
            r#"{"AuditId":"a","Verb":"get","RequestUri":"/api","Level":"Metadata","User":"{\"username\":\"bob\",\"groups\":[\"dev\",\"ops\"]}","SourceIps":"[\"10.0.0.9\"]","ObjectRef":"{\"resource\":\"secrets\",\"apiVersion\":\"v1\"}","ResponseStatus":{"code":403},"RequestObject":"","RequestReceivedTime":"2026-11-21T20:37:07.107777Z","Annotations":"{\"authorization.k8s.io/decision\":\"allow\"}","_ResourceId":"/x"}"#,
            r#"{"auditID":"a","verb":"get","requestURI":"/api","level":"Metadata","user.username":"bob","user.groups.0":"dev","user.groups.1":"ops","sourceIPs.0":"10.0.0.9","objectRef.resource":"secrets","objectRef.apiVersion":"v1","responseStatus.code":"403","requestReceivedTimestamp":"2026-11-21T20:37:07.107777Z","annotations.authorization.k8s.io/decision":"allow"}"#,
            r#"{"kubernetes.audit.auditID":["a"],"kubernetes.audit.verb":["get"],"kubernetes.audit.requestURI":"/api","kubernetes.audit.level":"Metadata","kubernetes.audit.user.username":"bob","kubernetes.audit.user.groups":["dev","ops"],"kubernetes.audit.sourceIPs":"10.0.0.9","kubernetes.audit.objectRef.resource":"secrets","kubernetes.audit.objectRef.namespace":"-","kubernetes.audit.objectRef.apiVersion":"v1","kubernetes.audit.responseStatus.code":403.0,"@timestamp":"Nov 21, 2026 @ 20:37:07.107777","kubernetes.audit.annotations.authorization_k8s_io/decision":"allow","annotations.x":"y"}"#,
            r#"{"audit_id":"a","verb":"get","request_uri":"/api","level":"Metadata","user_username":"bob","user_groups":"dev, ops","source_ips":"10.0.0.9","object_ref_resource":"secrets","object_ref_api_version":"v1","response_status_code":"403","request_received_timestamp":"2026-11-21 20:37:07.107777","annotations":"{\"authorization.k8s.io/decision\":\"allow\"}"}"#,
        ] {
            assert_eq!(with_time(event(record)), expected, "{record}");
        }
    }

    #[test]
    fn what_is_nobody_or_a_list_of_one_hides_nothing() {
        let expected = serde_json::json!({
            "auditID": "a", "verb": "get", "level": "Metadata", "user": {}, "sourceIPs": ["10.0.0.9"],
            "objectRef": {"resource": "nodes"}, "responseStatus": {"code": 401},
            "requestReceivedTimestamp": "2026-11-21T20:37:07.107777Z",
        });
        for record in [
            r#"{"auditID":"a","verb":"get","level":"Metadata","user":{},"sourceIPs.0":"10.0.0.9","objectRef.resource":"nodes","responseStatus.code":401,"requestReceivedTimestamp":"2026-11-21T20:37:07.107777Z"}"#,
            r#"{"auditID":"a","verb":"get","level":"Metadata","user":"{}","sourceIPs.0":"10.0.0.9","objectRef.resource":"nodes","responseStatus.code":"401","requestReceivedTimestamp":"2026-11-21T20:37:07.107777Z"}"#,
            r#"{"k.auditID":["a"],"k.verb":["get"],"k.level":["Metadata"],"k.sourceIPs":["10.0.0.9"],"k.objectRef.resource":["nodes"],"k.responseStatus.code":[401],"k.requestReceivedTimestamp [UTC]":["2026-11-21T20:37:07.107777Z"]}"#,
        ] {
            let mut told = event(record);
            told.as_object_mut().unwrap().entry("user").or_insert_with(|| serde_json::json!({}));
            assert_eq!(told, expected, "{record}");
        }
        let lists = r#"{"auditID":"a","verb":"get","user_groups_0":"dev","user_groups_1":"ops","user_extra_authentication.kubernetes.io/credential-id_0":"JTI=1","requestReceivedTimestamp":"2026-11-21T20:37:07Z"}"#;
        assert_eq!(
            event(lists)["user"],
            serde_json::json!({"groups": ["dev", "ops"], "extra": {"authentication.kubernetes.io/credential-id": ["JTI=1"]}})
        );
        let named = r#"{"auditID":"a","verb":"get","level":"Metadata","user":{},"user.username":"bob","objectRef.resource":"nodes","requestReceivedTimestamp":"2026-11-21T20:37:07.107777Z"}"#;
        assert_eq!(event(named)["user"], serde_json::json!({"username": "bob"}));
        assert!(Event::decode(named).is_err());
    }

    #[test]
    fn bodies_are_put_together_again() {
        let record = r#"{"auditID":"a","verb":"create","time":1795293427107,"requestObject.kind":"Pod","requestObject.metadata.labels.app.kubernetes.io/name":"1","requestObject.spec.containers.0.image":"x","requestObject.spec.containers.0.securityContext.privileged":"true"}"#;
        let body = serde_json::json!({
            "kind": "Pod", "metadata": {"labels": {"app.kubernetes.io/name": "1"}},
            "spec": {"containers": [{"image": "x", "securityContext": {"privileged": true}}]},
        });
        assert_eq!(event(record)["requestObject"], body);
        assert_eq!(event(record)["@timestamp"], 1_795_293_427_107_i64);
    }

    #[test]
    fn what_has_no_audit_id_or_tells_of_no_request_is_none() {
        for record in [
            r#"{"verb":"get","requestURI":"/"}"#,
            r#"{"auditID":"a","time":"2026-11-21T20:37:07Z"}"#,
            r#"{"auditID":"-","verb":"get"}"#,
            r#"{"x.auditID":"a","verb":"get"}"#,
            "{}",
        ] {
            assert!(open(record).is_none(), "{record}");
        }
        assert!(
            are_of_events(&["AuditId".to_owned(), "Verb".to_owned()])
                && may_hold_event("@message")
                && may_hold_event("log_s")
        );
    }
}
