//! Diagnostic records of Azure Kubernetes Service, from an Event Hub (`{"records":[…]}`) or a storage account (`PT1H.json`, one a line).
//!
//! The event is the text `properties.log`, or, by way of Elastic, an object there. The categories `kube-audit` and `kube-audit-admin`
//! hold events, others share the stream. Texts over 16 KiB are cut; see [`cut`].

use super::{Opener, Shape, Translated, cut};
use crate::json;
use crate::reject::Reason;

pub(super) static SHAPE: Shape = Shape {
    name: "aks",
    summary: "AKS diagnostic records, from an Event Hub or a storage account",
    recognises: |head| {
        head.has("records.properties.log")
            || head.has("records.properties.log.auditID")
            || (head.has("properties.log") && (head.has("category") || head.has("operationName")))
    },
    framing: None,
    opener: Opener::Object(open),
    traces: &[],
};

/// An event that was cut at 16 KiB, in a record.
fn open(record: &str) -> Option<Result<Translated, Reason>> {
    memchr::memmem::find(record.as_bytes(), b"\"properties\"")?;
    let (mut log, mut time) = (None, None);
    json::members(record, &mut |key, value| match key.as_ref() {
        "properties" if json::is_object(value) => log = json::member(value, "log"),
        "time" => time = json::string(value),
        _ => (),
    })
    .ok()?;
    cut::open(log.filter(|log| log.starts_with('"'))?, time.as_deref())
}
