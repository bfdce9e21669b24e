//! Cloud Audit Logs of Google Kubernetes Engine: a `LogEntry` whose `protoPayload` tells the event in other words.
//!
//! | here | there |
//! |---|---|
//! | `audit_id` | `operation.id`, else `insertId` |
//! | `event_time` | `timestamp` |
//! | `verb` | the last word of `methodName` (`io.k8s.core.v1.pods.exec.create`) |
//! | resource, subresource, namespace, name, API group and version | `resourceName` (`core/v1/namespaces/ns/pods/p/exec`), else `methodName` |
//! | `request_uri` | `resourceName`, only when the request is not about a resource (`io.k8s.get`, `readyz`) |
//! | `user_name` | `authenticationInfo.principalEmail`, else `principalSubject` |
//! | `source_ips` | `requestMetadata.callerIp`, the only address there is |
//! | `user_agent` | `requestMetadata.callerSuppliedUserAgent` |
//! | `status_code` | `response.code` of a `Status`, else `status.code`, gRPC's, as the HTTP status that stands for it: 200 for any success |
//! | `annotations`, and `decision` from them | `labels` |
//! | `request_object`, `response_object` | `request`, `response` |
//! | `cluster` | `resource.labels.cluster_name` |
//!
//! What GKE leaves out stays NULL, first of all stage, level and groups. The command of an exec is lost: it stood in the query
//! of the URI. The whole entry is kept in `other`, and comes back when the event is rebuilt.

use super::request_path::PathObject;
use super::split::Part;
use super::translated::{Object, Translated, quoted};
use super::{Opener, Shape};
use crate::json;
use crate::reject::Reason;

pub(super) static SHAPE: Shape = Shape {
    name: "gke",
    summary: "Google Kubernetes Engine: LogEntry of Cloud Audit Logs",
    recognises: |head| head.has("protoPayload.methodName") || head.has("protoPayload.serviceName"),
    framing: None,
    opener: Opener::Object(open),
    traces: &[
        b"\"serviceName\":\"k8s.io\"",
        b"\"serviceName\": \"k8s.io\"",
        b"serviceName\\\":\\\"k8s.io\\\"",
        b"serviceName\\\": \\\"k8s.io\\\"",
    ],
};

/// HTTP status for each code of gRPC, from 0 (OK) to 16 (UNAUTHENTICATED), as Google's `google.rpc.Code` maps them.
const HTTP_STATUS: [u16; 17] = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/// API groups that have no domain, though `methodName` gives them one.
const GROUPS_WITHOUT_DOMAIN: [&str; 6] = ["apps", "autoscaling", "batch", "core", "extensions", "policy"];

/// The event that a `LogEntry` tells; a reason when it is about another service than Kubernetes.
pub(super) fn open(entry: &str) -> Option<Result<Translated, Reason>> {
    memchr::memmem::find(entry.as_bytes(), b"\"protoPayload\"")?;
    let payload = json::member(entry, "protoPayload").filter(|payload| json::is_object(payload))?;
    let text = |object: &str, path: &[&str]| text_at(object, path);
    let method = text(payload, &["methodName"])?;
    if text(payload, &["serviceName"]).is_none_or(|service| service != "k8s.io") {
        return Some(Err(Reason::Foreign { what: "an entry of Cloud Audit Logs about another service" }));
    }
    let mut event = Object::default();
    let audit_id = text(entry, &["operation", "id"]).or_else(|| text(entry, &["insertId"]));
    event.text("auditID", audit_id.as_deref());
    event.text("verb", method.rsplit('.').next());
    let name = text(payload, &["resourceName"]).unwrap_or_default();
    match object_of(&method, &name) {
        Some(object) => event.object("objectRef", object),
        None => event.text("requestURI", Some(&format!("/{}", name.trim_start_matches('/')))),
    }
    let mut user = Object::default();
    // A federated identity has no address of its own, but the name of its pool and subject.
    let principal = ["principalEmail", "principalSubject"];
    let principal = principal.iter().find_map(|name| text(payload, &["authenticationInfo", name]));
    user.text("username", principal.as_deref());
    event.object("user", user);
    let address = text(payload, &["requestMetadata", "callerIp"]);
    event.raw("sourceIPs", address.map(|address| format!("[{}]", quoted(&address))).as_deref());
    event.text("userAgent", text(payload, &["requestMetadata", "callerSuppliedUserAgent"]).as_deref());
    event.object_if_any("responseStatus", status(payload));
    event.raw("requestObject", json::member(payload, "request"));
    event.raw("responseObject", json::member(payload, "response"));
    event.raw("annotations", json::member(entry, "labels").filter(|labels| json::is_object(labels)));
    event.text("requestReceivedTimestamp", text(entry, &["timestamp"]).as_deref());
    let translated = Translated {
        json: event.finish(),
        original: entry.to_owned(),
        is_cut: false,
        any_level: true,
        peer_unknown: false,
        has_other_words: false,
        cluster: text(entry, &["resource", "labels", "cluster_name"]),
        part: Part::of(entry, audit_id.as_deref()).map(Box::new),
    };
    Some(translated.event().err().map_or(Ok(translated), Err))
}

