//! Whether an answer could have been seen: what a query needs, held against what the case holds.
//!
//! An audit log never says what it leaves out. What was logged at other times, of other verbs or about other resources
//! tells most of it; where it does not, the verdict is the careful one: nothing is called absent that may not be logged.

use std::collections::{BTreeMap, BTreeSet};

use kforensic_lake::seen::RequestKind;

use crate::catalogue::Parameters;
use crate::catalogue::{CannedQuery, Level, Need, Value};
use crate::coverage::observed::{Observed, Pause, hours_in};
use crate::coverage::traffic::{Judge, Traffic};
use crate::coverage::unseen::Unseen;
use crate::coverage::words::{NAMED_AT_MOST, few, instant, told_pauses, too_low};
use crate::resources::name_of;
use crate::window::Window;

/// A pause that is told, in microseconds.
pub(crate) const PAUSE: i64 = 15 * 60 * 1_000_000;

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// What it is about was logged as it needs to be.
    Seen,
    /// Part of it was.
    Partly,
    /// It is about what was never logged, or never at the level it needs.
    NotObservable,
    /// It would have been logged, and nobody did such a thing.
    NoSuchTraffic,
    /// The query says in words alone what it needs.
    Untold,
}

impl Finding {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen at the level needed",
            Self::Partly => "partly seen",
            Self::NotObservable => "not observable",
            Self::NoSuchTraffic => "no such traffic",
            Self::Untold => "not known",
        }
    }

    /// For programs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Partly => "partly",
            Self::NotObservable => "not_observable",
            Self::NoSuchTraffic => "no_such_traffic",
            Self::Untold => "unknown",
        }
    }
}

/// A verdict with its reasons, in sentences without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What the answer is worth.
    pub finding: Finding,
    /// Why it is not more, and what is known of it.
    pub because: Vec<String>,
    /// The pauses of hosts in its window.
    pub pauses: Vec<Pause>,
}

impl Verdict {
    /// The verdict on an answer that is about what the log has nothing of.
    pub fn without(mut self, unseen: &[Unseen]) -> Self {
        for unseen in unseen {
            if unseen.lessens && matches!(self.finding, Finding::Seen | Finding::NoSuchTraffic) {
                self.finding = Finding::Partly;
            }
            self.because.push(unseen.words.clone());
        }
        self
    }

    /// The verdict on an answer with so many rows: what has rows was seen, if only in part.
    pub fn with_rows(mut self, rows: u64) -> Self {
        self.finding = match self.finding {
            Finding::NotObservable if rows > 0 => Finding::Partly,
            Finding::NoSuchTraffic if rows > 0 => Finding::Seen,
            finding => finding,
        };
        self
    }
}

/// The part of a case that an answer is about.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Times.
    pub window: Window,
    /// Only this resource.
    pub resource: Option<String>,
    /// Only this verb.
    pub verb: Option<String>,
    /// Only logs of this host.
    pub host: Option<String>,
    /// Only logs of this cluster.
    pub cluster: Option<String>,
}

