//! A case as evidence: the statements behind each question of an investigation.

use duckdb::Row;
use kforensic_trace::evidence::{Act, Activity, BindingName, BindingUse, Evidence, Outcome, PodFact, Request};
use kforensic_trace::manifest;
use serde_json::Value;

use super::{list, texts};
use crate::error::QueryError;
use crate::session::Session;

const ACTION: &str = "collect the evidence";

/// A list that is bound as JSON, taken apart.
const LIST: &str = "(SELECT unnest(from_json(?::VARCHAR, '[\"VARCHAR\"]')))";

/// Columns of a request, in the order in which [`request`] reads them.
///
/// Bodies are read where something follows from them: a list of other objects can have many megabytes.
const COLUMNS: &str = "epoch_us(event_time), audit_id, user_name, source_ip, user_agent, credential_id, verb, api_group, \
    resource, subresource, namespace, nullif(impersonated_user, ''), cluster, name, outcome, request_uri, issued_credential_id, status_code";
const BODIES: &str = "request_object, response_object";
const BODIES_OF_DEEDS: &str = "\
    CASE WHEN verb NOT IN ('get', 'list', 'watch') THEN as_rbac(api_group, request_object) END, \
    CASE WHEN verb NOT IN ('get', 'list', 'watch') OR resource = 'secrets' \
    THEN as_rbac(api_group, response_object) END";

/// Requests with consequences. What controllers and clients send all day changes nothing that an intruder wants.
const IS_DEED: &str = "(
    coalesce(impersonated_user, '') <> ''
    OR subresource IN ('exec', 'attach', 'portforward', 'proxy', 'ephemeralcontainers', 'token', 'approval')
    OR (resource = 'secrets' AND coalesce(subresource, '') = '')
    OR (
        verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
        AND coalesce(subresource, '') NOT IN ('status', 'eviction')
        AND resource IS NOT NULL
        AND resource NOT IN (
            'leases', 'endpoints', 'endpointslices', 'tokenreviews', 'subjectaccessreviews',
            'localsubjectaccessreviews'
        )
        AND NOT (resource = 'events' AND verb IN ('create', 'patch'))
    )
)";

/// The case behind a session, as evidence.
pub(super) struct CaseEvidence<'s> {
    pub(super) session: &'s Session,
}

impl CaseEvidence<'_> {
    pub(super) fn select(&self, columns: &str, rest: &str, bound: Vec<String>) -> Result<Vec<Request>, QueryError> {
        let sql = format!("SELECT {COLUMNS}, {columns} FROM requests WHERE {rest}");
        self.session.rows(ACTION, &sql, bound, request)
    }
}

/// Reads a request off a row that begins with [`COLUMNS`] and two bodies.
pub(super) fn request(row: &Row<'_>) -> duckdb::Result<Request> {
    Ok(Request {
        time: row.get(0)?,
        audit_id: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
        user: row.get(2)?,
        address: row.get(3)?,
        agent: row.get(4)?,
        credential: row.get(5)?,
        act: act(row, 6)?,
        name: row.get(13)?,
        outcome: Outcome::of(&row.get::<_, Option<String>>(14)?.unwrap_or_default()),
        uri: row.get::<_, Option<String>>(15)?.unwrap_or_default(),
        issued_credential: row.get(16)?,
        status: row.get(17)?,
        sent: row.get(18)?,
        answered: row.get(19)?,
    })
}

/// Reads what was asked off seven columns.
fn act(row: &Row<'_>, at: usize) -> duckdb::Result<Act> {
    Ok(Act {
        verb: row.get::<_, Option<String>>(at)?.unwrap_or_default(),
        api_group: row.get(at + 1)?,
        resource: row.get(at + 2)?,
        subresource: row.get(at + 3)?,
        namespace: row.get(at + 4)?,
        impersonated: row.get(at + 5)?,
        cluster: row.get(at + 6)?,
    })
}

fn activity(row: &Row<'_>) -> duckdb::Result<Activity> {
    Ok(Activity {
        user: row.get(0)?,
        address: row.get(1)?,
        agent: row.get(2)?,
        credential: row.get(3)?,
        act: act(row, 4)?,
        outcome: Outcome::of(&row.get::<_, Option<String>>(11)?.unwrap_or_default()),
        requests: row.get(12)?,
        first: row.get(13)?,
        last: row.get(14)?,
        audit_ids: texts(row.get(15)?),
    })
}

