//! The replay of RBAC, held against the authorizer's own words.

use std::collections::BTreeMap;

use kforensic_trace::rbac::{Asked, Replay, Verdict, Who, World};

use super::batch::{Answer, Columns};
use super::texts;
use crate::error::QueryError;
use crate::session::Session;

const ACTION: &str = "hold the replay of RBAC against the log";

/// How long the authorizer may take to see a write, in microseconds: it learns of it by a watch.
const SETTLING_MICROS: i64 = 2_000_000;

/// How the replay does against the decisions in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Requests whose decision is what the replay says.
    pub agree: u64,
    /// Requests of which the replay does not know it.
    pub unknown: u64,
    /// Why not, with the number of requests.
    pub reasons: BTreeMap<String, u64>,
    /// Requests whose decision is another.
    pub contradicted: u64,
    /// The first of each kind of them, in words.
    pub contradictions: Vec<String>,
}

impl Session {
    /// Holds the replay against every decision in the log.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn check_rbac(&self, replay: &Replay) -> Result<Checked, QueryError> {
        // Requests that the same decision must be made about are counted: the same question of the same user while nothing
        // was written, just before neither. Else it depends on whether the authorizer had seen the write.
        let sql = format!(
            "WITH moments AS (
                 SELECT moment, lead(moment) OVER (ORDER BY moment) AS next
                 FROM (SELECT unnest(from_json(?::VARCHAR, '[\"BIGINT\"]')) AS moment)
             ), asked AS (
                 SELECT epoch_us(event_time) AS asked_at, effective_user(user_name, impersonated_user) AS who,
                     effective_groups(user_groups, impersonated_user, impersonated_groups) AS groups,
                     verb, coalesce(api_group, '') AS api_group, coalesce(resource, '') AS resource,
                     coalesce(subresource, '') AS subresource, coalesce(namespace, '') AS namespace,
                     -- A create is authorized before its body is read: the name of the object is not known then.
                     CASE WHEN verb = 'create' AND coalesce(subresource, '') = '' THEN '' ELSE coalesce(name, '') END AS name,
                     CASE WHEN resource IS NULL THEN uri_path(request_uri) END AS path, decision, audit_id
                 FROM requests WHERE decision IS NOT NULL AND user_name IS NOT NULL
             ), placed AS (
                 SELECT asked.*, now.moment AS moment, before.moment AS moment_before,
                     now.moment IS NOT DISTINCT FROM before.moment
                         AND coalesce(now.next - asked_at > {SETTLING_MICROS}, true) AS is_settled
                 FROM asked
                 ASOF LEFT JOIN moments AS now ON asked.asked_at >= now.moment
                 ASOF LEFT JOIN moments AS before ON asked.asked_at - {SETTLING_MICROS} >= before.moment
             )
             SELECT min(asked_at), who, to_json(groups)::VARCHAR, verb, api_group, resource, subresource, namespace, name,
                 path, decision, arg_min(audit_id, struct_pack(t := asked_at, id := audit_id)), count(*), is_settled
             FROM placed
             GROUP BY who, groups, verb, api_group, resource, subresource, namespace, name, path, decision, is_settled,
                 moment, moment_before
             ORDER BY 1, 12, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"
        );
        let mut moments: Vec<i64> = replay.keys().flat_map(|key| replay.moments(key).map(|(time, ..)| time)).collect();
        moments.sort_unstable();
        moments.dedup();
        let rows = self.rows(ACTION, &sql, vec![serde_json::json!(moments).to_string()], decision)?;
        let mut checked = Checked::default();
        let (mut worlds, mut before) = (Worlds::of(replay, &moments), Worlds::of(replay, &moments));
        for row in rows {
            let now = worlds.at(row.time).decide(&row.who, &row.asked);
            let verdict = match row.is_settled {
                true => now,
                false => {
                    let before = before.at(row.time - SETTLING_MICROS).decide(&row.who, &row.asked);
                    let same = std::mem::discriminant(&before) == std::mem::discriminant(&now);
                    if same { now } else { Verdict::Unknown { why: "it was changed at that moment".to_owned() } }
                }
            };
            match (verdict, row.decision.as_str()) {
                (Verdict::Allowed { .. }, "allow") | (Verdict::Denied, "forbid") => checked.agree += row.requests,
                (Verdict::Unknown { why }, _) => {
                    checked.unknown += row.requests;
                    *checked.reasons.entry(why).or_default() += row.requests;
                }
                (verdict, decision) => {
                    checked.contradicted += row.requests;
                    let (audit_id, user, asked) = (&row.audit_id, &row.who.user, &row.asked);
                    checked.contradictions.push(format!("{audit_id}: {user} {asked:?}: {decision}, not {verdict:?}"));
                }
            }
        }
        Ok(checked)
    }
}

/// Decisions of the authorizer that are alike.
struct Decision {
    /// Time of the first, in microseconds since 1970.
    time: i64,
    who: Who,
    asked: Asked,
    decision: String,
    audit_id: String,
    requests: u64,
    /// Whether nothing was written just before, or just after: a request is authorized a moment after it is received.
    is_settled: bool,
}

fn decision(row: &duckdb::Row<'_>) -> duckdb::Result<Decision> {
    let resource: String = row.get(5)?;
    let path = row.get::<_, Option<String>>(9)?;
    let asked = Asked {
        verb: row.get(3)?,
        api_group: row.get(4)?,
        subresource: row.get(6)?,
        namespace: row.get(7)?,
        name: row.get(8)?,
        path: if resource.is_empty() { path } else { None },
        resource,
    };
    let who = Who { user: row.get::<_, Option<String>>(1)?.unwrap_or_default(), groups: texts(row.get(2)?) };
    Ok(Decision {
        time: row.get(0)?,
        who,
        asked,
        decision: row.get(10)?,
        audit_id: row.get::<_, Option<String>>(11)?.unwrap_or_default(),
        requests: row.get(12)?,
        is_settled: row.get(13)?,
    })
}

/// What held at one time after the other: it only changes with a write or a snapshot.
struct Worlds<'a> {
    replay: &'a Replay,
    moments: &'a [i64],
    world: Option<(usize, World)>,
}

impl<'a> Worlds<'a> {
    fn of(replay: &'a Replay, moments: &'a [i64]) -> Self {
        Self { replay, moments, world: None }
    }

    fn at(&mut self, time: i64) -> &World {
        let epoch = self.moments.partition_point(|moment| *moment <= time);
        if self.world.as_ref().is_none_or(|(known, _)| *known != epoch) {
            self.world = None;
        }
        let replay = self.replay;
        &self.world.get_or_insert_with(|| (epoch, World::at(replay, time))).1
    }
}

impl Checked {
    /// What was found, as a table: decisions that contradict, and why others are unknown.
    pub fn table(&self) -> Answer {
        let contradictions = self.contradictions.iter().map(|what| ("contradicted", 1, what));
        let unknown = self.reasons.iter().map(|(why, requests)| ("unknown", *requests, why));
        let what = "the replay says what the authorizer said".to_owned();
        let rows: Vec<(&str, u64, &String)> =
            contradictions.chain([("agreed", self.agree, &what)]).chain(unknown).collect();
        Columns::default()
            .text("result", rows.iter().map(|(result, ..)| Some(*result)))
            .number("requests", rows.iter().map(|(_, requests, _)| Some(*requests)))
            .text("what", rows.iter().map(|(.., what)| Some(*what)))
            .finish()
    }
}
