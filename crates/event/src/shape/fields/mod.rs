//! Events whose members are the columns of a table, or fields of a flat record: Log Analytics' AKSAudit (`AuditId`,
//! `RequestUri`), Kibana (`kubernetes.audit.user.username`), CloudWatch Logs Insights (`user.groups.0`), VictoriaLogs, Alibaba's
//! SLS, warehouses that write all names in lower case or with `_`.
//!
//! What a name says is told by its letters alone; all names of a record must have the same beginning as that of its audit id. What
//! the table lacks is left out. The record itself is kept and comes back when the event is rebuilt.

mod members;
mod names;

use std::borrow::Cow;

use super::request_path::PathObject;
use super::translated::Translated;
use super::tree::Tree;
use super::{Opener, Shape};
use crate::event::Event;
use crate::json;
use crate::reject::Reason;
use crate::words;

pub(super) use members::dotted;
use members::{one, put};
use names::{INNER, TIMES, beginnings, is_table, letters, place};
pub(super) use names::{are_of_events, may_hold_event};

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

/// The event that a flat record tells.
fn open(record: &str) -> Option<Result<Translated, Reason>> {
    if !may_be_record(record) {
        return None;
    }
    let mut fields: Vec<(Cow<'_, str>, &str)> = Vec::new();
    json::members(record, &mut |name, value| fields.push((name, value))).ok()?;
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_ref()).collect();
    let beginnings = beginnings(&names);
    let (beginning, id) = *beginnings.first()?;
    if fields.iter().any(|(_, value)| holds_original(value)) {
        return None;
    }
    let id = one(fields[id].1);
    if beginnings.iter().any(|(_, other)| one(fields[*other].1) != id) {
        // Either could be the event that the record is about, and the other would be lost without a word.
        let what = "a record in which two events stand side by side; export the log itself, one event a line";
        return Some(Err(Reason::Foreign { what }));
    }
    let (mut event, mut time) = (Tree::default(), None);
    let mut has_user = false;
    for (name, value) in &fields {
        let Some((member, rest)) = place(name, beginning) else {
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
        // The server gives many decisions an empty reason.
        let is_text = *value == "\"\"" && member == "annotations" && !rest.is_empty();
        let told = if is_text { Some(Cow::Borrowed(*value)) } else { told(value) };
        if let Some(value) = told.filter(|_| !is_empty) {
            has_user |= member == "user";
            put(&mut event, member, rest, &value);
        }
    }
    object_of_uri(&mut event, &fields, beginning);
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

/// What stands in a cell that is empty.
const NOTHING: [&str; 14] = [
    "",
    "-",
    "null",
    "NULL",
    "None",
    "(null)",
    "<null>",
    "NaN",
    "nan",
    "N/A",
    "\\N",
    "undefined",
    "(empty)",
    "System.Object",
];

/// A value as JSON: text that is JSON itself is that. `None` when it says that there is none.
fn told(value: &str) -> Option<Cow<'_, str>> {
    match json::string(value) {
        Some(text) => {
            let text = text.trim();
            if NOTHING.contains(&text) {
                return None;
            }
            let is_json = text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            if is_json {
                return Some(Cow::Owned(text.to_owned()));
            }
            // As pandas prints what it has read from JSON.
            let literal = crate::literal::read(text);
            Some(literal.map_or(Cow::Borrowed(value), |literal| Cow::Owned(literal.json)))
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
    fn what_a_client_sent_is_not_taken_for_the_event_wherever_it_stands() {
        let own = r#""auditID":"a","verb":"create","user.username":"mallory","objectRef.resource":"configmaps","requestReceivedTimestamp":"2026-11-21T20:37:07Z""#;
        let fake = |at: &str| {
            format!(
                r#""{at}auditID":"FAKE","{at}verb":"get","{at}user.username":"bob","{at}requestReceivedTimestamp":"2026-11-21T20:00:00Z""#
            )
        };
        let inside = [
            "requestObject.",
            "requestObject.data.d01.",
            "responseObject_",
            "request_object_",
            "annotations.",
            "user.extra.",
            "impersonatedUser.extra.x.",
            "responseStatus.details.",
        ];
        for at in inside {
            for record in [format!("{{{},{own}}}", fake(at)), format!("{{{own},{}}}", fake(at))] {
                let told = event(&record);
                assert_eq!((&told["auditID"], &told["user"]["username"]), (&"a".into(), &"mallory".into()), "{record}");
            }
            // Where the columns of the event were not exported, nothing is one.
            assert!(open(&format!("{{{}}}", fake(at))).is_none(), "{at}");
            let below = format!("k.audit.{at}");
            assert!(open(&format!("{{{}}}", fake(&below))).is_none(), "{below}");
        }
        let both = format!("{{{},{own}}}", fake("parsed."));
        assert!(matches!(open(&both), Some(Err(Reason::Foreign { .. }))), "{both}");
        let same = both.replace("FAKE", "a");
        assert_eq!(event(&same)["user"]["username"], "mallory");
        // An id of the record's own, without what was asked for, is none of an event.
        let beside = format!("{{\"auditID\":\"x\",{}}}", fake("parsed."));
        assert_eq!(event(&beside)["user"]["username"], "bob");
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