impl Evidence for CaseEvidence<'_> {
    type Error = QueryError;

    fn activities(&mut self) -> Result<Vec<Activity>, QueryError> {
        // Ties are decided by the id, so that the same case gives the same ids every time.
        const SQL: &str = "SELECT nullif(user_name, ''), source_ip, user_agent, credential_id, verb, api_group, \
            resource, subresource, namespace, nullif(impersonated_user, '') AS impersonated, cluster, outcome, count(*), \
            min(epoch_us(event_time)), max(epoch_us(event_time)), \
            to_json(arg_min(audit_id, struct_pack(t := event_time, id := audit_id), 3))::VARCHAR \
            FROM requests GROUP BY ALL";
        self.session.rows(ACTION, SQL, Vec::new(), activity)
    }

    fn deeds(&mut self, of: &[(String, i64)], limit: usize) -> Result<Vec<Request>, QueryError> {
        let since = of.iter().map(|(_, since)| *since).min().unwrap_or(i64::MIN);
        let users = list(of.iter().map(|(user, _)| user.as_str()));
        let rest = format!(
            "user_name IN {LIST} AND {IS_DEED} AND epoch_us(event_time) >= {since} \
             ORDER BY event_time, audit_id, verb, request_uri LIMIT {limit}"
        );
        let found = self.select(BODIES_OF_DEEDS, &rest, vec![users])?;
        let is_wanted =
            |deed: &Request| of.iter().any(|(user, since)| deed.user.as_ref() == Some(user) && deed.time >= *since);
        Ok(found.into_iter().filter(is_wanted).collect())
    }

    fn requests(&mut self, audit_ids: &[String]) -> Result<Vec<Request>, QueryError> {
        let rest = format!("audit_id IN {LIST} ORDER BY event_time, audit_id, verb, request_uri");
        self.select(BODIES, &rest, vec![list(audit_ids.iter().map(String::as_str))])
    }

    fn origins(&mut self, credentials: &[String]) -> Result<Vec<Request>, QueryError> {
        let rest = format!(
            "resource = 'serviceaccounts' AND issued_credential_id IN {LIST} ORDER BY event_time, audit_id, request_uri"
        );
        self.select("NULL::VARCHAR, NULL::VARCHAR", &rest, vec![list(credentials.iter().map(String::as_str))])
    }

    fn pods(&mut self, pods: &[(String, String)]) -> Result<Vec<PodFact>, QueryError> {
        let names = list(pods.iter().map(|(_, name)| name.as_str()));
        let namespaces = list(pods.iter().map(|(namespace, _)| namespace.as_str()));
        let mut facts = self.pods_by_token(&names)?;
        // A pod that a controller makes has its name in the answer alone, and its beginning in the request.
        let rest = format!(
            "resource = 'pods' AND namespace IN {LIST} AND (name IN {LIST} OR (name IS NULL AND verb = 'create')) \
             AND coalesce(subresource, '') IN ('', 'binding', 'status') AND verb IN ('create', 'update', 'patch') \
             AND outcome = 'allowed' ORDER BY event_time, audit_id, request_uri LIMIT 20000"
        );
        let written = self.select(BODIES, &rest, vec![namespaces, names])?;
        facts.extend(written.iter().flat_map(|request| facts_of(request, pods)));
        facts.retain(|fact| pods.contains(&(fact.namespace.clone(), fact.name.clone())));
        // The first that tells each thing.
        facts.sort_by(|left, right| (left.time, &left.audit_id).cmp(&(right.time, &right.audit_id)));
        let mut told = std::collections::BTreeSet::new();
        facts.retain(|fact| {
            let key = |what: &Option<String>| (fact.namespace.clone(), fact.name.clone(), what.clone());
            told.insert((key(&fact.service_account), key(&fact.node)))
        });
        Ok(facts)
    }

    fn binding_uses(&mut self, bindings: &[BindingName]) -> Result<Vec<BindingUse>, QueryError> {
        const SQL: &str = "SELECT effective_user(user_name, impersonated_user) AS who, count(*), \
            min(epoch_us(event_time)), to_json(arg_min(audit_id, struct_pack(t := event_time, id := audit_id), 3))::VARCHAR \
            FROM requests WHERE starts_with(decision_reason, ?) GROUP BY who ORDER BY who";
        let mut uses = Vec::new();
        for binding in bindings {
            let (kind, named) = match &binding.namespace {
                None => ("ClusterRoleBinding", binding.name.clone()),
                Some(namespace) => ("RoleBinding", format!("{}/{namespace}", binding.name)),
            };
            // Names are quoted as Go does it, which for what a name may hold is as JSON does.
            let reason = format!("RBAC: allowed by {kind} {} of ", Value::String(named));
            let (namespace, name) = (binding.namespace.clone(), binding.name.clone());
            uses.extend(self.session.rows(ACTION, SQL, vec![reason], move |row| {
                Ok(BindingUse {
                    kind: kind.to_owned(),
                    namespace: namespace.clone(),
                    name: name.clone(),
                    user: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                    requests: row.get(1)?,
                    first: row.get(2)?,
                    audit_ids: texts(row.get(3)?),
                })
            })?);
        }
        Ok(uses)
    }
}

