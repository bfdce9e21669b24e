//! From where users who are no part of the cluster sent the requests of a data file, and whom else they name as the sender.
//! It stands in the log beside each file, so that whether a load balancer stands in front of the API server is told without
//! opening one.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use kforensic_event::columns;

/// The tag of an `add` that holds it.
pub(crate) const SENT: &str = "sent";

/// Most addresses of one file, and most users behind them. Clients choose what they claim; a file with more has no such
/// tag, and whoever needs it reads the file.
const MAX_SOURCES: usize = 64;
const MAX_PASSED_ON: usize = 256;

/// Longest text that is kept, in bytes: that of the names of Kubernetes. A longer one would have to be cut, and might then be
/// that of somebody else.
const MAX_TEXT_BYTES: usize = 253;

/// Requests of users whose name does not begin with `system:`, by where they came from. Of a request whose `source_ip` is
/// not the last of its addresses nothing is told: a collector left out what did not fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// Requests by the address that they came from.
    pub from: BTreeMap<String, u64>,
    /// Those of them that name somebody before that address: by it, the user, and the address that is named.
    pub passed_on: BTreeMap<(String, String, String), u64>,
}

impl Sent {
    /// Adds what another file holds.
    pub fn merge(&mut self, other: Self) {
        for (source, requests) in other.from {
            *self.from.entry(source).or_default() += requests;
        }
        for (way, requests) in other.passed_on {
            *self.passed_on.entry(way).or_default() += requests;
        }
    }

    fn to_tag(&self) -> String {
        let passed_on = self.passed_on.iter().map(|((source, user, named), requests)| (source, user, named, requests));
        // Texts and numbers can always be written.
        serde_json::to_string(&(self.from.iter().collect::<Vec<_>>(), passed_on.collect::<Vec<_>>()))
            .unwrap_or_default()
    }

    /// Reads a tag; `None` when it is not one that this version writes, which costs no more than reading the file.
    pub fn from_tag(tag: &str) -> Option<Self> {
        type Written = (Vec<(String, u64)>, Vec<(String, String, String, u64)>);
        let (from, passed_on): Written = serde_json::from_str(tag).ok()?;
        let passed_on = passed_on.into_iter().map(|(source, user, named, requests)| ((source, user, named), requests));
        Some(Self { from: from.into_iter().collect(), passed_on: passed_on.collect() })
    }
}

/// Collects it while a file is written.
#[derive(Debug, Default)]
pub(crate) struct SentBuilder {
    from: Vec<(String, u64)>,
    passed_on: Vec<([String; 3], u64)>,
    /// Numbers of what was passed on by a hash that a client cannot foresee: nothing is allocated for a row.
    numbers: HashMap<u64, Vec<usize>>,
    hasher: RandomState,
    is_overflown: bool,
}

impl SentBuilder {
    pub(crate) fn add(&mut self, batch: &RecordBatch) {
        const FINAL: usize = columns::at("final");
        const USER: usize = columns::at("user_name");
        const SOURCE: usize = columns::at("source_ip");
        const SOURCES: usize = columns::at("source_ips");
        let is_final = batch.column(FINAL).as_boolean();
        let users = batch.column(USER).as_string::<i32>();
        let sources = batch.column(SOURCE).as_string::<i32>();
        let lists = batch.column(SOURCES).as_list::<i32>();
        let addresses = lists.values().as_string::<i32>();
        let text = |texts: &'_ StringArray, at: usize| texts.is_valid(at).then_some(at);
        let mut last = 0;
        for row in 0..batch.num_rows() {
            if self.is_overflown {
                // There is no summary then: what it costs to go on is a client's choice.
                return;
            }
            let is_request = is_final.is_valid(row) && is_final.value(row);
            if !is_request || users.is_null(row) || sources.is_null(row) || lists.is_null(row) {
                continue;
            }
            let (user, source) = (users.value(row), sources.value(row));
            let bounds = lists.value_offsets();
            let [Ok(first), Ok(end)] = [bounds[row], bounds[row + 1]].map(usize::try_from) else { continue };
            let peer = end.checked_sub(1).filter(|at| *at >= first).and_then(|at| text(addresses, at));
            if user.starts_with("system:") || peer.is_none_or(|at| addresses.value(at) != source) {
                continue;
            }
            last = self.came_from(source, last);
            let named = end.checked_sub(2).filter(|at| *at >= first).and_then(|at| text(addresses, at));
            if let Some(at) = named {
                self.came_by([source, user, addresses.value(at)]);
            }
        }
    }

