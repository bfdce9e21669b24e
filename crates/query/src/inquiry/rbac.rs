//! Who could do what at a time, on a case.

use std::collections::BTreeMap;

use kforensic_event::time;
use kforensic_trace::evidence::Request;
use kforensic_trace::rbac::{Asked, Change, Holder, Known, Power, Reach, Replay, Snapshot, Who, World, changes};

use super::batch::{Answer, Columns};
use super::evidence::CaseEvidence;
use super::list;
use crate::error::QueryError;
use crate::session::Session;

/// Both bodies; what OpenShift serves as RBAC's own.
const BODIES_OF_RBAC: &str = "as_rbac(api_group, request_object), as_rbac(api_group, response_object)";

const ACTION: &str = "replay RBAC";

/// What somebody was allowed, by the authorizer's own words.
#[derive(Debug, Clone)]
struct Words {
    user: String,
    reason: String,
    requests: u64,
    first: i64,
    audit_id: String,
}

impl Session {
    /// Replays the writes of the case over its snapshots.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn rbac(&self, snapshots: &[Snapshot]) -> Result<Replay, QueryError> {
        Ok(Replay::of(&self.rbac_writes()?, snapshots))
    }

    fn rbac_writes(&self) -> Result<Vec<Request>, QueryError> {
        const REST: &str = "(is_rbac(api_group, resource) OR resource = 'serviceaccounts') \
             AND resource IN ('clusterroles', 'clusterrolebindings', 'roles', 'rolebindings', 'serviceaccounts') \
             AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') \
             AND coalesce(subresource, '') = '' AND outcome = 'allowed' \
             ORDER BY event_time, audit_id, request_uri";
        CaseEvidence { session: self }.select(BODIES_OF_RBAC, REST, Vec::new())
    }

    /// Who could do something at a time: by the replay, and by the authorizer's own words until then.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn who_can(&self, replay: &Replay, asked: &Asked, at: i64) -> Result<(Answer, Vec<String>), QueryError> {
        let world = World::at(replay, at);
        let words = self.words(asked, at)?;
        Ok((holders(&world.who_can(asked), &words), world.unknown()))
    }

    /// Who was allowed exactly this, as the log has it.
    fn words(&self, asked: &Asked, at: i64) -> Result<Vec<Words>, QueryError> {
        let sql = format!(
            "SELECT effective_user(user_name, impersonated_user) AS who, decision_reason, count(*), \
             min(epoch_us(event_time)), arg_min(audit_id, struct_pack(t := event_time, id := audit_id)) FROM requests \
             WHERE decision = 'allow' AND verb = ? AND coalesce(resource, '') = ? AND coalesce(subresource, '') = ? \
             AND coalesce(api_group, '') = ? AND (? = '' OR coalesce(namespace, '') IN ('', ?)) \
             AND (? = '' OR name = ?) AND (? = '' OR split_part(request_uri, '?', 1) = ?) \
             AND epoch_us(event_time) <= {at} AND user_name IS NOT NULL GROUP BY who, decision_reason ORDER BY ALL"
        );
        let path = asked.path.clone().unwrap_or_default();
        let bound = [
            &asked.verb,
            &asked.resource,
            &asked.subresource,
            &asked.api_group,
            &asked.namespace,
            &asked.namespace,
            &asked.name,
            &asked.name,
            &path,
            &path,
        ];
        self.rows(ACTION, &sql, bound.into_iter().cloned().collect(), |row| {
            Ok(Words {
                user: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                reason: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                requests: row.get(2)?,
                first: row.get(3)?,
                audit_id: row.get(4)?,
            })
        })
    }

    /// What a user could do at a time. Groups are those that the log gives the user, when none are given.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn can(
        &self,
        replay: &Replay,
        user: &str,
        groups: &[String],
        at: i64,
    ) -> Result<(Answer, Vec<String>), QueryError> {
        let mut groups = groups.to_vec();
        if groups.is_empty() {
            let sql = "SELECT DISTINCT unnest(user_groups) AS name FROM events WHERE user_name = ? ORDER BY name";
            groups = self
                .rows(ACTION, sql, vec![user.to_owned()], |row| row.get::<_, Option<String>>(0))?
                .into_iter()
                .flatten()
                .collect();
        }
        let world = World::at(replay, at);
        let who = Who::named(user, &groups);
        let mut unknown = world.unknown();
        unknown.insert(0, format!("rights of `{user}` with the groups {}", who.groups.join(", ")));
        Ok((powers(&world.can(&who), who.groups.iter().any(|group| group == "system:masters")), unknown))
    }

    /// What users could do at a time, each with the groups that the log gives it, without what everybody may do.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn rights_of(&self, replay: &Replay, users: &[String], at: i64) -> Result<(Answer, Vec<String>), QueryError> {
        let groups = self.groups_of(users)?;
        let world = World::at(replay, at);
        let mut rows: Vec<(&String, Option<Power>)> = Vec::new();
        for user in users {
            let who = Who::named(user, groups.get(user).map_or(&[][..], Vec::as_slice));
            if who.groups.iter().any(|group| group == MASTERS) {
                rows.push((user, None));
                continue;
            }
            let everybody = |power: &Power| {
                power.subject.kind == "Group"
                    && matches!(power.subject.name.as_str(), "system:authenticated" | "system:unauthenticated")
            };
            rows.extend(world.can(&who).into_iter().filter(|power| !everybody(power)).map(|power| (user, Some(power))));
        }
        let rows = || rows.iter();
        let powers = || rows().map(|(_, power)| power.as_ref());
        let answer = Columns::default()
            .text("identity", rows().map(|(user, _)| Some(user)))
            .text("rule", powers().map(|power| Some(power.map_or_else(|| MASTERS_LINE.to_owned(), |p| p.rule.text()))))
            .text(
                "scope",
                powers().map(|power| power.map(|p| p.namespace.clone().unwrap_or_else(|| "cluster".to_owned()))),
            )
            .text("binding", powers().map(|power| power.map(|power| &power.binding)))
            .text("role", powers().map(|power| power.map(|power| &power.role)))
            .text("subject", powers().map(|power| power.map(|power| power.subject.to_string())))
            .text("known_by", powers().map(|power| power.map(|power| power.binding_known.text(&shown))))
            .finish();
        Ok((answer, world.unknown()))
    }

    /// The groups that the log gives users.
    fn groups_of(&self, users: &[String]) -> Result<BTreeMap<String, Vec<String>>, QueryError> {
        const SQL: &str = "SELECT user_name, list_sort(list_distinct(flatten(list(user_groups)))) FROM \
             (SELECT DISTINCT user_name, user_groups FROM events \
              WHERE user_name IN (SELECT unnest(from_json(?::VARCHAR, '[\"VARCHAR\"]')))) GROUP BY user_name";
        let sql = format!("SELECT user_name, to_json(groups)::VARCHAR FROM ({SQL}) AS known(user_name, groups)");
        let bound = vec![list(users.iter().map(String::as_str))];
        let found = self.rows(ACTION, &sql, bound, |row| Ok((row.get::<_, String>(0)?, super::texts(row.get(1)?))))?;
        Ok(found.into_iter().collect())
    }

    /// Later writes to things with these names, by time.
    pub(super) fn writes_to(&self, names: &[String]) -> Result<Vec<Request>, QueryError> {
        const REST: &str = "name IN (SELECT unnest(from_json(?::VARCHAR, '[\"VARCHAR\"]'))) \
             AND verb IN ('create', 'update', 'patch', 'delete') AND outcome = 'allowed' AND coalesce(subresource, '') = '' \
             AND resource NOT IN ('leases', 'endpoints', 'endpointslices', 'events') \
             ORDER BY event_time, audit_id, request_uri";
        let bodies = "CASE WHEN verb = 'delete' OR resource = 'secrets' THEN request_object END, NULL::VARCHAR";
        CaseEvidence { session: self }.select(bodies, REST, vec![list(names.iter().map(String::as_str))])
    }
}

