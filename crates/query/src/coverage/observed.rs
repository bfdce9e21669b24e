//! What a case holds, by what an audit policy tells apart: kinds of requests, levels, stages, hours and hosts.

use std::collections::{BTreeMap, BTreeSet};

use kforensic_lake::Snapshot;
use kforensic_lake::seen::{Marked, RequestKind, SLOT, SLOTS, SeenInDays, Slots, Tally};

use crate::catalogue::{Level, Need};
use crate::error::QueryError;
use crate::selection::Selection;
use crate::session::{Limits, Session};
use crate::window::Window;

/// Microseconds in an hour.
pub(crate) const HOUR: i64 = 3_600_000_000;

/// Hours of a day.
const HOURS: i64 = 24;

/// What a case holds. Made from the summaries that stand in its log, so no file is opened; where one has none, all are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The kinds of requests, with a tally for each UTC day (in days since 1970).
    pub kinds: BTreeMap<RequestKind, BTreeMap<i32, Tally>>,
    /// Host and cluster, with the five-minute slots of each day in which something was logged.
    pub hosts: BTreeMap<(String, String), BTreeMap<i32, Slots>>,
    /// How many events have a mark.
    pub marked: Marked,
    /// Times of the first and the last event, in microseconds since 1970.
    pub times: Option<(i64, i64)>,
}

/// A pause of a host, in microseconds since 1970: nothing was logged from the first to the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Host and cluster.
    pub host: (String, String),
    /// From here, to within five minutes.
    pub from: i64,
    /// To here, to within five minutes.
    pub to: i64,
}

/// Slots that have a rhythm by themselves, and events in each of fewer that have one.
const RHYTHM_SLOTS: usize = 6;
const RHYTHM_EVENTS: u64 = 100;

impl Observed {
    /// Sums up a case. `limits` count only when some file has no summary.
    ///
    /// # Errors
    /// When a file has to be read and cannot be.
    pub fn of(snapshot: &Snapshot, limits: &Limits) -> Result<Self, QueryError> {
        let Some(SeenInDays { kinds, hosts, marked }) = SeenInDays::of(snapshot) else {
            return Self::read(&Session::open(snapshot, &Selection::default(), limits)?, snapshot);
        };
        Ok(Self { kinds, hosts, marked, times: snapshot.event_times() })
    }

