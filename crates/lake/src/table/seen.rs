//! What a data file holds, counted by what an audit policy tells apart: which requests, at which level, when, on which
//! host. It stands in the log beside each file, so that a verdict about a whole case opens none of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::table::seen_tag::{Written, WrittenKind};

/// The tag of an `add` that holds it.
pub(crate) const SEEN: &str = "seen";

/// Longest text that is kept, in bytes. The names of Kubernetes have at most 253; a client may choose longer ones.
const MAX_TEXT_BYTES: usize = 253;

/// Status codes of a request that was refused: unknown, and not allowed.
pub const REFUSED: [i32; 2] = [401, 403];

/// The annotation in which OpenShift's login server says whether it let somebody in: it answers a wrong password with 302 or
/// 200 (`pkg/audit` of openshift/oauth-server).
pub const LOGIN_DECISION: &str = "authentication.openshift.io/decision";

/// Microseconds in an hour.
pub(super) const HOUR: i64 = 3_600_000_000;

/// Microseconds in a slot, five minutes: a pause of a quarter of an hour leaves at least two empty.
pub const SLOT: i64 = 300_000_000;

/// Slots of a day.
pub const SLOTS: usize = 288;

/// Requests that an audit policy can tell apart, of one host. Absent texts are empty, but for the resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKind {
    /// API group; empty for the core group.
    pub group: String,
    /// Resource; `None` when the request is not about one.
    pub resource: Option<String>,
    /// Subresource.
    pub subresource: String,
    /// Verb.
    pub verb: String,
    /// Level at which it was logged; empty where the log does not say.
    pub level: String,
    /// Host of the log.
    pub host: String,
    /// Cluster of the log.
    pub cluster: String,
}

/// How often, at which stages and in which hours requests of a kind were logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Bits of the stages, from RequestReceived (1) over ResponseStarted (2) and ResponseComplete (4) to Panic (8);
    /// 16 for another or none.
    pub stages: u8,
    /// Bits of the hours of the day, from 00:00 UTC (1) on.
    pub hours: u32,
    /// Events.
    pub events: u64,
}

impl Tally {
    /// Adds what was logged elsewhere.
    pub(super) fn merge(&mut self, other: &Self) {
        self.stages |= other.stages;
        self.hours |= other.hours;
        self.events += other.events;
    }
}

/// The slots of a day in which a host logged something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slots(pub [u64; 5]);

impl Slots {
    /// Notes an instant of the day.
    pub fn add(&mut self, micros: i64) {
        // Within a day, so less than 288.
        let slot = usize::try_from(micros.rem_euclid(24 * HOUR) / SLOT).unwrap_or_default();
        self.0[slot / 64] |= 1 << (slot % 64);
    }

    /// Whether something was logged in that slot.
    pub fn has(&self, slot: usize) -> bool {
        self.0.get(slot / 64).is_some_and(|bits| bits >> (slot % 64) & 1 == 1)
    }

    /// What both have.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(ours, theirs)| *ours |= theirs);
    }
}

/// How many events have a mark of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Sums", into = "Sums")]
pub struct Marked {
    /// Requests: events that stand for one.
    pub requests: u64,
    /// Events that were cut off by a collector.
    pub cut: u64,
    /// Events that were recovered in another way, such as from behind damage.
    pub salvaged: u64,
    /// Events for which something was assumed, such as a time zone.
    pub assumed: u64,
    /// Events whose bodies the server dropped because they were too large.
    pub truncated: u64,
    /// Events in whose place the case also holds a copy with other contents.
    pub copies: u64,
    /// Events whose bodies a collector withheld.
    pub withheld: u64,
    /// First parts of entries that were split, without the others.
    pub parts: u64,
}

/// Cut, salvaged, assumed, truncated, requests, copies, withheld, parts: as they stand in the log.
type Sums = (u64, u64, u64, u64, u64, u64, u64, u64);

impl From<Sums> for Marked {
    fn from((cut, salvaged, assumed, truncated, requests, copies, withheld, parts): Sums) -> Self {
        Self { requests, cut, salvaged, assumed, truncated, copies, withheld, parts }
    }
}

