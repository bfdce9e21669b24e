//! What many data files hold, added up from the summaries that stand beside them in the log.
//!
//! A case of years has tens of thousands of files, and their summaries say the same few names over and over: so each name
//! gets one number, and kinds of requests are told apart by numbers until all files are in.

use std::collections::{BTreeMap, HashMap};
use std::thread;

use crate::table::seen::{Marked, RequestKind, Slots, Tally};
use crate::table::seen_tag::Written;
use crate::table::snapshot::{DataFile, Snapshot};

/// In the place of a name: there is none.
const NONE: u32 = u32::MAX;

/// Fewer files are summed up by one thread: to start another takes longer.
const FEW_FILES: usize = 500;

/// Collects the summaries of files.
#[derive(Debug, Default)]
struct SeenSum {
    /// Names with their numbers.
    numbers: HashMap<String, u32>,
    names: Vec<String>,
    /// Group, resource, subresource, verb, level, host, cluster; by day.
    kinds: HashMap<[u32; 7], Days<Tally>>,
    /// Host and cluster; by day.
    hosts: HashMap<[u32; 2], Days<Slots>>,
    marked: Marked,
}

/// What there is of something on each day, for files that come day after day, as a log names them: days of a thousand files
/// are not looked for one by one.
#[derive(Debug)]
struct Days<T>(Vec<(i32, T)>);

impl<T> Default for Days<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Default + Copy> Days<T> {
    /// The sum of the day, if it is the newest.
    fn of(&mut self, day: i32) -> &mut T {
        if self.0.last().is_none_or(|(last, _)| *last != day) {
            self.0.push((day, T::default()));
        }
        let last = self.0.len() - 1;
        &mut self.0[last].1
    }

    /// All days in their order, each once.
    fn in_order(self, merge: impl Fn(&mut T, &T)) -> BTreeMap<i32, T> {
        if self.0.is_sorted_by(|(left, _), (right, _)| left < right) {
            return self.0.into_iter().collect();
        }
        let mut days = BTreeMap::<i32, T>::new();
        for (day, sum) in self.0 {
            merge(days.entry(day).or_default(), &sum);
        }
        days
    }
}

/// Summaries of files, added up.
#[derive(Debug, Default)]
pub struct SeenInDays {
    /// The kinds of requests, with a tally for each UTC day (in days since 1970).
    pub kinds: BTreeMap<RequestKind, BTreeMap<i32, Tally>>,
    /// Host and cluster, and when they logged something on each of these days.
    pub hosts: BTreeMap<(String, String), BTreeMap<i32, Slots>>,
    /// How many events of all have a mark.
    pub marked: Marked,
}

impl SeenInDays {
    /// Adds up the files of events; `None` when not all of them have a summary that this version can read.
    pub fn of(snapshot: &Snapshot) -> Option<Self> {
        let files: Vec<&DataFile> = snapshot.event_files().collect();
        let sum_of = |files: &[&DataFile]| {
            let mut sum = SeenSum::default();
            files.iter().try_for_each(|file| sum.add(file.day?, file.seen.as_deref()?)).map(|()| sum)
        };
        let threads = thread::available_parallelism().map_or(1, usize::from).min(files.len() / FEW_FILES);
        let (first, others) = files.split_at(files.len() / threads.max(1));
        let sum = thread::scope(|scope| {
            let parts = others.chunks(first.len().max(1));
            let others: Vec<_> = parts.map(|part| scope.spawn(move || sum_of(part))).collect();
            others.into_iter().fold(sum_of(first), |sum, other| {
                let other = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                sum?.with(other?)
            })
        });
        sum.map(SeenSum::finish)
    }
}

impl SeenSum {
    /// The number of a name.
    fn number(&mut self, name: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = u32::try_from(self.names.len()).ok().filter(|number| *number != NONE)?;
        self.numbers.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        Some(number)
    }

    /// Adds the file of a day; `None` when its tag is not one that this version writes. What was added of it until then stays,
    /// so that there is no use of the sum then.
    fn add(&mut self, day: i32, tag: &str) -> Option<()> {
        let Written { t, k, h, m, .. } = Written::of(tag)?;
        let texts = t.iter().map(|text| self.number(text)).collect::<Option<Vec<u32>>>()?;
        let text = |at: u32| texts.get(usize::try_from(at).ok()?).copied();
        for (group, resource, subresource, verb, level, host, cluster, stages, hours, events) in k {
            let resource = resource.map_or(Some(NONE), text)?;
            let [group, subresource] = [text(group)?, text(subresource)?];
            let kind = [group, resource, subresource, text(verb)?, text(level)?, text(host)?, text(cluster)?];
            self.kinds.entry(kind).or_default().of(day).merge(&Tally { stages, hours, events });
        }
        for (host, cluster, slots) in h {
            let host = [text(host)?, text(cluster)?];
            self.hosts.entry(host).or_default().of(day).merge(&Slots(slots));
        }
        self.marked += m;
        Some(())
    }

