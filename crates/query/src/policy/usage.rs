//! A policy held against a case: which rule wrote what, what it costs, and what it does not explain.

use std::collections::BTreeMap;

use super::{Attributes, Object, Policy};
use crate::catalogue::{Level, Stage};
use crate::error::QueryError;
use crate::session::Session;

/// What requests of a kind, by somebody, left in the case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traffic {
    /// Who; `None` when authentication failed.
    pub user: Option<String>,
    /// The verb.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// `pods/log`; `None` when it is not about a resource.
    pub object: Option<String>,
    /// The path, of what is not about a resource.
    pub path: String,
}

/// Events and the bytes of their records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Volume {
    /// Events.
    pub events: u64,
    /// Bytes of the log.
    pub bytes: u64,
}

impl Volume {
    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
    }
}

/// Events that the policy would not have written as they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The rule that decides, counted from 1; `None` when none matches.
    pub rule: Option<usize>,
    /// The level that it asks for.
    pub predicted: Level,
    /// The level in the log; empty when it does not say.
    pub logged: String,
    /// A stage that the policy leaves out, when that is what differs.
    pub stage: Option<String>,
    /// Verb and object, for people.
    pub what: String,
}

/// What a policy has to do with a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// What each rule wrote, by its number counted from 1; under 0 what none matches.
    pub rules: BTreeMap<usize, Volume>,
    /// What takes most of the log, by rule.
    pub noise: Vec<(usize, Traffic, Volume)>,
    /// What the policy does not explain, with the number of events.
    pub differences: BTreeMap<Difference, u64>,
    /// Events and bytes of the case.
    pub total: Volume,
}

/// A row of the case that counts for several events.
struct Counted {
    user: Option<String>,
    groups: Vec<String>,
    verb: String,
    group: String,
    resource: Option<String>,
    subresource: String,
    namespace: String,
    name: String,
    path: String,
    level: String,
    stage: String,
    volume: Volume,
}

impl Session {
    /// Evaluates the policy for every event that the session sees.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn policy_usage(&self, policy: &Policy) -> Result<Usage, QueryError> {
        let mut usage = Usage::default();
        let mut noise: BTreeMap<(usize, Traffic), Volume> = BTreeMap::new();
        for row in self.collect(&sql(policy), counted)? {
            let groups = row.groups.iter().map(String::as_str).collect();
            let resource = row.resource.as_ref().map(|resource| Object {
                group: &row.group,
                resource,
                subresource: &row.subresource,
                namespace: &row.namespace,
                name: &row.name,
            });
            let request = Attributes { user: row.user.as_deref(), groups, verb: &row.verb, resource, path: &row.path };
            let recorded = policy.evaluate(&request);
            let number = recorded.rule.map_or(0, |at| at + 1);
            usage.rules.entry(number).or_default().add(row.volume);
            usage.total.add(row.volume);
            let object = row.resource.as_ref().map(|resource| match row.subresource.as_str() {
                "" => resource.clone(),
                subresource => format!("{resource}/{subresource}"),
            });
            let omitted = Stage::of_name(&row.stage).filter(|stage| recorded.omit_stages.contains(stage));
            if row.level != recorded.level.name() || omitted.is_some() {
                let difference = Difference {
                    rule: recorded.rule.map(|at| at + 1),
                    predicted: recorded.level,
                    logged: row.level.clone(),
                    stage: omitted.map(|stage| stage.name().to_owned()),
                    what: format!("{} {}", row.verb, object.as_deref().unwrap_or(&row.path)),
                };
                *usage.differences.entry(difference).or_default() += row.volume.events;
            }
            let path = if object.is_some() { String::new() } else { row.path };
            let traffic = Traffic { user: row.user, verb: row.verb, group: row.group, object, path };
            noise.entry((number, traffic)).or_default().add(row.volume);
        }
        usage.noise = noise.into_iter().map(|((rule, traffic), volume)| (rule, traffic, volume)).collect();
        usage.noise.sort_by(|left, right| (right.2.bytes, &left.1).cmp(&(left.2.bytes, &right.1)));
        Ok(usage)
    }
}

/// The events by all that the policy looks at, and no more: names make as many groups as there are requests.
///
/// The server evaluates a policy before it reads a body. A `create` has no name then; the event gets it from the body.
fn sql(policy: &Policy) -> String {
    let names = policy.rules.iter().any(|rule| rule.resources.iter().any(|group| !group.resource_names.is_empty()));
    let namespaces = policy.rules.iter().any(|rule| !rule.namespaces.is_empty());
    let groups = policy.rules.iter().any(|rule| !rule.user_groups.is_empty());
    let only = |is_needed: bool, sql: &str| if is_needed { sql.to_owned() } else { "''".to_owned() };
    format!(
        "SELECT user_name, {} AS groups, coalesce(verb, ''), coalesce(api_group, ''), resource, \
         coalesce(subresource, ''), {} AS namespace, {} AS name, \
         CASE WHEN resource IS NULL THEN coalesce(split_part(request_uri, '?', 1), '') ELSE '' END AS path, \
         coalesce(level, ''), coalesce(stage, ''), count(*)::UBIGINT, coalesce(sum(byte_length), 0)::UBIGINT \
         FROM events GROUP BY ALL",
        only(groups, "array_to_string(user_groups, chr(10))"),
        only(namespaces, "coalesce(namespace, '')"),
        only(names, "CASE WHEN verb = 'create' AND subresource IS NULL THEN '' ELSE coalesce(name, '') END"),
    )
}

fn counted(row: &duckdb::Row<'_>) -> duckdb::Result<Counted> {
    // No group has a line end in its name: certificates and tokens cannot hold one that a policy could name.
    let groups: Option<String> = row.get(1)?;
    let groups = groups.unwrap_or_default().split('\n').filter(|group| !group.is_empty()).map(str::to_owned).collect();
    Ok(Counted {
        user: row.get(0)?,
        groups,
        verb: row.get(2)?,
        group: row.get(3)?,
        resource: row.get(4)?,
        subresource: row.get(5)?,
        namespace: row.get(6)?,
        name: row.get(7)?,
        path: row.get(8)?,
        level: row.get(9)?,
        stage: row.get(10)?,
        volume: Volume { events: row.get(11)?, bytes: row.get(12)? },
    })
}

impl Traffic {
    /// A rule that drops it, as YAML; to stand before the rule that writes it.
    pub fn rule(&self) -> String {
        // Names come from the log: they are quoted as JSON, which is YAML too.
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let mut rule = "- level: None\n".to_owned();
        if let Some(user) = &self.user {
            rule.push_str(&format!("  users: [{}]\n", text(user)));
        }
        rule.push_str(&format!("  verbs: [{}]\n", text(&self.verb)));
        match &self.object {
            Some(object) => rule.push_str(&format!(
                "  resources:\n  - group: {}\n    resources: [{}]\n",
                text(&self.group),
                text(object)
            )),
            None => rule.push_str(&format!("  nonResourceURLs: [{}]\n", text(&self.path))),
        }
        rule
    }
}
