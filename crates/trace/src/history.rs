//! The states of an object in time, rebuilt from what requests sent and what the server answered.

use serde_json::Value;
use similar::TextDiff;

use crate::evidence::{Outcome, Request};
use crate::manifest::{self, Hit};
use crate::patch;
use crate::rbac;

/// Lines around a change that are shown.
const CONTEXT_LINES: usize = 1;

/// By what a state is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The server answered with it.
    Stored,
    /// It was sent so; what the server and webhooks added is not in the log.
    Sent,
    /// A patch, applied to the state before.
    Patched,
    /// It is gone.
    Deleted,
    /// No body tells.
    Unknown,
}

impl Source {
    /// The words for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stored => "as stored",
            Self::Sent => "as sent",
            Self::Patched => "patched",
            Self::Deleted => "deleted",
            Self::Unknown => "unknown",
        }
    }
}

/// What a request made of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The request.
    pub request: Request,
    /// By what the state after it is known.
    pub source: Source,
    /// The state, without what the server keeps.
    pub state: Option<Value>,
    /// How it differs from the last state that is known, as a unified diff; empty when it does not.
    pub diff: String,
    /// Whether the state before is not known, so that the diff may hold changes of others.
    pub is_after_gap: bool,
}

/// The history of the object of a name, from requests about it, and about all of its kind and namespace, by time.
pub fn history(name: &str, requests: &[Request]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut last: Option<Value> = None;
    let mut is_gap = false;
    for request in requests {
        let is_read = matches!(request.act.verb.as_str(), "get" | "list" | "watch");
        if request.outcome != Outcome::Allowed || manifest::is_dry_run(request) {
            continue;
        }
        let (source, state) = match request.act.verb.as_str() {
            "deletecollection" => {
                match manifest::hit(request, request.act.namespace.as_deref().unwrap_or_default(), name) {
                    Hit::Taken => (Source::Deleted, None),
                    Hit::Spared => continue,
                    Hit::Unknown => (Source::Unknown, None),
                }
            }
            _ => after(request, last.as_ref().filter(|_| !is_gap)),
        };
        let diff = match (&state, source) {
            (Some(state), _) => diff(last.as_ref(), Some(state)),
            (None, Source::Deleted) => diff(last.as_ref(), None),
            _ => String::new(),
        };
        // A read tells something when it shows what no write did.
        if is_read && (state.is_none() || diff.is_empty()) {
            continue;
        }
        let is_after_gap = is_gap;
        match source {
            Source::Unknown => is_gap = true,
            Source::Deleted => (last, is_gap) = (None, false),
            _ => (last, is_gap) = (state.clone(), false),
        }
        steps.push(Step { request: request.clone(), source, state, diff, is_after_gap });
    }
    steps
}

fn after(request: &Request, before: Option<&Value>) -> (Source, Option<Value>) {
    let clean = |object: &Value| Some(rbac::cleaned(object));
    let is_of_object = |object: &Value| object.get("metadata").is_some() && object.get("items").is_none();
    let answered = manifest::object(request.answered.as_deref()).filter(is_of_object);
    if request.act.verb == "delete" {
        return (Source::Deleted, None);
    }
    if let Some(object) = answered.filter(|object| object.get("kind").and_then(Value::as_str) != Some("Scale")) {
        return (Source::Stored, clean(&object));
    }
    let sent = request.sent.as_deref().and_then(|sent| serde_json::from_str::<Value>(sent).ok());
    match (request.act.verb.as_str(), sent, request.act.subresource.as_deref()) {
        ("create" | "update", Some(object), None) if is_of_object(&object) => (Source::Sent, clean(&object)),
        ("patch", Some(sent), None | Some("status" | "ephemeralcontainers")) => {
            let manner = patch::manner(&sent, &request.uri);
            let patched = before.and_then(|before| patch::patched(before.clone(), &sent, manner));
            patched.map_or((Source::Unknown, None), |object| (Source::Patched, clean(&object)))
        }
        _ => (Source::Unknown, None),
    }
}

fn diff(before: Option<&Value>, after: Option<&Value>) -> String {
    let text = |object: Option<&Value>| object.map(|object| format!("{object:#}\n")).unwrap_or_default();
    let (before, after) = (text(before), text(after));
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(CONTEXT_LINES).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Act;
    use serde_json::json;

    fn request(time: i64, verb: &str, sent: Option<Value>, answered: Option<Value>) -> Request {
        Request {
            time,
            audit_id: time.to_string(),
            user: Some("u".into()),
            address: None,
            agent: None,
            credential: None,
            act: Act { verb: verb.into(), resource: Some("deployments".into()), ..Act::default() },
            name: Some("web".into()),
            outcome: Outcome::Allowed,
            status: None,
            uri: "/x?fieldManager=kubectl".into(),
            issued_credential: None,
            sent: sent.map(|value| value.to_string()),
            answered: answered.map(|value| value.to_string()),
        }
    }

    #[test]
    fn states_are_rebuilt_and_gaps_are_told() {
        let object = |image: &str| json!({"metadata": {"name": "web", "uid": "1"}, "spec": {"template": {"spec": {"containers": [{"name": "a", "image": image}]}}}});
        let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "evil"}]}}}});
        let operations = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "worse"}]);
        let steps = history(
            "web",
            &[
                request(1, "create", Some(object("1")), None),
                request(2, "patch", Some(patch), None),
                request(3, "patch", Some(operations.clone()), None),
                request(4, "patch", None, None),
                request(5, "patch", Some(operations), None),
                request(6, "get", None, Some(object("2"))),
                request(7, "get", None, Some(object("2"))),
                request(8, "delete", None, None),
            ],
        );
        let told: Vec<String> =
            steps.iter().map(|step| format!("{} {}", step.request.time, step.source.name())).collect();
        assert_eq!(told, ["1 as sent", "2 patched", "3 patched", "4 unknown", "5 unknown", "6 as stored", "8 deleted"]);
        assert!(
            steps[1].diff.contains("-            \"image\": \"1\"")
                && steps[1].diff.contains("+            \"image\": \"evil\""),
            "{}",
            steps[1].diff
        );
        assert!(steps[2].diff.contains("worse") && steps[4].diff.is_empty() && steps[5].is_after_gap);
        assert!(steps[0].state.as_ref().unwrap()["metadata"].get("uid").is_none());
    }

    #[test]
    fn a_deletion_of_many_ends_the_history_of_what_it_took() {
        let of = |uri: &str, answered: Option<Value>| {
            let made = request(1, "create", Some(json!({"metadata": {"name": "web"}})), None);
            let gone = Request { name: None, uri: uri.into(), ..request(2, "deletecollection", None, answered) };
            history("web", &[made, gone]).iter().map(|step| step.source.name()).collect::<Vec<_>>().join(", ")
        };
        let list = |name: &str| Some(json!({"kind": "DeploymentList", "items": [{"metadata": {"name": name}}]}));
        assert_eq!(of("/x?labelSelector=a%3Db", list("web")), "as sent, deleted");
        assert_eq!(of("/x?labelSelector=a%3Db", list("other")), "as sent");
        assert_eq!(of("/x?labelSelector=a%3Db", None), "as sent, unknown");
        assert_eq!(of("/x", None), "as sent, deleted");
    }
}