    /// Sums up what a session sees, by reading it.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn read(session: &Session, snapshot: &Snapshot) -> Result<Self, QueryError> {
        const DAY: &str = "(event_time::DATE - DATE '1970-01-01')::INTEGER";
        // What is left of it where a collector withheld bodies.
        const LEVEL_LEFT: &str = "CASE WHEN level IS NOT NULL AND list_contains(assumed, 'requestObject withheld') \
             THEN 'Metadata' WHEN level IS NOT NULL AND list_contains(assumed, 'responseObject withheld') THEN 'Request' \
             ELSE coalesce(level, '') END";
        let mut observed = Self { times: snapshot.event_times(), ..Self::default() };
        let kinds = format!(
            "SELECT coalesce(api_group, ''), resource, coalesce(subresource, ''), coalesce(verb, ''), \
             {LEVEL_LEFT}, coalesce(host, ''), coalesce(cluster, ''), {DAY}, \
             bit_or(CASE stage WHEN 'RequestReceived' THEN 1 WHEN 'ResponseStarted' THEN 2 \
                WHEN 'ResponseComplete' THEN 4 WHEN 'Panic' THEN 8 ELSE 16 END)::UTINYINT, \
             bit_or(1::UINTEGER << hour(event_time)::UINTEGER)::UINTEGER, count(*)::UBIGINT \
             FROM events GROUP BY ALL"
        );
        let rows = session.collect(&kinds, |row| {
            let kind = RequestKind {
                group: row.get(0)?,
                resource: row.get(1)?,
                subresource: row.get(2)?,
                verb: row.get(3)?,
                level: row.get(4)?,
                host: row.get(5)?,
                cluster: row.get(6)?,
            };
            Ok((kind, row.get::<_, i32>(7)?, Tally { stages: row.get(8)?, hours: row.get(9)?, events: row.get(10)? }))
        })?;
        for (kind, day, tally) in rows {
            observed.kinds.entry(kind).or_default().insert(day, tally);
        }
        let slots = format!(
            "SELECT DISTINCT coalesce(host, ''), coalesce(cluster, ''), {DAY}, \
             (hour(event_time) * 12 + minute(event_time) // 5)::BIGINT FROM events"
        );
        let rows = session.collect(&slots, |row| {
            Ok(((row.get::<_, String>(0)?, row.get::<_, String>(1)?), row.get::<_, i32>(2)?, row.get::<_, i64>(3)?))
        })?;
        for (host, day, slot) in rows {
            observed.hosts.entry(host).or_default().entry(day).or_default().add(slot * SLOT);
        }
        let marks = "SELECT count(*) FILTER (salvaged = 'cut'), \
             count(*) FILTER (salvaged NOT IN ('cut', 'split-part')), count(*) FILTER (len(assumed) > 0), \
             count(*) FILTER (truncated), \
             count(*) - coalesce(sum(greatest(len(stages), 1)) FILTER (final), 0)::BIGINT, \
             count(*) FILTER (list_has_any(assumed, ['requestObject withheld', 'responseObject withheld'])), \
             count(*) FILTER (salvaged = 'split-part'), count(*) FILTER (final) FROM events";
        for marked in session.collect(marks, |row| {
            let number = |at| row.get::<_, i64>(at).map(|number| u64::try_from(number).unwrap_or_default());
            Ok(Marked {
                cut: number(0)?,
                salvaged: number(1)?,
                assumed: number(2)?,
                truncated: number(3)?,
                copies: number(4)?,
                withheld: number(5)?,
                parts: number(6)?,
                requests: number(7)?,
            })
        })? {
            observed.marked = marked;
        }
        Ok(observed)
    }

    /// Events of the case.
    pub fn events(&self) -> u64 {
        self.kinds.values().flat_map(BTreeMap::values).map(|tally| tally.events).sum()
    }

    /// Events of a host.
    fn events_of(&self, (host, cluster): &(String, String)) -> u64 {
        let of_host = self.kinds.iter().filter(|(kind, _)| (&kind.host, &kind.cluster) == (host, cluster));
        of_host.flat_map(|(_, days)| days.values()).map(|tally| tally.events).sum()
    }

    /// Whether the case holds requests that a need is about.
    pub(crate) fn holds(&self, need: &Need) -> bool {
        self.kinds
            .keys()
            .any(|kind| need.is_about(&kind.group, kind.resource.as_deref(), &kind.subresource, &kind.verb))
    }

    /// Whether the policy that wrote the log seems to record all of an API group, or of all: so many things of it are
    /// logged, which nobody lists one by one. Without a group, whether all groups seem to be.
    pub(crate) fn seems_to_log(&self, group: Option<&str>) -> bool {
        const GROUPS: usize = 6;
        const RESOURCES: usize = 20;
        const OBJECTS_OF_GROUP: usize = 8;
        let objects = self
            .kinds
            .keys()
            .filter_map(|kind| Some((kind.group.as_str(), kind.resource.as_deref()?, kind.subresource.as_str())));
        let objects: BTreeSet<_> = objects.collect();
        let groups: BTreeSet<&str> = objects.iter().map(|(group, ..)| *group).collect();
        let resources: BTreeSet<_> = objects.iter().map(|(group, resource, _)| (group, resource)).collect();
        let of_group = |wanted: &str| objects.iter().filter(|(group, ..)| *group == wanted).count();
        (groups.len() >= GROUPS && resources.len() >= RESOURCES)
            || group.is_some_and(|group| of_group(group) >= OBJECTS_OF_GROUP)
    }

    /// The pauses of every host within `window` that are longer than `shortest` (in microseconds) and three times as long
    /// as its pauses usually are. Of a host that was heard for less than half an hour its events tell what is usual.
    ///
    /// Where the log of a host begins later or ends sooner than that of its cluster, that is a pause as well: what was sent
    /// to it then is not in the case. Where another takes its place, it is none.
    ///
    /// To within five minutes: what is shorter than twice that is not found.
    pub fn pauses(&self, window: Window, shortest: i64) -> Vec<Pause> {
        let heard: BTreeMap<&(String, String), Vec<i64>> = self
            .hosts
            .iter()
            .map(|(host, days)| (host, slots_of(days)))
            .filter(|(_, slots)| !slots.is_empty())
            .collect();
        let mut found = Vec::new();
        for (host, slots) in &heard {
            let mut pauses: Vec<i64> = slots.windows(2).map(|pair| pair[1] - pair[0] - 1).collect();
            pauses.sort_unstable();
            // Nine of ten pauses are at most as long.
            let usual = match slots.len() {
                0..RHYTHM_SLOTS => 0,
                _ => pauses.get(pauses.len() * 9 / 10).copied().unwrap_or(0),
            };
            let least = (usual * 3 + 1).max((shortest + SLOT - 1) / SLOT - 1).max(2);
            // A handful of events has no rhythm; where there are many in a few slots, they follow within minutes, and as
            // the account of hosts says it, a pause is what hardly one of a hundred is.
            let has_rhythm = slots.len() >= RHYTHM_SLOTS || self.events_of(host) >= RHYTHM_EVENTS * slots.len() as u64;
            let between = slots.windows(2).map(|pair| (pair[0], pair[1]));
            let between = between.filter(|(one, next)| has_rhythm && next - one > least);
            // What was heard three times as long ago as it was ever silent is not expected any more.
            let longest = pauses.last().map_or(i64::MAX, |longest| (longest * 3 + 1).max(least));
            let edges = edges(host, slots, &heard).filter(|(one, next)| next - one > longest);
            for (before, after) in between.chain(edges) {
                let (from, to) = ((before + 1) * SLOT, after * SLOT);
                let is_in =
                    window.since.is_none_or(|since| to > since) && window.until.is_none_or(|until| from < until);
                if is_in {
                    found.push(Pause { host: (*host).clone(), from, to });
                }
            }
        }
        found.sort_by(|left, right| (left.from, &left.host).cmp(&(right.from, &right.host)));
        found
    }

    /// From when to when there is something of these hosts, in microseconds since 1970, to within five minutes.
    pub(crate) fn extent(&self, is_asked: impl Fn(&(String, String)) -> bool) -> Option<(i64, i64)> {
        let slots = self.hosts.iter().filter(|(host, _)| is_asked(host)).map(|(_, days)| slots_of(days));
        let ends = slots.filter_map(|slots| Some((*slots.first()?, *slots.last()?)));
        let (first, last) = ends.reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)))?;
        Some((first * SLOT, (last + 1) * SLOT))
    }
}

