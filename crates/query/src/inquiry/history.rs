//! The states of an object in time, on a case.

use std::collections::BTreeMap;

use kforensic_trace::evidence::Request;
use kforensic_trace::history::{Source, Step, history};

use super::batch::{Answer, Columns};
use super::evidence::CaseEvidence;
use crate::error::QueryError;
use crate::session::Session;

impl Session {
    /// Who made what of an object, with what changed. `resource` is in the plural, `namespace` empty for the cluster.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn object_history(&self, resource: &str, namespace: &str, name: &str) -> Result<Answer, QueryError> {
        // What is made with `generateName` has its name in the answer alone.
        const REST: &str = "resource = ? AND coalesce(namespace, '') = ? \
             AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection', 'get') \
             AND (name = ? OR (name IS NULL AND verb = 'create' \
                  AND TRY(json_extract_string(response_object, '$.metadata.name')) = ?) \
                  OR (name IS NULL AND verb = 'deletecollection')) \
             AND (verb <> 'get' OR (response_object IS NOT NULL AND coalesce(subresource, '') = '')) \
             ORDER BY event_time, audit_id, request_uri";
        // A namespace is in itself.
        let namespace = if resource == "namespaces" { name } else { namespace };
        let bound = [resource, namespace, name, name].map(str::to_owned).to_vec();
        let requests = CaseEvidence { session: self }.select("request_object, response_object", REST, bound)?;
        // What has the same name in another cluster is another object.
        let mut of_clusters: BTreeMap<Option<String>, Vec<Request>> = BTreeMap::new();
        for request in requests {
            of_clusters.entry(request.act.cluster.clone()).or_default().push(request);
        }
        let mut steps: Vec<Step> = of_clusters.values().flat_map(|requests| history(name, requests)).collect();
        steps.sort_by(|left, right| {
            let key = |step: &Step| (step.request.time, step.request.audit_id.clone(), step.request.uri.clone());
            key(left).cmp(&key(right))
        });
        let rows = || steps.iter();
        Ok(Columns::default()
            .time("event_time", rows().map(|step| Some(step.request.time)))
            .text("user_name", rows().map(|step| step.request.user.as_ref()))
            .text("impersonated_user", rows().map(|step| step.request.act.impersonated.as_ref()))
            .text("verb", rows().map(|step| Some(&step.request.act.verb)))
            .text("subresource", rows().map(|step| step.request.act.subresource.as_ref()))
            .text("state", rows().map(|step| Some(step.source.name())))
            .text(
                "change",
                rows().map(|step| {
                    Some(match (step.source, step.is_after_gap, step.diff.is_empty()) {
                        (Source::Unknown, ..) => "what it made of the object is not in the log".to_owned(),
                        (_, _, true) => "nothing that is told".to_owned(),
                        (_, true, false) => format!("since the last state that is known:\n{}", step.diff),
                        (_, false, false) => step.diff.clone(),
                    })
                }),
            )
            .text("source_ip", rows().map(|step| step.request.address.as_ref()))
            .text("user_agent", rows().map(|step| step.request.agent.as_ref()))
            .text("audit_id", rows().map(|step| Some(&step.request.audit_id)))
            .text("cluster", rows().map(|step| step.request.act.cluster.as_ref()))
            .finish())
    }
}
