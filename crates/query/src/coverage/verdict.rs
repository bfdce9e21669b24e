//! Whether an answer could have been seen: what a query needs, held against what the case holds.
//!
//! An audit log never says what it leaves out. What was logged at other times, of other verbs or about other resources
//! tells most of it; where it does not, the verdict is the careful one: nothing is called absent that may not be logged.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{CannedQuery, Level, Need, Stage, Value};
use crate::coverage::observed::{HOUR, Observed, Pause, hours_in, level_of};
use crate::parameters::Parameters;
use crate::policy::group_of;
use crate::window::Window;
use kforensic_event::time;
use kforensic_lake::seen::{RequestKind, stage_bit};

/// Resources that the control plane of every cluster lists and watches all the time: when a log of it has nothing about
/// one of them, its policy leaves it out. From the informers of kube-controller-manager and kube-apiserver (1.20 to 1.36).
pub(crate) const ALWAYS_USED: [&str; 26] = [
    "certificatesigningrequests",
    "clusterrolebindings",
    "clusterroles",
    "configmaps",
    "cronjobs",
    "daemonsets",
    "deployments",
    "endpointslices",
    "jobs",
    "limitranges",
    "mutatingwebhookconfigurations",
    "namespaces",
    "networkpolicies",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "poddisruptionbudgets",
    "pods",
    "replicasets",
    "resourcequotas",
    "rolebindings",
    "roles",
    "secrets",
    "serviceaccounts",
    "services",
    "statefulsets",
];

/// Resources that an account of everything must not lack.
const TELLING: [&str; 8] = [
    "clusterrolebindings",
    "clusterroles",
    "configmaps",
    "pods",
    "rolebindings",
    "roles",
    "secrets",
    "serviceaccounts",
];

/// A pause that is told, in microseconds.
pub(crate) const PAUSE: i64 = 15 * 60 * 1_000_000;

/// Things of one kind that are named one by one; of more, their number is told.
const NAMED_AT_MOST: usize = 6;

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
            resource: text("resource"),
            verb: text("verb"),
            host: text("host"),
            cluster: text("cluster"),
        }
    }

    fn has(&self, kind: &RequestKind) -> bool {
        self.host.as_ref().is_none_or(|host| *host == kind.host)
            && self.cluster.as_ref().is_none_or(|cluster| *cluster == kind.cluster)
    }
}

/// How far requests of one kind are in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Traffic {
    /// At the level that is needed, but for these hours, where only these lesser levels were logged.
    Logged { lesser: BTreeSet<Level>, hours: BTreeSet<i64> },
    /// Only at these levels, which are too low.
    TooLow(BTreeSet<Level>),
    /// Not here, but it would be: for this reason.
    Absent(String),
    /// Nothing says that it would be.
    Unlogged(String),
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
    let judge = Judge { observed, scope };
    let (rows, extras): (Vec<&Need>, Vec<&Need>) = query.needs.iter().partition(|need| need.tells.is_none());
    let of_rows: Vec<(&Need, Vec<(String, Traffic)>)> = rows.iter().map(|need| (*need, judge.traffic(need))).collect();
    let all = of_rows.iter().flat_map(|(_, traffic)| traffic);
    verdict.finding = combined(all.map(|(_, traffic)| traffic));
    for (need, traffic) in &of_rows {
        verdict.because.extend(reasons(need, traffic, verdict.finding));
    }
    let mut lessens = Vec::new();
    if matches!(verdict.finding, Finding::Seen | Finding::Partly | Finding::NoSuchTraffic) {
        lessens.extend(rows.iter().flat_map(|need| judge.stages(need)));
        lessens.extend(judge.silent_hosts(&rows));
        lessens.extend(judge.beyond_the_log());
        verdict.pauses = observed.pauses(scope.window, PAUSE);
        verdict.pauses.retain(|pause| {
            scope.host.as_ref().is_none_or(|host| *host == pause.host.0)
                && scope.cluster.as_ref().is_none_or(|cluster| *cluster == pause.host.1)
        });
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

struct Judge<'a> {
    observed: &'a Observed,
    scope: &'a Scope,
}

