//! What a data file holds, counted by what an audit policy tells apart: which requests, at which level, when, on which
//! host. It stands in the log beside each file, so that a verdict about a whole case opens none of them.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, RecordBatch};
use kforensic_event::{Cell, Kind, columns};
use serde::{Deserialize, Serialize};

/// The tag of an `add` that holds it.
pub(crate) const SEEN: &str = "seen";

/// Most kinds of requests that are told apart in one file. A client chooses resources and verbs, so it could make one of
/// every request; a file with more has no summary, and whoever needs it reads the file.
const MAX_KINDS: usize = 1_000;

/// Longest text that is kept, in bytes. The names of Kubernetes have at most 253; a client may choose longer ones.
const MAX_TEXT_BYTES: usize = 253;

/// Microseconds in an hour.
const HOUR: i64 = 3_600_000_000;

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

/// The summary of a file of one UTC day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The kinds of requests in it.
    pub kinds: BTreeMap<RequestKind, Tally>,
    /// Host and cluster, and when they logged something.
    pub hosts: BTreeMap<(String, String), Slots>,
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
}

/// Collects a summary while a file is written.
#[derive(Debug, Default)]
pub(crate) struct SeenBuilder {
    seen: Seen,
    /// Kinds by number, so that a row that is like the one before costs no allocation.
    kinds: Vec<Tally>,
    numbers: HashMap<RequestKind, usize>,
    last: Option<usize>,
    names: Vec<RequestKind>,
    overflown: bool,
}

impl SeenBuilder {
    pub(crate) fn add(&mut self, batch: &RecordBatch) {
        let column = |name: &str| columns::find(name).map(|(at, column)| (batch.column(at).as_ref(), column.kind));
        let texts = ["api_group", "resource", "subresource", "verb", "level", "host", "cluster"].map(column);
        let [time, stage, truncated, salvaged, assumed, is_final] =
            ["event_time", "stage", "truncated", "salvaged", "assumed", "final"].map(column);
        for row in 0..batch.num_rows() {
            let cell = |of| read(of, row);
            let Some(micros) = cell(time).int() else { continue };
            let parts = [0, 1, 2, 3, 4, 5, 6].map(|at| cell(texts[at]).text());
            self.seen.requests += u64::from(cell(is_final) == Cell::Bool(true));
            self.seen.truncated += u64::from(cell(truncated) == Cell::Bool(true));
            match cell(salvaged).text() {
                None => (),
                Some("cut") => self.seen.cut += 1,
                Some(_) => self.seen.salvaged += 1,
            }
            self.seen.assumed += u64::from(cell(assumed) != Cell::Null);
            if let Some(number) = self.number(parts) {
                let tally = &mut self.kinds[number];
                tally.events += 1;
                tally.stages |= stage_bit(cell(stage).text());
                // Within a day, so less than 24.
                tally.hours |= 1 << (micros.rem_euclid(24 * HOUR) / HOUR);
            }
            let (host, cluster) = (parts[5].unwrap_or_default(), parts[6].unwrap_or_default());
            self.host(host, cluster).add(micros);
        }
    }

    /// The number of the kind with these texts; `None` when there are too many kinds.
    fn number(&mut self, parts: [Option<&str>; 7]) -> Option<usize> {
        if let Some(last) = self.last.filter(|last| is(&self.names[*last], parts)) {
            return Some(last);
        }
        let kind = kind(parts);
        let number = match self.numbers.get(&kind) {
            Some(number) => *number,
            None if self.names.len() == MAX_KINDS => {
                self.overflown = true;
                return None;
            }
            None => {
                let number = self.names.len();
                self.numbers.insert(kind.clone(), number);
                self.names.push(kind);
                self.kinds.push(Tally::default());
                number
            }
        };
        self.last = Some(number);
        Some(number)
    }

    fn host(&mut self, host: &str, cluster: &str) -> &mut Slots {
        let key = (cut(host).to_owned(), cut(cluster).to_owned());
        self.seen.hosts.entry(key).or_default()
    }

