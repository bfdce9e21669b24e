//! Rancher's own API audit log, which is none of Kubernetes: it has an `auditID`, but `user.name`, `remoteAddr`, `method` and
//! `responseCode`, and neither `kind` nor `level`. Before 2.3 it wrote a line for each of its own stages, with a `verb`. Its
//! requests reach the API server as impersonation, and stand in that server's log.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "rancher",
    summary: "Rancher's own API audit log: kept, but no Kubernetes audit event",
    recognises: |head| head.has("auditID") && head.has("user.name") && !head.has("level") && !head.has("kind"),
    framing: None,
    opener: Opener::Foreign("a line of Rancher's own API audit log", is_rancher),
    traces: &[],
};

/// Members that no event of the API server has; two of them, beside an audit id, make a line of Rancher.
const OWN: [&str; 11] = [
    "method",
    "remoteAddr",
    "requestBody",
    "requestHeader",
    "requestTimestamp",
    "requestUserLoginName",
    "responseBody",
    "responseCode",
    "responseHeader",
    "responseTimestamp",
    "userLoginName",
];

fn is_rancher(object: &str) -> bool {
    if !OWN.iter().any(|name| memchr::memmem::find(object.as_bytes(), name.as_bytes()).is_some()) {
        return false;
    }
    let (mut own, mut has_id, mut is_audit) = (0, false, false);
    let whole = crate::json::members(object, &mut |key, value| match key.as_ref() {
        "auditID" => has_id = true,
        "user" => own += u32::from(crate::json::member(value, "name").is_some()),
        "level" | "kind" | "apiVersion" => is_audit = true,
        name => own += u32::from(OWN.contains(&name)),
    });
    whole.is_ok() && has_id && own >= 2 && !is_audit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_rancher_is_told_from_an_event() {
        let line = r#"{"auditID":"30022177","requestURI":"/v3/projects","user":{"name":"u-1","group":["system:authenticated"]},"method":"GET","remoteAddr":"10.0.0.1","responseCode":"200","requestTimestamp":"2026-11-21T20:37:37Z"}"#;
        assert!(is_rancher(line));
        let old = r#"{"auditID":"r","stage":"RequestReceived","requestURI":"/v3/tokens","user":{"name":"u-1"},"verb":"POST","remoteAddr":"10.42.0.1:5","stageTimestamp":"2018-08-20 20:37:04.123 +0000 UTC","requestBody":{"type":"token"}}"#;
        assert!(is_rancher(old));
        assert!(!is_rancher(&line.replace("responseCode", "level")));
        assert!(!is_rancher("{}") && !is_rancher("[]") && !is_rancher("{\"auditID\":"));
    }
}