impl From<Marked> for Sums {
    fn from(marked: Marked) -> Self {
        let Marked { requests, cut, salvaged, assumed, truncated, copies, withheld, parts } = marked;
        (cut, salvaged, assumed, truncated, requests, copies, withheld, parts)
    }
}

impl AddAssign for Marked {
    fn add_assign(&mut self, other: Self) {
        let Self { requests, cut, salvaged, assumed, truncated, copies, withheld, parts } = other;
        self.requests += requests;
        self.cut += cut;
        self.salvaged += salvaged;
        self.assumed += assumed;
        self.truncated += truncated;
        self.copies += copies;
        self.withheld += withheld;
        self.parts += parts;
    }
}

/// The summary of a file of one UTC day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The kinds of requests in it.
    pub kinds: BTreeMap<RequestKind, Tally>,
    /// Host and cluster, and when they logged something.
    pub hosts: BTreeMap<(String, String), Slots>,
    /// Status codes of its events; `None` when there are too many.
    pub codes: Option<BTreeSet<i32>>,
    /// Events with the decision of a login ([`LOGIN_DECISION`]); `None` when they were not counted.
    pub logins: Option<u64>,
    /// How many of its events have a mark.
    pub marked: Marked,
}

pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]
}

/// The bit of a stage in [`Tally::stages`].
pub fn stage_bit(stage: Option<&str>) -> u8 {
    match stage {
        Some("RequestReceived") => 1,
        Some("ResponseStarted") => 2,
        Some("ResponseComplete") => 4,
        Some("Panic") => 8,
        _ => 16,
    }
}

/// What stands at the end of a tag. A quote in a text has a backslash before it: what stands before is not read.
#[derive(Deserialize)]
struct Answers {
    c: Option<BTreeSet<i32>>,
    l: Option<u64>,
}

impl Answers {
    fn of(tag: &str) -> Option<Self> {
        serde_json::from_str(&format!("{{{}", &tag[tag.rfind("\"c\":")?..])).ok()
    }
}

