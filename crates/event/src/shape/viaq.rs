//! What OpenShift's log collector (Vector or Fluentd, the ViaQ data model) makes of an event: its own members beside
//! the event's, and `level` overwritten with `default`, which is the collector's idea of a severity.
//!
//! The true level stands in another member. The decoder of events takes it from there, at no cost for other events, and keeps
//! what stood in `level` in the column `other`.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "openshift-viaq",
    summary: "OpenShift logging (ViaQ): the level restored from k8s_audit_level",
    recognises: |head| LEVEL_MEMBERS.iter().any(|name| head.has(name)),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

/// Members that hold the true level of an event whose `level` was overwritten.
pub(crate) const LEVEL_MEMBERS: [&str; 2] = ["k8s_audit_level", "openshift_audit_level"];

#[cfg(test)]
mod tests {
    use crate::event::Event;

    #[test]
    fn the_true_level_comes_back_and_the_other_is_kept() {
        let event = r#"{"auditID":"a","k8s_audit_level":"Metadata","kind":"Event","apiVersion":"audit.k8s.io/v1","level":"default","requestReceivedTimestamp":"2026-11-21T20:37:37.000000Z","user":{}}"#;
        let event = Event::decode(event).unwrap();
        assert_eq!(event.level.as_deref(), Some("Metadata"));
        assert_eq!(event.other.as_deref(), Some(r#"{"k8s_audit_level":"Metadata","level":"default"}"#));
    }
}