/// Time for people.
fn shown(micros: i64) -> String {
    time::render(micros)
}

fn holders(all: &[Holder], words: &[Words]) -> Answer {
    struct Line {
        subject: String,
        how: String,
        steps: u64,
        scope: Option<String>,
        binding: Option<String>,
        role: Option<String>,
        rule: Option<String>,
        known_by: String,
        audit_id: Option<String>,
    }
    let mut lines: Vec<Line> = all
        .iter()
        .map(|holder| {
            let power = holder.power.as_ref();
            let how = match &holder.reach {
                Reach::Directly => "directly".to_owned(),
                Reach::As { how, whom } => format!("{how} {whom}"),
                Reach::ByRaising { how } => (*how).to_owned(),
            };
            Line {
                subject: holder.subject.to_string(),
                how,
                steps: holder.steps as u64,
                scope: power.map(|power| power.namespace.clone().unwrap_or_else(|| "cluster".to_owned())),
                binding: power.map(|power| power.binding.clone()),
                role: power.map(|power| power.role.clone()),
                rule: power.map(|power| power.rule.text()),
                known_by: power.map_or_else(|| Known::Server.text(&shown), |power| power.binding_known.text(&shown)),
                audit_id: power.and_then(|power| power.binding_known.audit_id().map(str::to_owned)),
            }
        })
        .collect();
    lines.extend(words.iter().map(|word| Line {
        subject: format!("User/{}", word.user),
        how: "was allowed".to_owned(),
        steps: 0,
        scope: None,
        binding: None,
        role: None,
        rule: Some(word.reason.clone()).filter(|reason| !reason.is_empty()),
        known_by: format!("the authorizer's own words, {} times from {} on", word.requests, shown(word.first)),
        audit_id: Some(word.audit_id.clone()),
    }));
    let lines = || lines.iter();
    Columns::default()
        .text("subject", lines().map(|line| Some(&line.subject)))
        .text("how", lines().map(|line| Some(&line.how)))
        .number("steps", lines().map(|line| Some(line.steps)))
        .text("scope", lines().map(|line| line.scope.as_ref()))
        .text("binding", lines().map(|line| line.binding.as_ref()))
        .text("role", lines().map(|line| line.role.as_ref()))
        .text("rule", lines().map(|line| line.rule.as_ref()))
        .text("known_by", lines().map(|line| Some(&line.known_by)))
        .text("audit_id", lines().map(|line| line.audit_id.as_ref()))
        .finish()
}