/// The text at a path of members.
fn text_at(object: &str, path: &[&str]) -> Option<String> {
    let value = path.iter().try_fold(object, |object, name| json::member(object, name))?;
    json::string(value).map(Into::into)
}

/// What the request is about, as an `objectRef`; `None` when it is not about a resource.
fn object_of(method: &str, name: &str) -> Option<Object> {
    let words: Vec<&str> = method.split('.').collect();
    // `io.k8s.get`: there is no API version between the service and the verb.
    let version = words.iter().rposition(|word| is_version(word)).filter(|version| version + 2 < words.len())?;
    let parts: Vec<&str> = name.trim_matches('/').split('/').collect();
    if let [group, version, path @ ..] = parts.as_slice()
        && is_version(version)
    {
        let group = Some(*group).filter(|group| *group != "core");
        if let Some(object) = PathObject::of_parts(group, version, path) {
            return Some(object.object_ref());
        }
    }
    // The name says nothing: `io.k8s.authorization.rbac.v1.roles.create` is about `rbac.authorization.k8s.io`.
    let domain: Vec<&str> = words[..version].iter().rev().copied().collect();
    let domain = domain.join(".");
    let group = match domain.strip_suffix(".k8s.io") {
        Some("core") => None,
        Some(group) if GROUPS_WITHOUT_DOMAIN.contains(&group) => Some(group),
        _ => Some(domain.as_str()),
    };
    let path = [words[version + 1]];
    let subresource = words.get(version + 2).copied().filter(|_| version + 3 < words.len());
    Some(PathObject { subresource, ..PathObject::of_parts(group, words[version], &path)? }.object_ref())
}

/// Whether a word is a version of an API, such as `v1` or `v2beta1`.
fn is_version(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(rest) = word.strip_prefix('v') else { return false };
    match rest.split_once("alpha").or_else(|| rest.split_once("beta")) {
        Some((major, minor)) => digits(major) && digits(minor),
        None => digits(rest),
    }
}

