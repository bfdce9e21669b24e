//! Logs of Kubernetes 1.7 to 1.23 in the API versions `audit.k8s.io/v1alpha1` and `v1beta1`: times can stand in `timestamp` and
//! `metadata.creationTimestamp`, with whole seconds.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "audit-v1beta1",
    summary: "an event a line, of audit.k8s.io/v1beta1 or v1alpha1",
    recognises: |head| {
        head.text("apiVersion").starts_with("audit.k8s.io/v1") && head.text("apiVersion") != "audit.k8s.io/v1"
    },
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};