    /// Adds what was added up of files that come behind these.
    fn with(mut self, other: Self) -> Option<Self> {
        let numbers = other.names.iter().map(|name| self.number(name)).collect::<Option<Vec<u32>>>()?;
        let ours = |number: u32| numbers.get(number as usize).copied().unwrap_or(NONE);
        for (kind, days) in other.kinds {
            self.kinds.entry(kind.map(ours)).or_default().0.extend(days.0);
        }
        for (host, days) in other.hosts {
            self.hosts.entry(host.map(ours)).or_default().0.extend(days.0);
        }
        self.marked += other.marked;
        Some(self)
    }

    /// What all of them hold.
    fn finish(self) -> SeenInDays {
        let name = |number: u32| self.names.get(number as usize).cloned();
        let text = |number| name(number).unwrap_or_default();
        let kind = |[group, resource, subresource, verb, level, host, cluster]: [u32; 7]| RequestKind {
            group: text(group),
            resource: name(resource),
            subresource: text(subresource),
            verb: text(verb),
            level: text(level),
            host: text(host),
            cluster: text(cluster),
        };
        let hosts = self.hosts.into_iter();
        SeenInDays {
            kinds: self.kinds.into_iter().map(|(numbers, days)| (kind(numbers), days.in_order(Tally::merge))).collect(),
            hosts: hosts
                .map(|([host, cluster], days)| ((text(host), text(cluster)), days.in_order(Slots::merge)))
                .collect(),
            marked: self.marked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::seen::Seen;

    #[test]
    fn sums_are_those_of_the_summaries() {
        // Three files of two days, which number their texts each in their own way.
        let tags = [
            (
                7,
                r#"{"t":["","pods","get","Metadata","a"],"k":[[0,1,0,2,3,4,0,5,1,10],[0,null,0,2,3,4,0,4,2,1]],"h":[[4,0,[1,0,0,0,0]]],"m":[1,2,3,4,5,6,7,8]}"#,
            ),
            (
                7,
                r#"{"t":["a","get","","Metadata","pods"],"k":[[2,4,2,1,3,0,2,2,4,20]],"h":[[0,2,[2,0,0,0,1]]],"m":[10,0,0,0,0,0,0,1]}"#,
            ),
            (8, r#"{"t":["pods","","get","Metadata","a"],"k":[[1,0,1,2,3,4,1,1,8,30]],"h":[],"m":[0,0,0,0,0,0,0,0]}"#),
        ];
        let mut sum = SeenSum::default();
        let mut expected = SeenInDays::default();
        for (day, tag) in tags {
            sum.add(day, tag).unwrap();
            let seen = Seen::from_tag(tag).unwrap();
            for (kind, tally) in seen.kinds {
                let sum = expected.kinds.entry(kind).or_default().entry(day).or_default();
                *sum = Tally {
                    stages: sum.stages | tally.stages,
                    hours: sum.hours | tally.hours,
                    events: sum.events + tally.events,
                };
            }
            for (host, slots) in seen.hosts {
                expected.hosts.entry(host).or_default().entry(day).or_default().merge(&slots);
            }
        }
        let parts = |at: usize| {
            let sum_of = |tags: &[(i32, &str)]| {
                let mut sum = SeenSum::default();
                tags.iter().for_each(|(day, tag)| sum.add(*day, tag).unwrap());
                sum
            };
            sum_of(&tags[..at]).with(sum_of(&tags[at..])).unwrap().finish()
        };
        let found = sum.finish();
        for at in 0..=tags.len() {
            let joined = parts(at);
            assert_eq!(
                (&joined.kinds, &joined.hosts, joined.marked),
                (&found.kinds, &found.hosts, found.marked),
                "{at}"
            );
        }
        assert_eq!((&found.kinds, &found.hosts), (&expected.kinds, &expected.hosts));
        let pods = found.kinds.iter().find(|(kind, _)| kind.resource.is_some()).unwrap();
        let tally = |day: i32| pods.1.get(&day).map(|tally| (tally.stages, tally.hours, tally.events));
        assert_eq!((found.kinds.len(), tally(7), tally(8)), (2, Some((7, 5, 30)), Some((1, 8, 30))));
        assert_eq!(found.marked, (11, 2, 3, 4, 5, 6, 7, 9).into());
        for other in ["", "[]", r#"{"t":[],"k":[[0,null,0,0,0,0,0,1,1,1]],"h":[],"m":[0,0,0,0,0,0,0,0]}"#] {
            assert_eq!(SeenSum::default().add(1, other), None, "{other}");
        }
    }
}