impl Seen {
    pub(super) fn to_tag(&self) -> String {
        let mut texts: Vec<&str> = Vec::new();
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut number = |text| {
            *numbers.entry(text).or_insert_with(|| {
                texts.push(text);
                // At most a few thousand texts.
                u32::try_from(texts.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let mut kinds = Vec::new();
        for (kind, tally) in &self.kinds {
            kinds.push((
                number(&kind.group),
                kind.resource.as_deref().map(&mut number),
                number(&kind.subresource),
                number(&kind.verb),
                number(&kind.level),
                number(&kind.host),
                number(&kind.cluster),
                tally.stages,
                tally.hours,
                tally.events,
            ));
        }
        let hosts =
            self.hosts.iter().map(|((host, cluster), slots)| (number(host), number(cluster), slots.0)).collect();
        let written = Written {
            t: texts.into_iter().map(Into::into).collect(),
            k: kinds,
            h: hosts,
            c: self.codes.clone(),
            l: self.logins,
            m: self.marked,
        };
        // Texts and numbers can always be written.
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// Whether a file with that tag may hold an event on one of the resources, and of one of the API groups; `None` wants any.
    /// A tag that is not one that this version writes says nothing, which is no reason to leave the file out.
    pub fn may_hold(tag: &str, resources: Option<&[String]>, groups: Option<&[String]>) -> bool {
        #[derive(Deserialize)]
        struct Objects<'a> {
            #[serde(borrow)]
            t: Vec<Cow<'a, str>>,
            k: Vec<WrittenKind>,
        }
        let Ok(Objects { t, k }) = serde_json::from_str(tag) else { return true };
        let numbers = |wanted: Option<&[String]>| {
            wanted.map(|wanted| {
                let is_wanted = |text: &str| wanted.iter().any(|wanted| cut(wanted) == text);
                t.iter().map(|text| is_wanted(text)).collect::<Vec<bool>>()
            })
        };
        let (resources, groups) = (numbers(resources), numbers(groups));
        let is_one = |wanted: &Option<Vec<bool>>, at: Option<u32>| match (wanted, at) {
            (None, _) => true,
            (Some(_), None) => false,
            // A number without a text is none of ours.
            (Some(wanted), Some(at)) => wanted.get(at as usize).copied().unwrap_or(true),
        };
        k.iter().any(|kind| is_one(&resources, kind.1) && is_one(&groups, Some(kind.0)))
    }

    /// Whether a file with that tag may hold copies of an event that differ ([`Seen::copies`]). A tag that is not one that this
    /// version writes says nothing, so it may.
    pub fn may_hold_copies(tag: &str) -> bool {
        // The sums stand last, and a quote in a text has a backslash before it: what stands before them is not read.
        let sums = tag.rfind("\"m\":").and_then(|at| tag[at..].strip_prefix("\"m\":")?.strip_suffix('}'));
        let sums = sums.and_then(|sums| serde_json::from_str::<Marked>(sums).ok());
        sums.is_none_or(|marked| marked.copies > 0)
    }

    /// Whether a file with that tag may hold a request that was refused ([`REFUSED`]), or a login that may have been. A tag that
    /// is not one that this version writes says nothing, so it may.
    pub fn may_hold_refusals(tag: &str) -> bool {
        let Some(Answers { c: Some(codes), l: Some(logins) }) = Answers::of(tag) else { return true };
        logins > 0 || REFUSED.iter().any(|code| codes.contains(code))
    }

    /// Whether a file with that tag may hold the decision of a login ([`LOGIN_DECISION`]); likewise.
    pub fn may_hold_logins(tag: &str) -> bool {
        Answers::of(tag).and_then(|answers| answers.l).is_none_or(|logins| logins > 0)
    }

    /// Reads a tag; `None` when it is not one that this version writes, which costs no more than reading the file.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let written = Written::of(tag)?;
        let text = |at: u32| written.t.get(usize::try_from(at).ok()?).map(|text| text.clone().into_owned());
        let mut seen = Self { marked: written.m, codes: written.c, logins: written.l, ..Self::default() };
        for (group, resource, subresource, verb, level, host, cluster, stages, hours, events) in written.k {
            let resource = match resource {
                Some(resource) => Some(text(resource)?),
                None => None,
            };
            let kind = RequestKind {
                group: text(group)?,
                resource,
                subresource: text(subresource)?,
                verb: text(verb)?,
                level: text(level)?,
                host: text(host)?,
                cluster: text(cluster)?,
            };
            seen.kinds.insert(kind, Tally { stages, hours, events });
        }
        for (host, cluster, slots) in written.h {
            seen.hosts.insert((text(host)?, text(cluster)?), Slots(slots));
        }
        Some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_comes_back_from_its_tag() {
        let mut seen = Seen { marked: (1, 2, 3, 4, 0, 5, 6, 7).into(), ..Seen::default() };
        for (resource, verb, events) in [(Some("secrets"), "get", 7), (None, "get", 1), (Some("x\"\\y"), "PROPFIND", 2)]
        {
            let kind = RequestKind {
                resource: resource.map(str::to_owned),
                verb: verb.to_owned(),
                level: "Metadata".to_owned(),
                host: "cp-1".to_owned(),
                ..RequestKind::default()
            };
            seen.kinds.insert(kind, Tally { stages: 5, hours: 1 << 23, events });
        }
        let mut slots = Slots::default();
        slots.add(-1);
        slots.add(HOUR);
        assert!(slots.has(SLOTS - 1) && slots.has(12) && !slots.has(13) && !slots.has(SLOTS));
        seen.hosts.insert(("cp-1".to_owned(), String::new()), slots);
        assert_eq!(Seen::from_tag(&seen.to_tag()), Some(seen.clone()));
        assert!(Seen::may_hold_copies(&seen.to_tag()));
        // A text that looks like the sums is none.
        seen.hosts.insert((",\"m\":[0,0,0,0,0,9,0,0]}".to_owned(), String::new()), slots);
        assert!(!Seen::may_hold_copies(&Seen { marked: Marked { copies: 0, ..seen.marked }, ..seen.clone() }.to_tag()));
        assert!(Seen::may_hold_copies(&seen.to_tag()));
        for other in ["", "{}", "[]", "{\"t\":[],\"k\":[[0,null,0,0,0,0,0,1,1,1]],\"h\":[],\"m\":[0,0,0,0,0]}"] {
            assert_eq!(Seen::from_tag(other), None, "{other}");
            assert!(Seen::may_hold_copies(other), "{other}");
        }
    }

    #[test]
    fn a_tag_tells_which_objects_a_file_may_hold() {
        let long = "é".repeat(1_000);
        let mut seen = Seen::default();
        for (group, resource) in [("apps", Some("deployments")), ("", Some("pods")), ("a.b", Some(&*long)), ("", None)]
        {
            let resource = resource.map(|resource| cut(resource).to_owned());
            let kind = RequestKind { group: group.to_owned(), resource, ..RequestKind::default() };
            seen.kinds.insert(kind, Tally { events: 1, ..Tally::default() });
        }
        let tag = seen.to_tag();
        let may_hold = |resources: Option<&[&str]>, groups: Option<&[&str]>| {
            let owned =
                |names: Option<&[&str]>| names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            let [resources, groups]: [Option<Vec<String>>; 2] = [owned(resources), owned(groups)];
            Seen::may_hold(&tag, resources.as_deref(), groups.as_deref())
        };
        assert!(may_hold(None, None));
        for resource in ["deployments", "pods", &long, &format!("{long}x")] {
            assert!(may_hold(Some(&[resource]), None) && may_hold(Some(&["x", resource]), None), "{resource}");
        }
        assert!(may_hold(None, Some(&["apps"])) && may_hold(None, Some(&[""])) && may_hold(None, Some(&["c", "a.b"])));
        // The names of both are texts of the tag.
        assert!(!may_hold(Some(&["apps"]), None) && !may_hold(None, Some(&["pods"])));
        assert!(!may_hold(Some(&[]), None) && !may_hold(Some(&["secrets"]), None) && !may_hold(None, Some(&["batch"])));
        // Of one event.
        assert!(may_hold(Some(&["pods"]), Some(&[""])) && !may_hold(Some(&["pods"]), Some(&["apps"])));
        for other in ["", "{}", "[]", "{\"t\":[],\"k\":[[0,0,0]]}", "{\"t\":[],\"k\":[[0,0,0,0,0,0,0,1,1,1]]}"] {
            assert!(Seen::may_hold(other, Some(&[]), None) || Seen::may_hold(other, None, None), "{other}");
            assert!(Seen::may_hold(other, Some(&["x".to_owned()]), None), "what is not understood is read: {other}");
        }
    }

    #[test]
    fn a_tag_tells_whether_a_file_may_hold_refusals() {
        let tag = |codes: Option<&[i32]>, logins| {
            let codes = codes.map(|codes| codes.iter().copied().collect());
            let mut seen = Seen { codes, logins, ..Seen::default() };
            // A text that looks like the answers is none.
            seen.hosts.insert(("\"c\":[401],\"l\":1,\"m\":[0]}".to_owned(), String::new()), Slots::default());
            seen.to_tag()
        };
        for code in REFUSED {
            assert!(Seen::may_hold_refusals(&tag(Some(&[200, code]), Some(0))), "{code}");
        }
        assert!(!Seen::may_hold_refusals(&tag(Some(&[200, 404]), Some(0))));
        assert!(Seen::may_hold_refusals(&tag(Some(&[200, 302]), Some(1))), "a wrong password is answered with 302");
        assert!(Seen::may_hold_logins(&tag(Some(&[]), Some(1))) && !Seen::may_hold_logins(&tag(Some(&[401]), Some(0))));
        // Too many codes, and a tag of before they were noted.
        assert!(Seen::may_hold_refusals(&tag(None, Some(0))) && Seen::may_hold_refusals(&tag(Some(&[200]), None)));
        let earlier = r#"{"t":[],"k":[],"h":[],"m":[0,0,0,0,0,0,0,0]}"#;
        assert!(Seen::from_tag(earlier).is_some());
        for other in [earlier, "", "{}", "[]", "{\"c\":[200"] {
            assert!(Seen::may_hold_refusals(other) && Seen::may_hold_logins(other), "{other}");
        }
    }
}
