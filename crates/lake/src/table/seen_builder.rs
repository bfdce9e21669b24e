//! Sums a data file up while it is written ([`Seen`]).

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use arrow::array::{
    Array, AsArray, BooleanArray, Int32Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use kforensic_event::{assumed, columns};
use memchr::memmem::Finder;

use super::seen::{HOUR, LOGIN_DECISION, Marked, RequestKind, Seen, Slots, Tally, cut, stage_bit};

/// Most kinds of requests that are told apart in one file. A client chooses resources and verbs, so it could make one of
/// every request; a file with more has no summary, and whoever needs it reads the file.
const MAX_KINDS: usize = 1_000;

/// Most status codes that are told apart in one file. Servers behind a proxy answer with whatever they like.
const MAX_CODES: usize = 32;

/// Where the level stands among the texts of a kind.
const LEVEL: usize = 4;

/// Collects a summary while a file is written.
#[derive(Debug, Default)]
pub(crate) struct SeenBuilder {
    marked: Marked,
    /// Status codes, one more than are told apart when there are more.
    codes: BTreeSet<i32>,
    logins: u64,
    /// Kinds by number.
    kinds: Vec<Tally>,
    names: Vec<RequestKind>,
    /// Numbers of kinds by a hash of their texts, which a client cannot foresee: nothing is allocated for a row.
    numbers: HashMap<u64, Vec<usize>>,
    hasher: RandomState,
    hosts: Vec<((String, String), Slots)>,
    overflown: bool,
}

/// Columns of a batch that a summary is made from.
struct Summed<'a> {
    times: &'a TimestampMicrosecondArray,
    /// API group, resource, subresource, verb, level, host, cluster.
    texts: [&'a StringArray; 7],
    stage: &'a StringArray,
    salvaged: &'a StringArray,
    assumed: &'a ListArray,
    stages: &'a ListArray,
    codes: &'a Int32Array,
    annotations: &'a StringArray,
    truncated: &'a BooleanArray,
    is_final: &'a BooleanArray,
}

impl<'a> Summed<'a> {
    fn of(batch: &'a RecordBatch) -> Self {
        let text = |at: usize| batch.column(at).as_string::<i32>();
        const TEXTS: [usize; 7] = [
            columns::at("api_group"),
            columns::at("resource"),
            columns::at("subresource"),
            columns::at("verb"),
            columns::at("level"),
            columns::at("host"),
            columns::at("cluster"),
        ];
        const TIME: usize = columns::at("event_time");
        const STAGE: usize = columns::at("stage");
        const SALVAGED: usize = columns::at("salvaged");
        const ASSUMED: usize = columns::at("assumed");
        const TRUNCATED: usize = columns::at("truncated");
        const FINAL: usize = columns::at("final");
        const STAGES: usize = columns::at("stages");
        const CODE: usize = columns::at("status_code");
        const ANNOTATIONS: usize = columns::at("annotations");
        Self {
            times: batch.column(TIME).as_primitive::<TimestampMicrosecondType>(),
            texts: TEXTS.map(text),
            stage: text(STAGE),
            salvaged: text(SALVAGED),
            assumed: batch.column(ASSUMED).as_list::<i32>(),
            stages: batch.column(STAGES).as_list::<i32>(),
            codes: batch.column(CODE).as_primitive::<Int32Type>(),
            annotations: text(ANNOTATIONS),
            truncated: batch.column(TRUNCATED).as_boolean(),
            is_final: batch.column(FINAL).as_boolean(),
        }
    }
}

impl Summed<'_> {
    /// The level that is left of an event when its collector withheld bodies; `None` when it withheld none.
    fn level_left(&self, row: usize) -> Option<&'static str> {
        if self.assumed.is_null(row) {
            return None;
        }
        let assumed = self.assumed.value(row);
        let has = |what: &str| assumed.as_string::<i32>().iter().flatten().any(|assumed| assumed == what);
        match (has(assumed::REQUEST_WITHHELD), has(assumed::RESPONSE_WITHHELD)) {
            (true, _) => Some("Metadata"),
            (false, true) => Some("Request"),
            (false, false) => None,
        }
    }
}