/// The slots of some days one after the other, as slots since 1970.
fn slots_of(days: &BTreeMap<i32, Slots>) -> Vec<i64> {
    let of_day = |(day, slots): (&i32, &Slots)| {
        let (first, slots) = (i64::from(*day) * i64::try_from(SLOTS).unwrap_or(288), *slots);
        (0..SLOTS).filter(move |slot| slots.has(*slot)).map(move |slot| first + i64::try_from(slot).unwrap_or(0))
    };
    days.iter().flat_map(of_day).collect()
}

/// The slots around what is missing of a host at the ends of its cluster's log.
fn edges(
    host: &(String, String),
    slots: &[i64],
    heard: &BTreeMap<&(String, String), Vec<i64>>,
) -> impl Iterator<Item = (i64, i64)> + use<> {
    /// A control plane that is replaced is back within a quarter of an hour.
    const REPLACED: i64 = 3;
    let (first, last) = (slots[0], slots[slots.len() - 1]);
    let ends = |other: &[i64]| (other[0], other[other.len() - 1]);
    let others =
        || heard.iter().filter(|(other, _)| other.1 == host.1 && **other != host).map(|(_, slots)| ends(slots));
    let begin = others().map(|(begin, _)| begin).min().filter(|begin| *begin < first);
    let end = others().map(|(_, end)| end).max().filter(|end| *end > last);
    // Another that was there before, or is there after: not one that was heard beside it all the time.
    let follows = others().any(|(_, end)| (end - first).abs() <= REPLACED && end < last);
    let is_followed = others().any(|(begin, _)| (begin - last).abs() <= REPLACED && begin > first);
    // What nobody named may be the log of any of them.
    let is_named = !host.0.is_empty();
    let before = begin.filter(|_| is_named && !follows).map(|begin| (begin - 1, first));
    let after = end.filter(|_| is_named && !is_followed).map(|end| (last, end + 1));
    before.into_iter().chain(after)
}

/// The hours of a tally of `day` that touch `window`, as hours since 1970.
pub(crate) fn hours_in(day: i32, tally: &Tally, window: Window) -> impl Iterator<Item = i64> + use<> {
    let (first, hours) = (i64::from(day) * HOURS, tally.hours);
    (0..HOURS).filter(move |hour| hours >> hour & 1 == 1).map(move |hour| first + hour).filter(move |hour| {
        window.since.is_none_or(|since| (hour + 1) * HOUR > since)
            && window.until.is_none_or(|until| hour * HOUR < until)
    })
}