/// What the server answered, as a `responseStatus`; empty when the entry does not tell.
fn status(payload: &str) -> Object {
    let mut object = Object::default();
    let Some(status) = json::member(payload, "status").filter(|status| json::is_object(status)) else { return object };
    let number = |object: &str| json::member(object, "code")?.parse::<usize>().ok();
    // The code of success is left out, as protocol buffers do with zeros.
    let code = if json::member(status, "code").is_none() { Some(0) } else { number(status) };
    let answer = json::member(payload, "response").filter(|_| code != Some(0));
    let answer = answer.filter(|answer| text_at(answer, &["kind"]).is_some_and(|kind| kind == "Status"));
    let exact = answer.and_then(number).filter(|code| (100..600).contains(code));
    let code = exact.or_else(|| match code? {
        http @ 100..600 => Some(http),
        grpc => HTTP_STATUS.get(grpc).map(|http| usize::from(*http)),
    });
    let Some(code) = code else { return object };
    let message = answer.and_then(|answer| text_at(answer, &["message"])).or_else(|| text_at(status, &["message"]));
    object.raw("metadata", Some("{}"));
    object.text("status", Some("Failure").filter(|_| code >= 400));
    object.text("message", message.as_deref());
    object.text("reason", answer.and_then(|answer| text_at(answer, &["reason"])).as_deref());
    object.raw("code", Some(&code.to_string()));
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_names_are_resources() {
        let object = |method: &str, name: &str| object_of(method, name).map(Object::finish).unwrap_or_default();
        for (method, name, expected) in [
            (
                "io.k8s.core.v1.pods.exec.create",
                "core/v1/namespaces/prod/pods/web/exec",
                r#"{"resource":"pods","namespace":"prod","name":"web","apiVersion":"v1","subresource":"exec"}"#,
            ),
            (
                "io.k8s.authorization.rbac.v1.clusterrolebindings.create",
                "rbac.authorization.k8s.io/v1/clusterrolebindings/x",
                r#"{"resource":"clusterrolebindings","name":"x","apiGroup":"rbac.authorization.k8s.io","apiVersion":"v1"}"#,
            ),
            (
                "com.example.stable.v1beta2.crontabs.list",
                "stable.example.com/v1beta2/namespaces/prod/crontabs",
                r#"{"resource":"crontabs","namespace":"prod","apiGroup":"stable.example.com","apiVersion":"v1beta2"}"#,
            ),
            (
                "io.k8s.authorization.rbac.v1.roles.create",
                "",
                r#"{"resource":"roles","apiGroup":"rbac.authorization.k8s.io","apiVersion":"v1"}"#,
            ),
            (
                "io.k8s.apps.v1.deployments.scale.patch",
                "",
                r#"{"resource":"deployments","apiGroup":"apps","apiVersion":"v1","subresource":"scale"}"#,
            ),
            ("io.k8s.core.v1.nodes.list", "core/v1/nodes", r#"{"resource":"nodes","apiVersion":"v1"}"#),
            ("io.k8s.get", "readyz", ""),
            ("io.k8s.get", "api/v1", ""),
            ("", "", ""),
        ] {
            assert_eq!(object(method, name), expected, "{method}");
        }
    }

    #[test]
    fn codes_of_grpc_are_told_as_http() {
        let status = |payload: &str| status(payload).finish();
        assert_eq!(status(r#"{"status":{}}"#), r#"{"metadata":{},"code":200}"#);
        assert_eq!(
            status(r#"{"status":{"code":7,"message":"no"}}"#),
            r#"{"metadata":{},"status":"Failure","message":"no","code":403}"#
        );
        assert_eq!(
            status(r#"{"status":{"code":2},"response":{"kind":"Status","code":422,"reason":"Invalid","message":"m"}}"#),
            r#"{"metadata":{},"status":"Failure","message":"m","reason":"Invalid","code":422}"#
        );
        assert_eq!(status(r#"{"status":{"code":16}}"#), r#"{"metadata":{},"status":"Failure","code":401}"#);
        assert_eq!(status(r#"{"status":{"code":99}}"#), "{}");
        assert_eq!(status("{}"), "{}");
    }

    #[test]
    fn other_services_are_told() {
        let entry = r#"{"insertId":"a","timestamp":"2026-11-21T20:37:37Z","protoPayload":{"methodName":"v1.compute.instances.insert","serviceName":"compute.googleapis.com"}}"#;
        let reason = open(entry).unwrap().unwrap_err().to_string();
        assert_eq!(reason, "not a Kubernetes audit event, but an entry of Cloud Audit Logs about another service");
        assert!(open("{\"a\":1}").is_none());
    }
}
