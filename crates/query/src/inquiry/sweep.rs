//! Indicators against a case: what was found where, and what was looked for and not found.

use std::collections::BTreeMap;
use std::net::IpAddr;

use kforensic_trace::evidence::{Activity, Evidence as _};
use kforensic_trace::indicator::{Indicator, Sought};

use super::batch::{Answer, Columns};
use super::evidence::CaseEvidence;
use crate::error::QueryError;
use crate::session::Session;

const ACTION: &str = "look for the indicators";

/// The value of an activity that stands in a place.
type Field = fn(&Activity) -> Option<&String>;

/// A place that is searched: its name for people, the SQL of its values, and for which indicators.
struct Place {
    name: &'static str,
    values: &'static str,
    fits: fn(&Sought) -> bool,
    /// What activities, which are read once for all of these, have of it.
    field: Option<Field>,
}

const fn place(name: &'static str, values: &'static str, fits: fn(&Sought) -> bool, field: Option<Field>) -> Place {
    Place { name, values, fits, field }
}

/// Columns whose distinct values are few, compared with what they are compared with outside of SQL.
const PLACES: [Place; 12] = [
    place("requests.source_ip", "source_ip", is_address, Some(|one| one.address.as_ref())),
    place("requests.source_ips", "unnest(source_ips)", is_address, None),
    place("requests.user_name", "user_name", is_user, Some(|one| one.user.as_ref())),
    place("requests.impersonated_user", "impersonated_user", is_user, Some(|one| one.act.impersonated.as_ref())),
    place("requests.user_groups", "unnest(user_groups)", is_user, None),
    place("requests.user_agent", "user_agent", is_agent, Some(|one| one.agent.as_ref())),
    place("requests.credential_id", "credential_id", is_credential, Some(|one| one.credential.as_ref())),
    place("requests.issued_credential_id", "issued_credential_id", is_credential, None),
    place("requests.namespace", "namespace", is_name, Some(|one| one.act.namespace.as_ref())),
    place("requests.node_name", "node_name", is_name, None),
    place("requests.name", "name", is_object, None),
    place("requests.audit_id", "audit_id", is_audit_id, None),
];

fn is_address(sought: &Sought) -> bool {
    matches!(sought, Sought::Address(_) | Sought::Network(_))
}

fn is_user(sought: &Sought) -> bool {
    matches!(sought, Sought::User(_) | Sought::Name(_))
}

fn is_agent(sought: &Sought) -> bool {
    matches!(sought, Sought::Agent(_) | Sought::Name(_))
}

fn is_credential(sought: &Sought) -> bool {
    // The id of a token is a UUID, and reports give it without its prefix.
    matches!(sought, Sought::Credential(_) | Sought::AuditId(_))
}

fn is_name(sought: &Sought) -> bool {
    matches!(sought, Sought::Name(_))
}

fn is_object(sought: &Sought) -> bool {
    matches!(sought, Sought::Object(_) | Sought::Name(_))
}

fn is_audit_id(sought: &Sought) -> bool {
    matches!(sought, Sought::AuditId(_))
}

fn is_in_bodies(sought: &Sought) -> bool {
    matches!(sought, Sought::InBodies(_) | Sought::Hash(_) | Sought::Name(_))
}

/// Where the texts of bodies stand, and what it is called.
const BODIES: [(&str, &str); 4] = [
    ("requests.request_object", "request_object"),
    ("requests.response_object", "response_object"),
    ("requests.annotations", "annotations"),
    ("requests.request_uri", "request_uri"),
];

/// What was found of an indicator in a place.
#[derive(Debug, Clone, Copy, Default)]
struct Hits {
    requests: u64,
    first: Option<i64>,
    last: Option<i64>,
}

impl Hits {
    fn add(&mut self, requests: u64, first: Option<i64>, last: Option<i64>) {
        self.requests += requests;
        self.first = self.first.into_iter().chain(first).min();
        self.last = self.last.max(last);
    }
}

impl Session {
    /// Looks for indicators: a row for each and every place where it was found, and one for those that were not.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn sweep(&self, indicators: &[Indicator]) -> Result<Answer, QueryError> {
        let mut hits: BTreeMap<(usize, &'static str), Hits> = BTreeMap::new();
        let mut activities = None;
        for place in PLACES.iter().filter(|place| indicators.iter().any(|one| (place.fits)(&one.sought))) {
            let wanted: Vec<(usize, &Sought)> = indicators
                .iter()
                .map(|one| &one.sought)
                .enumerate()
                .filter(|(_, sought)| (place.fits)(sought))
                .collect();
            if let Some(field) = place.field {
                if activities.is_none() {
                    activities = Some(CaseEvidence { session: self }.activities()?);
                }
                for one in activities.iter().flatten() {
                    let Some(value) = field(one) else { continue };
                    for (at, _) in wanted.iter().filter(|(_, sought)| is_match(sought, place, value, None)) {
                        hits.entry((*at, place.name)).or_default().add(one.requests, Some(one.first), Some(one.last));
                    }
                }
                continue;
            }
            for (value, namespace, requests, first, last) in self.values(place, &wanted)? {
                for (at, sought) in &wanted {
                    if is_match(sought, place, &value, namespace.as_deref()) {
                        hits.entry((*at, place.name)).or_default().add(requests, first, last);
                    }
                }
            }
        }
        self.sweep_bodies(indicators, &mut hits)?;
        Ok(answer(indicators, &hits))
    }