/// The group that every authorizer lets through.
const MASTERS: &str = "system:masters";

const MASTERS_LINE: &str = "everything: the group system:masters is let through by the server";

fn powers(all: &[Power], is_master: bool) -> Answer {
    let masters = is_master.then_some(MASTERS_LINE);
    let count = usize::from(is_master);
    let none = || std::iter::repeat_n(None::<String>, count);
    let rows = || all.iter();
    Columns::default()
        .text(
            "rule",
            masters.into_iter().map(|text| Some(text.to_owned())).chain(rows().map(|power| Some(power.rule.text()))),
        )
        .text(
            "scope",
            none().chain(rows().map(|power| Some(power.namespace.clone().unwrap_or_else(|| "cluster".to_owned())))),
        )
        .text("binding", none().chain(rows().map(|power| Some(power.binding.clone()))))
        .text("role", none().chain(rows().map(|power| Some(power.role.clone()))))
        .text("subject", none().chain(rows().map(|power| Some(power.subject.to_string()))))
        .text("binding_known_by", none().chain(rows().map(|power| Some(power.binding_known.text(&shown)))))
        .text("role_known_by", none().chain(rows().map(|power| Some(power.role_known.text(&shown)))))
        .text("audit_id", none().chain(rows().map(|power| power.binding_known.audit_id().map(str::to_owned))))
        .finish()
}

/// What held at a time, a line for each right that a binding gives to somebody.
pub fn rbac_at(replay: &Replay, at: i64) -> (Answer, Vec<String>) {
    let world = World::at(replay, at);
    let mut all = world.all_powers();
    all.sort_by(|left, right| {
        let key = |power: &Power| (power.binding.clone(), power.subject.clone(), power.rule.clone());
        key(left).cmp(&key(right))
    });
    (powers(&all, false), world.unknown())
}

/// What changed between two times.
pub fn rbac_diff(replay: &Replay, from: i64, to: i64) -> (Answer, Vec<Change>) {
    let found = changes(replay, from, to);
    (rbac_changes(&found), found)
}

/// Changes as a table.
pub fn rbac_changes(found: &[Change]) -> Answer {
    let rows = || found.iter();
    Columns::default()
        .time("event_time", rows().map(|change| change.time))
        .text("change", rows().map(|change| Some(change.how.name())))
        .text("resource", rows().map(|change| Some(change.key.kind.resource())))
        .text(
            "namespace",
            rows().map(|change| Some(change.key.namespace.as_str()).filter(|namespace| !namespace.is_empty())),
        )
        .text("name", rows().map(|change| Some(&change.key.name)))
        .texts("lines", rows().map(|change| &change.lines))
        .text("known_by", rows().map(|change| Some(change.known.text(&shown))))
        .text("audit_id", rows().map(|change| change.known.audit_id()))
        .finish()
}