impl Judge<'_> {
    /// How far the requests of a need are in the log, for each of its resources; under `` for every request.
    fn traffic(&self, need: &Need) -> Vec<(String, Traffic)> {
        let wanted = |object: &String| {
            let resource = object.split('/').next().unwrap_or_default();
            self.scope.resource.as_ref().is_none_or(|only| only == resource)
        };
        if need.resource.is_empty() {
            let object = self.scope.resource.clone().unwrap_or_default();
            let about = |kind: &RequestKind| object.is_empty() || kind.resource.as_ref() == Some(&object);
            return vec![(object.clone(), self.traffic_of(need, &object, about))];
        }
        let objects = need.objects().into_iter().filter(wanted);
        let of = |object: String| {
            let about = |kind: &RequestKind| is_object(kind, &object) && need_fits(need, kind);
            let traffic = self.traffic_of(need, &object, about);
            (object, traffic)
        };
        let found: Vec<_> = objects.map(of).collect();
        match (found.is_empty(), &self.scope.resource) {
            (true, Some(only)) => {
                vec![(String::new(), Traffic::Absent(format!("the query is not about `{only}`")))]
            }
            _ => found,
        }
    }

    fn traffic_of(&self, need: &Need, object: &str, about: impl Fn(&RequestKind) -> bool) -> Traffic {
        let verbs = |kind: &RequestKind| {
            need.is_about_verb(&kind.verb) && self.scope.verb.as_ref().is_none_or(|only| *only == kind.verb)
        };
        let all = || self.observed.kinds.iter().filter(|(kind, _)| self.scope.has(kind) && about(kind));
        let mut levels = BTreeSet::new();
        let (mut lesser, mut hours, mut enough) = (BTreeSet::new(), BTreeSet::new(), false);
        for (kind, days) in all().filter(|(kind, _)| verbs(kind)) {
            // Where a log does not say the level, its bodies cannot be relied on.
            let level = level_of(kind).unwrap_or(Level::Metadata);
            let touched = days.iter().flat_map(|(day, tally)| hours_in(*day, tally, self.scope.window));
            let touched: Vec<i64> = touched.collect();
            if touched.is_empty() {
                levels.insert((false, level));
                continue;
            }
            levels.insert((true, level));
            if level >= need.level {
                enough = true;
            } else {
                lesser.insert(level);
                hours.extend(touched);
            }
        }
        if enough {
            return Traffic::Logged { lesser, hours };
        }
        if !lesser.is_empty() {
            return Traffic::TooLow(lesser);
        }
        if levels.iter().any(|(_, level)| *level >= need.level) {
            return Traffic::Absent(format!("{} was logged at other times", named(object)));
        }
        if !levels.is_empty() {
            return Traffic::TooLow(levels.into_iter().map(|(_, level)| level).collect());
        }
        self.never(need, object, &all().map(|(kind, _)| kind).collect::<Vec<_>>())
    }

    /// Of requests that the case does not hold at any time; `others` are about the same with other verbs.
    fn never(&self, need: &Need, object: &str, others: &[&RequestKind]) -> Traffic {
        let wanted: Vec<&str> = match (&self.scope.verb, need.verbs.as_slice()) {
            (Some(only), _) => vec![only],
            (None, verbs) => verbs.iter().map(String::as_str).collect(),
        };
        let nothing = || match wanted.as_slice() {
            [] => "nothing was ever logged".to_owned(),
            verbs => format!("no {} of anything was ever logged", series(verbs, "or")),
        };
        let group = (!object.is_empty()).then(|| need.group.as_deref().unwrap_or_else(|| group_of(object)));
        if others.is_empty() {
            let is_always_used = ALWAYS_USED.contains(&object);
            return match self.observed.seems_to_log(group) && !is_always_used {
                true => Traffic::Absent(format!(
                    "nothing about {} is in the case, though its policy seems to log all of its API group",
                    quoted(object)
                )),
                false => Traffic::Unlogged(match object {
                    "" => nothing(),
                    _ => format!("{} was never logged in this case", named(object)),
                }),
            };
        }
        let logged_anywhere = self
            .observed
            .kinds
            .keys()
            .any(|kind| kind.resource.is_some() && wanted.iter().any(|verb| *verb == kind.verb));
        if !logged_anywhere && !wanted.is_empty() && (object.is_empty() || !self.observed.seems_to_log(group)) {
            return Traffic::Unlogged(nothing());
        }
        let used: BTreeSet<&str> = others.iter().map(|kind| kind.verb.as_str()).collect();
        let used = used.into_iter().collect::<Vec<_>>();
        let was = if used.len() == 1 { "was" } else { "were" };
        // Controllers list and watch these all the time, so one whose reads are missing is not logged on reading.
        let reads = ["list", "watch"];
        if ALWAYS_USED.contains(&object) && wanted.iter().any(|verb| reads.contains(verb)) {
            return Traffic::Unlogged(format!(
                "no {} of {} was ever logged, though every control plane does that; only {} {was}",
                series(&wanted, "or"),
                quoted(object),
                series(&used, "and")
            ));
        }
        Traffic::Absent(format!("of {} only {} {was} logged", quoted(object), series(&used, "and")))
    }

    /// What a `tells` leaves out of the rows, if anything.
    fn untold(&self, need: &Need) -> Option<String> {
        let tells = need.tells.as_deref()?;
        let mut levels = BTreeSet::new();
        let mut objects = Vec::new();
        let (mut hours, mut all) = (BTreeSet::new(), true);
        for (object, traffic) in self.traffic(need) {
            match traffic {
                Traffic::Logged { lesser, .. } if lesser.is_empty() => all = false,
                Traffic::Logged { lesser, hours: of_these } => {
                    all = false;
                    levels.extend(lesser);
                    hours.extend(of_these);
                    objects.push(object);
                }
                Traffic::TooLow(lesser) => {
                    levels.extend(lesser);
                    objects.push(object);
                }
                Traffic::Absent(_) | Traffic::Unlogged(_) => (),
            }
        }
        if objects.is_empty() {
            return self
                .missing_stage(need)
                .map(|stage| format!("no {} is in the log, and it is needed to tell {tells}", stage.name()));
        }
        let hours = if all { BTreeSet::new() } else { hours };
        let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
        Some(format!("{} to tell {tells}", too_low(&objects, &levels, &hours, need.level)))
    }

    /// What is not recorded of the requests of a need, stage by stage.
    fn stages(&self, need: &Need) -> Option<String> {
        let stage = self.missing_stage(need)?;
        Some(match stage {
            Stage::ResponseComplete => "stage ResponseComplete is not recorded: outcomes are not known".to_owned(),
            Stage::ResponseStarted => {
                "stage ResponseStarted is not recorded: no 401 and no beginning of a stream is in the log".to_owned()
            }
            Stage::RequestReceived => {
                "stage RequestReceived is not recorded: what was never answered is not in the log".to_owned()
            }
            Stage::Panic => return None,
        })
    }

    /// A stage that is needed and that no request of this kind has. Requests of a kind that begins no stream have no
    /// ResponseStarted, and nearly none panics: these are missed only where watches do not have it either.
    fn missing_stage(&self, need: &Need) -> Option<Stage> {
        let mut of_need = 0;
        let mut of_watches = None;
        let mut everywhere = 0;
        for (kind, days) in self.observed.kinds.iter().filter(|(kind, _)| self.scope.has(kind)) {
            let stages = days.values().fold(0, |all, tally| all | tally.stages);
            everywhere |= stages;
            if need.is_about(&kind.group, kind.resource.as_deref(), &kind.subresource, &kind.verb) {
                of_need |= stages;
            }
            if kind.verb == "watch" {
                *of_watches.get_or_insert(0) |= stages;
            }
        }
        let has = |bits: u8, stage: Stage| bits & stage_bit(Some(stage.name())) > 0;
        need.stages.iter().copied().find(|stage| match stage {
            // Where no stage is told at all, as by Google, nothing is missing.
            _ if everywhere & 15 == 0 => false,
            Stage::ResponseComplete => of_need & 15 > 0 && !has(of_need, *stage) && !has(of_need, Stage::Panic),
            Stage::ResponseStarted => {
                !has(everywhere, *stage) && of_watches.is_some_and(|stages| has(stages, Stage::ResponseComplete))
            }
            Stage::RequestReceived => !has(everywhere, *stage),
            Stage::Panic => false,
        })
    }

    /// Hosts that log nothing of what the needs are about, while others do.
    fn silent_hosts(&self, needs: &[&Need]) -> Option<String> {
        let needs: Vec<&&Need> = needs.iter().filter(|need| !need.resource.is_empty()).collect();
        if needs.is_empty() {
            return None;
        }
        let (mut all, mut with) = (BTreeSet::new(), BTreeSet::new());
        for (kind, days) in self.observed.kinds.iter().filter(|(kind, _)| self.scope.has(kind)) {
            let is_in = days.iter().any(|(day, tally)| hours_in(*day, tally, self.scope.window).next().is_some());
            let host = (kind.cluster.as_str(), kind.host.as_str());
            if is_in {
                all.insert(host);
            }
            if needs.iter().any(|need| need.is_about_resource(&kind.group, kind.resource.as_deref(), &kind.subresource))
            {
                with.insert(host);
            }
        }
        let silent =
            all.difference(&with).filter(|_| !with.is_empty()).map(|(cluster, host)| match (*cluster, *host) {
                ("", "") => "logs without a host".to_owned(),
                ("", host) => format!("`{host}`"),
                (cluster, "") => format!("`{cluster}`"),
                (cluster, host) => format!("`{host}` of `{cluster}`"),
            });
        let silent = few(silent);
        (!silent.is_empty()).then(|| format!("nothing about it was ever logged on {silent}"))
    }

    /// Resources of which an account of everything has nothing.
    fn silent_resources(&self, needs: &[&Need]) -> Option<String> {
        if self.scope.resource.is_some() || !needs.iter().any(|need| need.resource.is_empty()) {
            return None;
        }
        let is_logged =
            |resource: &str| self.observed.kinds.keys().any(|kind| kind.resource.as_deref() == Some(resource));
        let silent = few(TELLING.into_iter().filter(|resource| !is_logged(resource)).map(|name| format!("`{name}`")));
        (!silent.is_empty()).then(|| format!("never logged in this case: {silent}"))
    }

    /// Ends of the window that the case does not reach.
    fn beyond_the_log(&self) -> Vec<String> {
        let Some((first, last)) = self.observed.times else { return Vec::new() };
        let before = self.scope.window.since.filter(|since| *since < first);
        let before = before.map(|_| format!("nothing is in the case from before {} UTC", instant(first)));
        let after = self.scope.window.until.filter(|until| until.saturating_sub(HOUR) > last);
        let after = after.map(|_| format!("nothing is in the case from after {} UTC", instant(last)));
        before.into_iter().chain(after).collect()
    }
}