impl CaseEvidence<'_> {
    /// Pods by the tokens that are bound to them: the server itself says so (1.22 and later).
    fn pods_by_token(&self, names: &str) -> Result<Vec<PodFact>, QueryError> {
        let sql = format!(
            "SELECT pod_name, user_name, node_name, min(epoch_us(event_time)), \
             arg_min(audit_id, struct_pack(t := event_time, id := audit_id)) FROM requests \
             WHERE pod_name IN {LIST} AND starts_with(user_name, 'system:serviceaccount:') GROUP BY ALL ORDER BY ALL"
        );
        let facts = self.session.rows(ACTION, &sql, vec![names.to_owned()], |row| {
            let user: String = row.get(1)?;
            let account = user.splitn(4, ':').collect::<Vec<_>>();
            let [_, _, namespace, account] = account.as_slice() else { return Ok(None) };
            Ok(Some(PodFact {
                namespace: (*namespace).to_owned(),
                name: row.get(0)?,
                service_account: Some((*account).to_owned()),
                node: row.get(2)?,
                time: row.get(3)?,
                audit_id: row.get(4)?,
            }))
        })?;
        Ok(facts.into_iter().flatten().collect())
    }
}

/// What a write tells about the pods that are asked for.
fn facts_of(request: &Request, pods: &[(String, String)]) -> Vec<PodFact> {
    let Some(namespace) = &request.act.namespace else { return Vec::new() };
    let fact = |name: &str, service_account: Option<&str>, node: Option<&str>| PodFact {
        namespace: namespace.clone(),
        name: name.to_owned(),
        service_account: service_account.map(str::to_owned),
        node: node.map(str::to_owned),
        audit_id: request.audit_id.clone(),
        time: request.time,
    };
    match request.act.subresource.as_deref() {
        Some("binding") => {
            let body = manifest::object(request.sent.as_deref());
            let node = body.as_ref().and_then(|body| manifest::text(body, "/target/name"));
            request.name.iter().filter(|_| node.is_some()).map(|name| fact(name, None, node)).collect()
        }
        Some(_) => {
            let node = request.user.as_deref().and_then(|user| user.strip_prefix("system:node:"));
            request.name.iter().filter(|_| node.is_some()).map(|name| fact(name, None, node)).collect()
        }
        None => {
            let Some(body) = manifest::written(request) else { return Vec::new() };
            let Some(spec) = manifest::pod_spec("pods", &body) else { return Vec::new() };
            let account = manifest::text(spec, "/serviceAccountName").unwrap_or("default");
            let node = manifest::text(spec, "/nodeName");
            let begin = manifest::text(&body, "/metadata/generateName");
            match (manifest::name_of(request, Some(&body)), begin) {
                (Some(name), _) => vec![fact(&name, Some(account), node)],
                (None, Some(begin)) => {
                    let named = pods.iter().filter(|(wanted, name)| wanted == namespace && name.starts_with(begin));
                    named.map(|(_, name)| fact(name, Some(account), None)).collect()
                }
                (None, None) => Vec::new(),
            }
        }
    }
}