impl Scope {
    /// That of a query with these values.
    pub fn of(parameters: &Parameters) -> Self {
        let text = |name: &str| match parameters.get(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let time = |name: &str| match parameters.get(name) {
            Some(Value::Time(micros)) => Some(*micros),
            _ => None,
        };
        Self {
            window: Window { since: time("since"), until: time("until") },
            // What nobody's log calls so is doubted; what it is worth is asked of what is meant.
            resource: text("resource").map(|word| name_of(&word).to_owned()),
            verb: text("verb"),
            host: text("host"),
            cluster: text("cluster"),
        }
    }

    /// Whether requests of that kind are in it, whenever they were sent.
    pub(super) fn has(&self, kind: &RequestKind) -> bool {
        self.is_of(&kind.host, &kind.cluster)
    }

    /// Whether the log of a host is in it.
    pub(super) fn is_of(&self, host: &str, cluster: &str) -> bool {
        self.host.as_ref().is_none_or(|only| only == host) && self.cluster.as_ref().is_none_or(|only| only == cluster)
    }
}

/// Holds the needs of `query` against what a case holds.
pub fn judge(query: &CannedQuery, observed: &Observed, scope: &Scope) -> Verdict {
    let mut verdict = Verdict { finding: Finding::Untold, because: Vec::new(), pauses: Vec::new() };
    if observed.kinds.is_empty() {
        verdict.finding = Finding::NotObservable;
        verdict.because.push("the case holds no events".to_owned());
        return verdict;
    }
    if query.needs.is_empty() {
        verdict.because.push("the query says in words alone what it needs".to_owned());
        return verdict;
    }
    if let Some(nothing) = nothing_in(observed, scope) {
        verdict.finding = Finding::NotObservable;
        verdict.because.push(nothing);
        return verdict;
    }
    let judge = Judge { observed, scope, reads: query.resources.as_deref().unwrap_or_default() };
    let counting = query.needs.iter().filter(|need| !need.only_where_used || observed.holds(need));
    let (rows, extras): (Vec<&Need>, Vec<&Need>) = counting.partition(|need| need.tells.is_none());
    let is_of_several = rows.iter().any(|need| need.only_where_used);
    // Of what counts only where it is used, nothing is missed that nobody used.
    let counts = |need: &Need, traffic: &Traffic| {
        !need.only_where_used || matches!(traffic, Traffic::Logged { .. } | Traffic::TooLow(_))
    };
    let traffic = |need: &Need| judge.traffic(need).into_iter().filter(|(_, traffic)| counts(need, traffic)).collect();
    let of_rows: Vec<(&Need, Vec<(String, Traffic)>)> = rows.iter().map(|need| (*need, traffic(need))).collect();
    let all = of_rows.iter().flat_map(|(_, traffic)| traffic);
    verdict.finding = combined(all.map(|(_, traffic)| traffic));
    for (need, traffic) in &of_rows {
        let group = need.group.as_ref().filter(|_| is_of_several);
        let of_group = group.map(|group| format!(" of the API group `{group}`")).unwrap_or_default();
        verdict.because.extend(reasons(need, traffic, verdict.finding).into_iter().map(|reason| reason + &of_group));
    }
    let mut lessens = Vec::new();
    if matches!(verdict.finding, Finding::Seen | Finding::Partly | Finding::NoSuchTraffic) {
        lessens.extend(rows.iter().flat_map(|need| judge.stages(need)));
        lessens.extend(judge.silent_hosts(&rows));
        lessens.extend(judge.beyond_the_log());
        verdict.pauses = observed.pauses(scope.window, PAUSE);
        verdict.pauses.retain(|pause| scope.is_of(&pause.host.0, &pause.host.1));
        lessens.extend(told_pauses(&verdict.pauses));
    }
    if matches!(verdict.finding, Finding::Seen | Finding::Partly) {
        lessens.extend(extras.iter().filter_map(|need| judge.untold(need)));
        lessens.extend(judge.silent_resources(&rows));
    }
    if !lessens.is_empty() && matches!(verdict.finding, Finding::Seen | Finding::NoSuchTraffic) {
        verdict.finding = Finding::Partly;
    }
    lessens.dedup();
    verdict.because.extend(lessens);
    verdict
}

/// That the case holds nothing at all of this part, if so.
fn nothing_in(observed: &Observed, scope: &Scope) -> Option<String> {
    let in_scope = || observed.kinds.iter().filter(|(kind, _)| scope.has(kind));
    if in_scope().next().is_none() {
        let labels = [("host", &scope.host), ("cluster", &scope.cluster)];
        let labels: Vec<String> =
            labels.iter().filter_map(|(what, name)| Some(format!("{what} `{}`", name.as_ref()?))).collect();
        return Some(format!("the case holds no log of {}", labels.join(" and ")));
    }
    let in_window = |(_, days): (_, &BTreeMap<i32, _>)| {
        days.iter().any(|(day, tally)| hours_in(*day, tally, scope.window).next().is_some())
    };
    if in_scope().any(in_window) {
        return None;
    }
    let (first, last) = observed.times?;
    Some(format!("the case holds no events of this window: they are from {} to {} UTC", instant(first), instant(last)))
}

fn combined<'a>(traffic: impl Iterator<Item = &'a Traffic>) -> Finding {
    let (mut seen, mut lacking, mut absent) = (false, false, false);
    for traffic in traffic {
        match traffic {
            Traffic::Logged { lesser, .. } => {
                seen = true;
                lacking |= !lesser.is_empty();
            }
            Traffic::TooLow(_) | Traffic::Unlogged(_) => lacking = true,
            Traffic::Absent(_) => absent = true,
        }
    }
    match (seen, lacking, absent) {
        (true, false, _) => Finding::Seen,
        (true, true, _) | (false, true, true) => Finding::Partly,
        (false, true, false) => Finding::NotObservable,
        (false, false, _) => Finding::NoSuchTraffic,
    }
}

/// Why the rows of a need are not all there.
fn reasons(need: &Need, traffic: &[(String, Traffic)], finding: Finding) -> Vec<String> {
    let mut reasons = Vec::new();
    let none = BTreeSet::new();
    let mut low: BTreeMap<(&BTreeSet<Level>, &BTreeSet<i64>), Vec<&str>> = BTreeMap::new();
    for (object, traffic) in traffic {
        let (levels, hours) = match traffic {
            Traffic::TooLow(levels) => (levels, &none),
            Traffic::Logged { lesser, hours } if !lesser.is_empty() => (lesser, hours),
            _ => continue,
        };
        low.entry((levels, hours)).or_default().push(object);
    }
    reasons.extend(low.iter().map(|((levels, hours), objects)| too_low(objects, levels, hours, need.level)));
    let unlogged: Vec<&String> = traffic
        .iter()
        .filter_map(|(object, traffic)| match traffic {
            Traffic::Unlogged(reason) if reason.ends_with("never logged in this case") => Some(object),
            _ => None,
        })
        .collect();
    if !unlogged.is_empty() {
        reasons
            .push(format!("never logged in this case: {}", few(unlogged.iter().map(|object| format!("`{object}`")))));
    }
    let mut others: Vec<&String> = traffic
        .iter()
        .filter_map(|(object, traffic)| match traffic {
            Traffic::Unlogged(reason) if !unlogged.contains(&object) => Some(reason),
            Traffic::Absent(reason) if finding != Finding::Seen => Some(reason),
            _ => None,
        })
        .collect();
    others.dedup();
    let more = others.len().saturating_sub(NAMED_AT_MOST);
    reasons.extend(others.into_iter().take(NAMED_AT_MOST).cloned());
    if more > 0 {
        reasons.push(format!("and so on for {more} more"));
    }
    reasons
}

#[cfg(test)]
mod tests;