fn is_object(kind: &RequestKind, object: &str) -> bool {
    let (resource, subresource) = object.split_once('/').unwrap_or((object, ""));
    kind.resource.as_deref() == Some(resource) && (kind.subresource == subresource || subresource == "*")
}

fn need_fits(need: &Need, kind: &RequestKind) -> bool {
    need.group.as_ref().is_none_or(|group| *group == kind.group)
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

fn told_pauses(pauses: &[Pause]) -> Option<String> {
    let told = pauses.iter().map(|pause| {
        let host = if pause.host.0.is_empty() { String::new() } else { format!(" on `{}`", pause.host.0) };
        format!("{} to {} UTC{host}", instant(pause.from), instant(pause.to))
    });
    let told = few(told);
    (!told.is_empty()).then(|| format!("nothing was logged from {told}"))
}

/// That these objects, or all that is asked for, were logged at lesser levels alone, maybe in these hours.
fn too_low(objects: &[&str], levels: &BTreeSet<Level>, hours: &BTreeSet<i64>, needed: Level) -> String {
    let of = few(objects.iter().filter(|object| !object.is_empty()).map(|object| format!("`{object}`")));
    let of = if of.is_empty() { String::new() } else { format!("of {of} ") };
    let names: Vec<&str> = levels.iter().map(|level| level.name()).collect();
    let (level, was) = if names.len() == 1 { ("level", "was") } else { ("levels", "were") };
    let when = if hours.is_empty() { String::new() } else { format!(" in {}", told_hours(hours)) };
    let (names, needed) = (series(&names, "and"), needed.name());
    format!("{of}only {level} {names} {was} logged{when}, and {needed} is needed")
}

/// A few words one behind the other, the last behind `last`: `get, list or watch`.
fn series(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        // A client may choose any verb.
        many if many.len() > NAMED_AT_MOST => few(many.iter().map(|word| (*word).to_owned())),
        [one] => (*one).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// Hours as spans.
fn told_hours(hours: &BTreeSet<i64>) -> String {
    let mut spans: Vec<(i64, i64)> = Vec::new();
    for hour in hours {
        match spans.last_mut() {
            Some((_, end)) if *end == *hour => *end += 1,
            _ => spans.push((*hour, hour + 1)),
        }
    }
    format!("{} UTC", few(spans.iter().map(|(from, to)| format!("{} to {}", instant(from * HOUR), instant(to * HOUR)))))
}

/// A few things one by one, and the number of the others.
pub(crate) fn few(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    let more = all.len().saturating_sub(NAMED_AT_MOST);
    let named = all[..all.len() - more].join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

fn named(object: &str) -> String {
    if object.is_empty() { "it".to_owned() } else { format!("`{object}`") }
}

fn quoted(object: &str) -> String {
    if object.is_empty() { "everything".to_owned() } else { format!("`{object}`") }
}

/// To the minute, which is what hours and pauses are good for.
fn instant(micros: i64) -> String {
    time::render(micros).get(..16).unwrap_or_default().replace('T', " ")
}

#[cfg(test)]
mod tests;