    /// The distinct values of a place, counted. Of audit ids and names, of which there are as many as requests, only those
    /// that are sought.
    #[expect(clippy::type_complexity, reason = "a row of SQL")]
    fn values(
        &self,
        place: &Place,
        wanted: &[(usize, &Sought)],
    ) -> Result<Vec<(String, Option<String>, u64, Option<i64>, Option<i64>)>, QueryError> {
        let texts: Vec<&str> = wanted.iter().filter_map(|(_, sought)| name_in(sought)).collect();
        let is_many = matches!(place.values, "audit_id" | "name");
        let sought = "(SELECT unnest(from_json(?::VARCHAR, '[\"VARCHAR\"]')))";
        let filter =
            if is_many { format!("WHERE {} IN {sought}", place.values) } else { "WHERE ? IS NOT NULL".to_owned() };
        let namespace = if place.values == "name" { "namespace" } else { "NULL::VARCHAR" };
        let sql = format!(
            "SELECT value, place, count(*), min(epoch_us(event_time)), max(epoch_us(event_time)) FROM \
             (SELECT {} AS value, {namespace} AS place, event_time FROM requests {filter}) \
             WHERE value IS NOT NULL GROUP BY value, place ORDER BY value, place",
            place.values
        );
        self.rows(ACTION, &sql, vec![super::list(texts)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
    }

    /// Texts that can stand anywhere in a body, all of them in one reading.
    fn sweep_bodies(
        &self,
        indicators: &[Indicator],
        hits: &mut BTreeMap<(usize, &'static str), Hits>,
    ) -> Result<(), QueryError> {
        let wanted: Vec<(usize, &str)> = indicators
            .iter()
            .enumerate()
            .filter(|(_, one)| is_in_bodies(&one.sought))
            .filter_map(|(at, one)| Some((at, name_in(&one.sought)?)))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        for (name, column) in BODIES {
            let sql = format!(
                "WITH sought AS (SELECT unnest(from_json(?::VARCHAR, '[\"VARCHAR\"]')) AS value) \
                 SELECT value, count(*), min(epoch_us(event_time)), max(epoch_us(event_time)) \
                 FROM (SELECT {column} AS body, event_time FROM requests WHERE {column} IS NOT NULL) AS bodies \
                 JOIN sought ON contains(body, value) GROUP BY value ORDER BY value"
            );
            let bound = vec![super::list(wanted.iter().map(|(_, text)| *text))];
            let found = self.rows(ACTION, &sql, bound, |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?, row.get(2)?, row.get(3)?))
            })?;
            for (value, requests, first, last) in found {
                for (at, _) in wanted.iter().filter(|(_, text)| *text == value) {
                    hits.entry((*at, name)).or_default().add(requests, first, last);
                }
            }
        }
        Ok(())
    }
}

/// The text that a value must hold for an indicator to be in it.
fn name_in(sought: &Sought) -> Option<&str> {
    match sought {
        Sought::Address(_) | Sought::Network(_) => None,
        Sought::Object(text) => Some(text.rsplit('/').next().unwrap_or(text)),
        Sought::AuditId(text)
        | Sought::Credential(text)
        | Sought::User(text)
        | Sought::Agent(text)
        | Sought::InBodies(text)
        | Sought::Hash(text)
        | Sought::Name(text) => Some(text),
    }
}

fn is_match(sought: &Sought, place: &Place, value: &str, namespace: Option<&str>) -> bool {
    let address = || value.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical());
    match sought {
        Sought::Address(wanted) => address() == Some(*wanted),
        Sought::Network(wanted) => address().is_some_and(|address| wanted.contains(&address)),
        Sought::Object(text) => match text.split_once('/') {
            Some((wanted, name)) => name == value && namespace == Some(wanted),
            None => text == value,
        },
        Sought::Agent(text) => value.starts_with(text.as_str()),
        Sought::Name(text) if place.values == "user_agent" => value.starts_with(text.as_str()),
        Sought::AuditId(text) if place.values != "audit_id" => value.strip_prefix("JTI=") == Some(text),
        sought => name_in(sought) == Some(value),
    }
}

fn answer(indicators: &[Indicator], hits: &BTreeMap<(usize, &'static str), Hits>) -> Answer {
    let mut rows: Vec<(&Indicator, String, Hits)> = Vec::new();
    for (at, indicator) in indicators.iter().enumerate() {
        let found: Vec<_> = hits.range((at, "")..(at + 1, "")).collect();
        for ((_, place), found) in &found {
            rows.push((indicator, (*place).to_owned(), **found));
        }
        if found.is_empty() {
            let columns = PLACES.iter().filter(|place| (place.fits)(&indicator.sought)).map(|place| place.name);
            let bodies = BODIES.iter().filter(|_| is_in_bodies(&indicator.sought)).map(|(name, _)| *name);
            rows.push((indicator, columns.chain(bodies).collect::<Vec<_>>().join(", "), Hits::default()));
        }
    }
    let rows = || rows.iter();
    Columns::default()
        .text("indicator", rows().map(|(indicator, ..)| Some(&indicator.text)))
        .text("kind", rows().map(|(indicator, ..)| Some(indicator.sought.kind())))
        .number("hits", rows().map(|(.., hits)| Some(hits.requests)))
        .time("first_seen", rows().map(|(.., hits)| hits.first))
        .time("last_seen", rows().map(|(.., hits)| hits.last))
        .text("searched", rows().map(|(_, place, _)| Some(place)))
        .finish()
}
