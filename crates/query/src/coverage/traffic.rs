//! How far the requests that a query needs are in the log, and what of them is not.

use std::collections::BTreeSet;

use kforensic_lake::seen::{RequestKind, stage_bit};

use crate::catalogue::{Level, Need, Stage};
use crate::coverage::groups::group_of;
use crate::coverage::observed::{HOUR, Observed, hours_in, level_of};
use crate::coverage::verdict::Scope;
use crate::coverage::words::{few, instant, named, quoted, series, too_low};

/// Subresources whose requests the API server takes for long-running, as it does watches: the stage ResponseStarted is
/// recorded of these alone, and of a 401.
const STREAMS: [&str; 5] = ["attach", "exec", "log", "portforward", "proxy"];

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

/// How far requests of one kind are in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Traffic {
    /// At the level that is needed, but for these hours, where only these lesser levels were logged.
    Logged { lesser: BTreeSet<Level>, hours: BTreeSet<i64> },
    /// Only at these levels, which are too low.
    TooLow(BTreeSet<Level>),
    /// Not here, but it would be: for this reason.
    Absent(String),
    /// Nothing says that it would be.
    Unlogged(String),
}

/// Looks for what queries need in what a case holds.
pub(super) struct Judge<'a> {
    pub(super) observed: &'a Observed,
    pub(super) scope: &'a Scope,
    /// Resources that the query reads by their names, of which its needs are some.
    pub(super) reads: &'a [String],
}

impl Judge<'_> {
    /// How far the requests of a need are in the log, for each of its resources; under `` for every request.
    pub(super) fn traffic(&self, need: &Need) -> Vec<(String, Traffic)> {
        let wanted = |object: &String| {
            let resource = object.split('/').next().unwrap_or_default();
            self.scope.resource.as_ref().is_none_or(|only| only == resource)
        };
        if need.paths && self.scope.resource.is_none() {
            return self.paths(need);
        }
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
            // What is needed of the others is needed of it.
            (true, Some(only)) if self.reads.contains(only) => {
                let about = |kind: &RequestKind| kind.resource.as_ref() == Some(only) && need_fits(need, kind);
                vec![(only.clone(), self.traffic_of(need, only, about))]
            }
            (true, Some(only)) => {
                vec![(String::new(), Traffic::Absent(format!("the query is not about `{only}`")))]
            }
            _ => found,
        }
    }

    /// Of requests to paths. Policies choose them one by one, and which is in no summary of a case.
    fn paths(&self, need: &Need) -> Vec<(String, Traffic)> {
        let unlogged = |reason: &str| (String::new(), Traffic::Unlogged(reason.to_owned()));
        match self.traffic_of(need, "", |kind| kind.resource.is_none()) {
            Traffic::Absent(_) | Traffic::Unlogged(_)
                if !self.observed.kinds.keys().any(|kind| self.scope.has(kind) && kind.resource.is_none()) =>
            {
                vec![unlogged("no request to a path, such as `/healthz`, was ever logged")]
            }
            traffic => vec![
                (String::new(), traffic),
                unlogged("which paths are logged is told by the rules of the policy alone"),
            ],
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
        // A resource that we do not know may be of any group, and of none that is logged.
        let known = || need.group.as_deref().or_else(|| group_of(object)).unwrap_or("another");
        let group = (!object.is_empty()).then(known);
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
    pub(super) fn untold(&self, need: &Need) -> Option<String> {
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
    pub(super) fn stages(&self, need: &Need) -> Option<String> {
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
    /// ResponseStarted, and nearly none panics: these are missed only where streams do not have it either.
    fn missing_stage(&self, need: &Need) -> Option<Stage> {
        let mut of_need = 0;
        let mut of_streams = None;
        let mut everywhere = 0;
        for (kind, days) in self.observed.kinds.iter().filter(|(kind, _)| self.scope.has(kind)) {
            let stages = days.values().fold(0, |all, tally| all | tally.stages);
            everywhere |= stages;
            if need.is_about(&kind.group, kind.resource.as_deref(), &kind.subresource, &kind.verb) {
                of_need |= stages;
            }
            if kind.verb == "watch" || STREAMS.contains(&kind.subresource.as_str()) {
                *of_streams.get_or_insert(0) |= stages;
            }
        }
        let has = |bits: u8, stage: Stage| bits & stage_bit(Some(stage.name())) > 0;
        need.stages.iter().copied().find(|stage| match stage {
            // Where no stage is told at all, as by Google, nothing is missing.
            _ if everywhere & 15 == 0 => false,
            Stage::ResponseComplete => of_need & 15 > 0 && !has(of_need, *stage) && !has(of_need, Stage::Panic),
            Stage::ResponseStarted => {
                !has(everywhere, *stage) && of_streams.is_some_and(|stages| has(stages, Stage::ResponseComplete))
            }
            Stage::RequestReceived => !has(everywhere, *stage),
            Stage::Panic => false,
        })
    }

    /// Hosts that log nothing of what the needs are about, while others do.
    pub(super) fn silent_hosts(&self, needs: &[&Need]) -> Option<String> {
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
    pub(super) fn silent_resources(&self, needs: &[&Need]) -> Option<String> {
        if self.scope.resource.is_some() || !needs.iter().any(|need| need.resource.is_empty() && !need.paths) {
            return None;
        }
        let is_logged =
            |resource: &str| self.observed.kinds.keys().any(|kind| kind.resource.as_deref() == Some(resource));
        let silent = few(TELLING.into_iter().filter(|resource| !is_logged(resource)).map(|name| format!("`{name}`")));
        (!silent.is_empty()).then(|| format!("never logged in this case: {silent}"))
    }

    /// Ends of the window that the case does not reach, or the logs of it that are asked for.
    pub(super) fn beyond_the_log(&self) -> Vec<String> {
        let Some(mut times) = self.observed.times else { return Vec::new() };
        let labels = [("host", &self.scope.host), ("cluster", &self.scope.cluster)];
        let labels = labels.iter().filter_map(|(what, name)| Some(format!(" of {what} `{}`", name.as_ref()?)));
        let of = labels.collect::<String>();
        if !of.is_empty()
            && let Some((first, last)) = self.observed.extent(|(host, cluster)| self.scope.is_of(host, cluster))
        {
            times = (first.max(times.0), last.min(times.1));
        }
        let (first, last) = times;
        let before = self.scope.window.since.filter(|since| *since < first);
        let before = before.map(|_| format!("nothing{of} is in the case from before {} UTC", instant(first)));
        let after = self.scope.window.until.filter(|until| until.saturating_sub(HOUR) > last);
        let after = after.map(|_| format!("nothing{of} is in the case from after {} UTC", instant(last)));
        before.into_iter().chain(after).collect()
    }
}

fn is_object(kind: &RequestKind, object: &str) -> bool {
    let (resource, subresource) = object.split_once('/').unwrap_or((object, ""));
    kind.resource.as_deref() == Some(resource) && (kind.subresource == subresource || subresource == "*")
}

fn need_fits(need: &Need, kind: &RequestKind) -> bool {
    need.is_of_group(&kind.group, kind.resource.as_deref())
}