    /// The summary as a tag; `None` when the file holds too much to be summed up.
    pub(crate) fn finish(self) -> Option<String> {
        let kinds = self.names.into_iter().zip(self.kinds).collect();
        (!self.overflown).then(|| Seen { kinds, ..self.seen }.to_tag())
    }
}

fn read<'a>(column: Option<(&'a dyn Array, Kind)>, row: usize) -> Cell<'a> {
    column.map_or(Cell::Null, |(array, kind)| Cell::read(array, kind, row))
}

fn is(kind: &RequestKind, [group, resource, subresource, verb, level, host, cluster]: [Option<&str>; 7]) -> bool {
    let same = |ours: &str, theirs: Option<&str>| ours == theirs.unwrap_or_default();
    same(&kind.group, group)
        && kind.resource.as_deref() == resource
        && same(&kind.subresource, subresource)
        && same(&kind.verb, verb)
        && same(&kind.level, level)
        && same(&kind.host, host)
        && same(&kind.cluster, cluster)
}

fn kind([group, resource, subresource, verb, level, host, cluster]: [Option<&str>; 7]) -> RequestKind {
    let text = |text: Option<&str>| cut(text.unwrap_or_default()).to_owned();
    RequestKind {
        group: text(group),
        resource: resource.map(|resource| cut(resource).to_owned()),
        subresource: text(subresource),
        verb: text(verb),
        level: text(level),
        host: text(host),
        cluster: text(cluster),
    }
}

fn cut(text: &str) -> &str {
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

/// Group, resource, subresource, verb, level, host, cluster, stages, hours, events; texts by their numbers.
type WrittenKind = (u32, Option<u32>, u32, u32, u32, u32, u32, u8, u32, u64);

/// How a summary is written: texts once, and numbers in their place.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    /// The texts.
    #[serde(borrow)]
    t: Vec<std::borrow::Cow<'a, str>>,
    /// The kinds.
    k: Vec<WrittenKind>,
    /// Host, cluster, slots.
    h: Vec<(u32, u32, [u64; 5])>,
    /// Cut, salvaged, assumed, truncated, requests.
    m: (u64, u64, u64, u64, u64),
}

impl Seen {
    fn to_tag(&self) -> String {
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
            k: kinds,
            h: hosts,
            m: (self.cut, self.salvaged, self.assumed, self.truncated, self.requests),
            t: texts.into_iter().map(Into::into).collect(),
        };
        // Texts and numbers can always be written.
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// Reads a tag; `None` when it is not one that this version writes, which costs no more than reading the file.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let written: Written<'_> = serde_json::from_str(tag).ok()?;
        let text = |at: u32| written.t.get(usize::try_from(at).ok()?).map(|text| text.clone().into_owned());
        let (cut, salvaged, assumed, truncated, requests) = written.m;
        let mut seen = Self { requests, cut, salvaged, assumed, truncated, ..Self::default() };
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
        let mut seen = Seen { cut: 1, salvaged: 2, assumed: 3, truncated: 4, ..Seen::default() };
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
        assert_eq!(Seen::from_tag(&seen.to_tag()), Some(seen));
        for other in ["", "{}", "[]", "{\"t\":[],\"k\":[[0,null,0,0,0,0,0,1,1,1]],\"h\":[],\"m\":[0,0,0,0]}"] {
            assert_eq!(Seen::from_tag(other), None, "{other}");
        }
    }

    #[test]
    fn a_client_cannot_make_a_summary_large() {
        let mut builder = SeenBuilder::default();
        let long = "é".repeat(1_000);
        let mut add = |resource: &str| builder.number([None, Some(resource), None, Some("get"), None, None, None]);
        assert_eq!(add(&long), Some(0));
        assert_eq!(add(&format!("{long}x")), Some(0), "texts are cut");
        for number in 1..MAX_KINDS {
            assert_eq!(add(&number.to_string()), Some(number));
        }
        assert_eq!((add("one more"), add("7")), (None, Some(7)));
        assert_eq!(builder.finish(), None);
    }
}
