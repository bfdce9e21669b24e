//! Rancher's own API audit log, which is none of Kubernetes: it has an `auditID`, but `user.name`, `method` and `responseCode`, and
//! neither `stage` nor `level`. Its requests reach the API server as impersonation, and stand in that server's log.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "rancher",
    summary: "Rancher's own API audit log: kept, but no Kubernetes audit event",
    recognises: |head| head.has("auditID") && head.has("user.name") && !head.has("level") && !head.has("stage"),
    framing: None,
    opener: Opener::Foreign("a line of Rancher's own API audit log", is_rancher),
    traces: &[],
};

fn is_rancher(object: &str) -> bool {
    if memchr::memmem::find(object.as_bytes(), b"\"responseCode\"").is_none() {
        return false;
    }
    let (mut found, mut audit) = (0, false);
    let whole = crate::json::members(object, &mut |key, value| match key.as_ref() {
        "auditID" | "requestURI" | "method" | "responseCode" => found += 1,
        "user" => found += u32::from(crate::json::member(value, "name").is_some()),
        "level" | "stage" | "kind" => audit = true,
        _ => (),
    });
    whole.is_ok() && found >= 4 && !audit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_rancher_is_told_from_an_event() {
        let line = r#"{"auditID":"30022177","requestURI":"/v3/projects","user":{"name":"u-1","group":["system:authenticated"]},"method":"GET","remoteAddr":"10.0.0.1","responseCode":"200","requestTimestamp":"2026-11-21T20:37:37Z"}"#;
        assert!(is_rancher(line));
        assert!(!is_rancher(&line.replace("responseCode", "stage")));
        assert!(!is_rancher("{}") && !is_rancher("[]") && !is_rancher("{\"auditID\":"));
    }
}
