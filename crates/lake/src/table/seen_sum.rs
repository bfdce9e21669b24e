//! What many data files hold, added up from the summaries that stand beside them in the log.
//!
//! A case of years has tens of thousands of files, and their summaries say the same few names over and over: so each name
//! gets one number, and kinds of requests are told apart by numbers until all files are in.

use std::collections::{BTreeMap, HashMap};

use crate::table::seen::{Marked, RequestKind, Slots, Tally, Written};

/// In the place of a name: there is none.
const NONE: u32 = u32::MAX;

/// Collects the summaries of files.
#[derive(Debug, Default)]
pub struct SeenSum {
    /// Names with their numbers.
    numbers: HashMap<String, u32>,
    names: Vec<String>,
    /// Group, resource, subresource, verb, level, host, cluster; by day.
    kinds: HashMap<[u32; 7], BTreeMap<i32, Tally>>,
    /// Host and cluster; by day.
    hosts: HashMap<[u32; 2], BTreeMap<i32, Slots>>,
    marked: Marked,
    /// Numbers of the texts of the tag at hand, in their order.
    texts: Vec<u32>,
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

impl SeenSum {
    /// Adds the file of a day; `None` when its tag is not one that this version writes. What was added of it until then stays,
    /// so that there is no use of the sum then.
    pub fn add(&mut self, day: i32, tag: &str) -> Option<()> {
        let Written { t, k, h, m, .. } = serde_json::from_str(tag).ok()?;
        self.texts.clear();
        for text in t {
            let number = match self.numbers.get(&*text) {
                Some(number) => *number,
                None => {
                    let number = u32::try_from(self.names.len()).ok().filter(|number| *number != NONE)?;
                    self.numbers.insert(text.clone().into_owned(), number);
                    self.names.push(text.into_owned());
                    number
                }
            };
            self.texts.push(number);
        }
        let text = |at: u32| self.texts.get(usize::try_from(at).ok()?).copied();
        for (group, resource, subresource, verb, level, host, cluster, stages, hours, events) in k {
            let resource = resource.map_or(Some(NONE), text)?;
            let [group, subresource] = [text(group)?, text(subresource)?];
            let kind = [group, resource, subresource, text(verb)?, text(level)?, text(host)?, text(cluster)?];
            let sum = self.kinds.entry(kind).or_default().entry(day).or_default();
            sum.stages |= stages;
            sum.hours |= hours;
            sum.events += events;
        }
        for (host, cluster, slots) in h {
            let host = [text(host)?, text(cluster)?];
            self.hosts.entry(host).or_default().entry(day).or_default().merge(&Slots(slots));
        }
        self.marked += m;
        Some(())
    }

    /// What all of them hold.
    pub fn finish(self) -> SeenInDays {
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
        SeenInDays {
            kinds: self.kinds.into_iter().map(|(numbers, days)| (kind(numbers), days)).collect(),
            hosts: self.hosts.into_iter().map(|([host, cluster], days)| ((text(host), text(cluster)), days)).collect(),
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
        let found = sum.finish();
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