    /// Counts a request from an address, which is most likely that of the one before.
    fn came_from(&mut self, source: &str, last: usize) -> usize {
        let is_it = |at: &usize| self.from.get(*at).is_some_and(|(known, _)| known == source);
        let known = Some(last).filter(is_it).or_else(|| (0..self.from.len()).find(is_it));
        let at = known.unwrap_or(self.from.len());
        match self.from.get_mut(at) {
            Some((_, requests)) => *requests += 1,
            None if at == MAX_SOURCES || source.len() > MAX_TEXT_BYTES => self.is_overflown = true,
            None => self.from.push((source.to_owned(), 1)),
        }
        at
    }

    fn came_by(&mut self, way: [&str; 3]) {
        let numbers = self.numbers.entry(self.hasher.hash_one(way)).or_default();
        let known = numbers.iter().copied().find(|at| self.passed_on.get(*at).is_some_and(|(known, _)| *known == way));
        if let Some((_, requests)) = known.and_then(|at| self.passed_on.get_mut(at)) {
            *requests += 1;
        } else if self.passed_on.len() == MAX_PASSED_ON || way.iter().any(|text| text.len() > MAX_TEXT_BYTES) {
            self.is_overflown = true;
        } else {
            numbers.push(self.passed_on.len());
            self.passed_on.push((way.map(str::to_owned), 1));
        }
    }

    /// The summary as a tag; `None` when the file holds too much to be summed up.
    pub(crate) fn finish(self) -> Option<String> {
        let passed_on = self.passed_on.into_iter().map(|([source, user, named], count)| ((source, user, named), count));
        let sent = Sent { from: self.from.into_iter().collect(), passed_on: passed_on.collect() };
        (!self.is_overflown).then(|| sent.to_tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_comes_back_from_its_tag_and_adds_up() {
        let mut builder = SentBuilder::default();
        let mut last = 0;
        for (source, user, named) in [
            ("10.0.0.1", "bob", Some("203.0.113.9")),
            ("10.0.0.1", "bob", Some("203.0.113.9")),
            ("10.0.0.1", "o'\"hara", Some("203.0.113.8")),
            ("10.0.0.2", "bob", None),
        ] {
            last = builder.came_from(source, last);
            if let Some(named) = named {
                builder.came_by([source, user, named]);
            }
        }
        let tag = builder.finish().unwrap();
        let mut sent = Sent::from_tag(&tag).unwrap();
        assert_eq!(sent.to_tag(), tag);
        sent.merge(sent.clone());
        assert_eq!(sent.from, [("10.0.0.1".to_owned(), 6), ("10.0.0.2".to_owned(), 2)].into());
        let way = |user: &str, named: &str| ("10.0.0.1".to_owned(), user.to_owned(), named.to_owned());
        assert_eq!(sent.passed_on, [(way("bob", "203.0.113.9"), 4), (way("o'\"hara", "203.0.113.8"), 2)].into());
        for other in ["", "{}", "[]", "[[],[[1,2,3,4]]]"] {
            assert_eq!(Sent::from_tag(other), None, "{other}");
        }
    }

    #[test]
    fn a_client_cannot_make_it_large() {
        let mut builder = SentBuilder::default();
        for number in 0..MAX_PASSED_ON {
            builder.came_by(["10.0.0.1", "bob", &number.to_string()]);
        }
        builder.came_by(["10.0.0.1", "bob", "7"]);
        assert!(!builder.is_overflown);
        builder.came_by(["10.0.0.1", "bob", "one more"]);
        assert_eq!(builder.finish(), None);
        let mut builder = SentBuilder::default();
        builder.came_by(["10.0.0.1", "bob", &"é".repeat(MAX_TEXT_BYTES)]);
        assert_eq!(builder.finish(), None);
        let mut builder = SentBuilder::default();
        (0..=MAX_SOURCES).for_each(|number| _ = builder.came_from(&number.to_string(), 0));
        assert_eq!(builder.finish(), None);
    }
}