/// The level of a kind of requests; `None` where the log does not tell it, as Google's does not.
pub(crate) fn level_of(kind: &RequestKind) -> Option<Level> {
    Level::of_name(&kind.level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_with(slots: impl IntoIterator<Item = i64>) -> Observed {
        let mut observed = Observed::default();
        for slot in slots {
            let day = i32::try_from(slot.div_euclid(288)).unwrap();
            let host = observed.hosts.entry(("cp-1".to_owned(), String::new())).or_default();
            host.entry(day).or_default().add(slot.rem_euclid(288) * SLOT);
        }
        observed
    }

    #[test]
    fn a_pause_is_held_against_the_rhythm_of_its_host() {
        let quarter = 15 * 60 * 1_000_000;
        let of = |slots: Vec<i64>| {
            let pauses = host_with(slots).pauses(Window::default(), quarter);
            pauses.into_iter().map(|pause| (pause.from / SLOT, pause.to / SLOT)).collect::<Vec<_>>()
        };
        // Busy all the time, but for half an hour over midnight.
        assert_eq!(of((250..285).chain(291..320).collect()), [(285, 291)]);
        // One that says something every half hour, and once misses three times.
        assert_eq!(of((0..20).filter(|at| *at != 7).map(|at| at * 6).collect()), []);
        assert_eq!(of((0..20).filter(|at| !(7..11).contains(at)).map(|at| at * 6).collect()), [(37, 66)]);
        // Five events are no rhythm.
        assert_eq!(of(vec![0, 1, 2, 3, 90]), []);
        // Unless they are slots full of events.
        let mut busy = host_with([0, 1, 40]);
        let kind = RequestKind {
            group: String::new(),
            resource: Some("pods".to_owned()),
            subresource: String::new(),
            verb: "get".to_owned(),
            level: "Metadata".to_owned(),
            host: "cp-1".to_owned(),
            cluster: String::new(),
        };
        for (events, pauses) in [(299, 0), (300, 1)] {
            busy.kinds.insert(kind.clone(), [(0, Tally { stages: 4, hours: 0b1001, events })].into());
            assert_eq!(busy.pauses(Window::default(), quarter).len(), pauses, "{events}");
        }
        let window = Window { since: Some(300 * SLOT), until: None };
        assert_eq!(host_with((250..285).chain(291..320)).pauses(window, quarter), []);
    }

    #[test]
    fn a_host_that_begins_late_or_ends_early_pauses_unless_another_takes_its_place() {
        let of = |hosts: &[(&str, std::ops::Range<i64>)]| {
            let mut observed = Observed::default();
            for (host, slots) in hosts {
                let days = observed.hosts.entry(((*host).to_owned(), String::new())).or_default();
                slots.clone().for_each(|slot| days.entry(0).or_default().add(slot * SLOT));
            }
            let pauses = observed.pauses(Window::default(), 15 * 60 * 1_000_000);
            let told = |pause: Pause| format!("{} {} {}", pause.host.0, pause.from / SLOT, pause.to / SLOT);
            pauses.into_iter().map(told).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(of(&[("a", 10..60), ("b", 10..20), ("c", 40..60)]), "c 10 40, b 20 60");
        assert_eq!(of(&[("a", 10..60), ("b", 10..20), ("c", 21..60)]), "");
        // A short log says enough for that; a single event says nothing.
        assert_eq!(of(&[("a", 10..60), ("b", 10..14)]), "b 14 60");
        assert_eq!(of(&[("a", 10..60), ("b", 10..13)]), "b 13 60");
        assert_eq!(of(&[("a", 10..60), ("b", 10..11)]), "");
        // Files that were rotated at about the same time, and logs of nobody.
        assert_eq!(of(&[("a", 10..60), ("b", 11..59)]), "");
        assert_eq!(of(&[("a", 10..60), ("", 10..20)]), "");
        let mut observed = Observed::default();
        for (cluster, slots) in [("x", 0..20), ("y", 100..120)] {
            let days = observed.hosts.entry(("cp".to_owned(), cluster.to_owned())).or_default();
            slots.for_each(|slot| days.entry(0).or_default().add(slot * SLOT));
        }
        assert_eq!(observed.pauses(Window::default(), 15 * 60 * 1_000_000), []);
        assert_eq!(observed.extent(|(_, cluster)| cluster == "y"), Some((100 * SLOT, 120 * SLOT)));
    }

    #[test]
    fn hours_are_those_that_touch_the_window() {
        let tally = Tally { stages: 4, hours: 0b1011, events: 3 };
        let hours = |since, until| hours_in(1, &tally, Window { since, until }).collect::<Vec<_>>();
        assert_eq!(hours(None, None), [24, 25, 27]);
        assert_eq!(hours(Some(25 * HOUR), Some(27 * HOUR + 1)), [25, 27]);
        assert_eq!(hours(Some(25 * HOUR + 1), Some(27 * HOUR)), [25]);
    }
}
