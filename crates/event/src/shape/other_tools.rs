//! Records of other tools about what happened in a cluster: none is an audit event of the API server, and each is named.

use super::{Opener, Shape, Translated, har};
use crate::event::Event;
use crate::json;
use crate::reject::Reason;

pub(super) static SHAPE: Shape = Shape {
    name: "other-tools",
    summary: "alerts and events of other tools (OCSF, Falco, Teleport): kept, but no Kubernetes audit events",
    recognises: |head| {
        (head.has("class_uid") && head.has("metadata.product"))
            || (head.has("output_fields") && head.has("rule"))
            || head.text("event").starts_with("kube.")
            || head.has("_gdch_cluster")
    },
    framing: None,
    opener: Opener::Object(open),
    traces: &[],
};

/// What a record is, when it is one of another tool.
fn open(record: &str) -> Option<Result<Translated, Reason>> {
    // Each of them has one of these names.
    let names: [&[u8]; 7] = [
        b"\"class_uid\"",
        b"\"output_fields\"",
        b"\"kube.",
        b"\"_gdch_cluster\"",
        b"\"startedDateTime\"",
        b"\"udm\"",
        b"\"_index\"",
    ];
    if !names.iter().any(|name| memchr::memmem::find(record.as_bytes(), name).is_some()) {
        return None;
    }
    let (mut ocsf, mut falco, mut teleport, mut gdc, mut har, mut original) = (0, 0, 0, false, false, false);
    let (mut udm, mut bulk, mut members) = (false, false, 0);
    json::members(record, &mut |name, value| {
        members += 1;
        match name.as_ref() {
            "class_uid" | "activity_name" | "activity_id" | "category_uid" => ocsf += 1,
            "output_fields" | "rule" | "priority" => falco += 1,
            "event" if value.starts_with("\"kube.") => teleport += 1,
            "ei" | "login" | "kubernetes_cluster" | "code" => teleport += 1,
            "_gdch_cluster" => gdc = true,
            // A browser's record of what it asked and was told, `{"log":{"entries":[{"startedDateTime":…`: bodies of answers, of whatever server.
            "log" => har = har::is_one(record) && har::rows(record).is_none(),
            "udm" => udm = true,
            "events" if value.contains("\"udm\"") && value.contains("\"eventType\"") => udm = true,
            "index" | "create" | "update" | "delete" if json::member(value, "_index").is_some() => bulk = true,
            _ => original |= value.len() > 200 && json::string(value).is_some_and(|text| Event::decode(&text).is_ok()),
        }
    })
    .ok()?;
    let what = match () {
        // Some keep the event as the server wrote it beside their own words.
        () if original => return None,
        () if ocsf >= 2 => "an OCSF event (Security Lake), which tells an audit event in part; export the log itself",
        () if falco >= 2 => "an alert of Falco",
        () if teleport >= 2 => "an event of Teleport",
        () if har => "a HAR file, a browser's record of requests; export the log itself from the page as CSV or JSON",
        () if udm => "an event of Google SecOps (UDM), which tells an audit event in part; export the raw logs",
        () if bulk && members == 1 => "the line of a bulk request that says where the next one goes",
        () if gdc => "a line of the audit log of another API",
        () => return None,
    };
    Some(Err(Reason::Foreign { what }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_other_tools_are_named() {
        let what = |record: &str| open(record).map(|told| told.unwrap_err().to_string()).unwrap_or_default();
        assert!(what(r#"{"class_uid":6003,"activity_name":"Get","metadata":{"product":{}}}"#).contains("OCSF"));
        assert!(what(r#"{"rule":"x","output_fields":{"ka.auditid":"a"}}"#).contains("Falco"));
        assert!(what(r#"{"event":"kube.request","ei":0,"verb":"GET"}"#).contains("Teleport"));
        assert!(what(r#"{"auditID":"a","_gdch_cluster":"c"}"#).contains("another API"));
        assert!(what(r#"{"log":{"version":"1.2","entries":[{"startedDateTime":"t","response":{}}]}}"#).contains("HAR"));
        assert!(what(r#"{"events":[{"udm":{"metadata":{"eventType":"RESOURCE_READ"}}}]}"#).contains("UDM"));
        assert!(what(r#"{"index":{"_index":"k8s"}}"#).contains("bulk"));
        for none in [r#"{"class_uid":1}"#, r#"{"index":{"_index":"k8s"},"message":"x"}"#, r#"{"index":{"a":"_index"}}"#]
        {
            assert_eq!(what(none), "", "{none}");
        }
    }
}