impl SeenBuilder {
    pub(crate) fn add(&mut self, batch: &RecordBatch) {
        let of = Summed::of(batch);
        let rows = batch.num_rows() as u64;
        self.marked.requests += of.is_final.true_count() as u64;
        self.marked.truncated += of.truncated.true_count() as u64;
        self.marked.assumed += rows - of.assumed.null_count() as u64;
        for salvaged in of.salvaged.iter().flatten() {
            match salvaged {
                "cut" => self.marked.cut += 1,
                "split-part" => self.marked.parts += 1,
                _ => self.marked.salvaged += 1,
            }
        }
        self.add_answers(&of);
        // A request has an event for each of its stages; what is beyond that are copies that differ.
        let events = rows - of.times.null_count() as u64;
        let stages = |row: usize| u64::try_from(of.stages.value_length(row)).unwrap_or_default().max(1);
        let is_final = |row: &usize| of.is_final.is_valid(*row) && of.is_final.value(*row);
        let expected: u64 = (0..batch.num_rows()).filter(is_final).map(stages).sum();
        self.marked.copies += events.saturating_sub(expected);
        let (mut last, mut last_host) = (None, 0);
        for row in 0..batch.num_rows() {
            if of.times.is_null(row) {
                continue;
            }
            let micros = of.times.value(row);
            let mut parts = of.texts.map(|texts| value(texts, row));
            if let Some(level) = of.level_left(row) {
                self.marked.withheld += 1;
                parts[LEVEL] = parts[LEVEL].map(|_| level);
            }
            if !last.is_some_and(|last: usize| is(&self.names[last], parts)) {
                last = self.number(parts);
            }
            if let Some(number) = last {
                let tally = &mut self.kinds[number];
                tally.events += 1;
                tally.stages |= stage_bit(value(of.stage, row));
                // Within a day, so less than 24.
                tally.hours |= 1 << (micros.rem_euclid(24 * HOUR) / HOUR);
            }
            if self.overflown {
                // There is no summary then: what it costs to go on is a client's choice.
                return;
            }
            last_host = self.host(last_host, parts[5].unwrap_or_default(), parts[6].unwrap_or_default());
            self.hosts[last_host].1.add(micros);
        }
    }

    /// Notes how requests were answered.
    fn add_answers(&mut self, of: &Summed<'_>) {
        let mut last = None;
        for code in of.codes.iter().flatten() {
            // Most are as the one before.
            if last.replace(code) != Some(code) && self.codes.len() <= MAX_CODES {
                self.codes.insert(code);
            }
        }
        let decision = Finder::new(LOGIN_DECISION);
        let says_it = |annotations: &&str| decision.find(annotations.as_bytes()).is_some();
        self.logins += of.annotations.iter().flatten().filter(says_it).count() as u64;
    }

    /// The number of the kind with these texts; `None` when there are too many kinds.
    fn number(&mut self, parts: [Option<&str>; 7]) -> Option<usize> {
        let parts = parts.map(|part| part.map(cut));
        let hash = self.hasher.hash_one(parts);
        let names = &self.names;
        let known =
            self.numbers.get(&hash).and_then(|numbers| numbers.iter().find(|number| is(&names[**number], parts)));
        if let Some(number) = known {
            return Some(*number);
        }
        if self.names.len() == MAX_KINDS {
            self.overflown = true;
            return None;
        }
        let number = self.names.len();
        self.numbers.entry(hash).or_default().push(number);
        self.names.push(kind(parts));
        self.kinds.push(Tally::default());
        Some(number)
    }

    /// The number of a host, which is most likely that of the row before.
    fn host(&mut self, last: usize, host: &str, cluster: &str) -> usize {
        let key = (cut(host), cut(cluster));
        let is_it = |number: &usize| {
            self.hosts.get(*number).is_some_and(|(known, _)| same(&known.0, key.0) && same(&known.1, key.1))
        };
        let known = Some(last).filter(is_it).or_else(|| (0..self.hosts.len()).find(is_it));
        known.unwrap_or_else(|| {
            self.hosts.push(((key.0.to_owned(), key.1.to_owned()), Slots::default()));
            self.hosts.len() - 1
        })
    }

    /// The summary as a tag; `None` when the file holds too much to be summed up.
    pub(crate) fn finish(self) -> Option<String> {
        let kinds = self.names.into_iter().zip(self.kinds).collect();
        let hosts = self.hosts.into_iter().collect();
        let codes = Some(self.codes).filter(|codes| codes.len() <= MAX_CODES);
        let seen = Seen { kinds, hosts, codes, logins: Some(self.logins), marked: self.marked };
        (!self.overflown).then(|| seen.to_tag())
    }
}

fn value(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

fn is(kind: &RequestKind, [group, resource, subresource, verb, level, host, cluster]: [Option<&str>; 7]) -> bool {
    let is = |ours: &str, theirs: Option<&str>| same(ours, theirs.unwrap_or_default());
    is(&kind.group, group)
        && kind.resource.is_some() == resource.is_some()
        && is(kind.resource.as_deref().unwrap_or_default(), resource)
        && is(&kind.subresource, subresource)
        && is(&kind.verb, verb)
        && is(&kind.level, level)
        && is(&kind.host, host)
        && is(&kind.cluster, cluster)
}

/// The names are short: to compare them here is several times faster than to call `memcmp`.
fn same(ours: &str, theirs: &str) -> bool {
    ours.len() == theirs.len() && ours.bytes().zip(theirs.bytes()).all(|(our, their)| our == their)
}

fn kind([group, resource, subresource, verb, level, host, cluster]: [Option<&str>; 7]) -> RequestKind {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    RequestKind {
        group: text(group),
        resource: resource.map(str::to_owned),
        subresource: text(subresource),
        verb: text(verb),
        level: text(level),
        host: text(host),
        cluster: text(cluster),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_status_codes_are_not_told_apart() {
        let mut builder = SeenBuilder { codes: (0..=32).collect(), ..SeenBuilder::default() };
        assert_eq!(Seen::from_tag(&std::mem::take(&mut builder).finish().unwrap()).unwrap().codes, None);
        builder.codes = (0..32).collect();
        assert_eq!(Seen::from_tag(&builder.finish().unwrap()).unwrap().codes.unwrap().len(), 32);
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
