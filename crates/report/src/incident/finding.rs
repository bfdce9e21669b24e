//! A detection and what it found, gathered batch by batch: memory does not grow with the number of rows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::deed::Deed;
use super::kept::Kept;
use super::object::may_have_made;
use super::row::{Columns, Row};
use super::sender::Sender;
use crate::document::{Column, Level, Value, instant};

/// Names of users or addresses that are counted for a finding. A client chooses neither, but a log of years has many.
const NAMES_MAX: usize = 10_000;

/// Rows of a finding by which two reports can be compared.
const KEYS_MAX: usize = 50_000;

/// What is asked, and what the reader must know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Name of the query.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// The question, as an analyst asks it.
    pub question: String,
    /// How bad its rows are.
    pub level: Level,
    /// Ids of ATT&CK techniques.
    pub attack: Vec<String>,
    /// The one resource that it is about, when it is about one.
    pub resource: Option<String>,
    /// What the audit policy must have recorded.
    pub needs: String,
    /// Benign sources of rows.
    pub noise: String,
    /// The command that gives the same rows.
    pub command: String,
    /// The statement that gives them.
    pub sql: String,
    /// Whether what it asks for could be seen.
    pub verdict: Verdict,
}

/// Whether what a query asks for could be seen in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// `seen`, `partly`, `not observable`, `no such traffic`.
    pub state: String,
    /// What that means here.
    pub words: String,
    /// Whether some or all of it could not be seen.
    pub is_blind: bool,
}

/// What a detection found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// The question.
    pub question: Question,
    /// The columns of its rows.
    pub columns: Vec<Column>,
    /// The newest rows.
    pub rows: Vec<Vec<Value>>,
    /// How many there are.
    pub total_rows: u64,
    /// First and last time in any row, in microseconds since 1970.
    pub times: Option<(i64, i64)>,
    /// Who, the most rows first.
    pub users: Vec<(String, u64)>,
    /// From where, the most rows first.
    pub source_ips: Vec<(String, u64)>,
    /// Who a row is about, and nobody else with them.
    pub senders: BTreeSet<Sender>,
    /// The rows as sentences, or those that tell the most.
    pub deeds: Vec<Deed>,
    /// Rows that are not among them.
    pub left_out: u64,
    /// A short hash of each row, sorted; those that an earlier report had are among them.
    pub row_keys: Vec<String>,
    /// Rows that `trusted.toml` hides.
    pub trusted_rows: u64,
    /// Rows that an earlier report had already.
    pub known_rows: u64,
    /// The file that has all rows.
    pub data_file: Option<String>,
}

impl Finding {
    /// Whether there is something to look at.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.total_rows > 0
    }
}

/// Takes the rows of a detection.
#[derive(Debug)]
pub struct Gathering {
    question: Question,
    columns: Columns,
    rows_max: usize,
    rows: VecDeque<Vec<Value>>,
    total_rows: u64,
    times: Option<(i64, i64)>,
    users: BTreeMap<String, u64>,
    source_ips: BTreeMap<String, u64>,
    senders: BTreeSet<Sender>,
    deeds: Kept,
    keys: BTreeSet<String>,
    known: Option<BTreeSet<String>>,
    known_rows: u64,
}

impl Gathering {
    /// Gathers the answer to `question`, of which the newest `rows_max` rows are kept. Rows whose key is in `known` were
    /// in an earlier report, and are only counted; when it is `None`, nobody asks for the keys, and rows have none.
    #[must_use]
    pub fn new(question: Question, rows_max: usize, known: Option<BTreeSet<String>>) -> Self {
        Self {
            question,
            columns: Columns::default(),
            rows_max,
            rows: VecDeque::new(),
            total_rows: 0,
            times: None,
            users: BTreeMap::new(),
            source_ips: BTreeMap::new(),
            senders: BTreeSet::new(),
            deeds: Kept::default(),
            keys: BTreeSet::new(),
            known,
            known_rows: 0,
        }
    }

    /// Takes the columns, before any row.
    pub fn columns(&mut self, schema: &Schema) {
        self.columns = Columns::of(schema);
    }

    /// Takes some rows, in the order of the answer.
    pub fn rows(&mut self, batch: &RecordBatch) {
        let mut ahead = self.ahead(batch);
        for at in 0..batch.num_rows() {
            let is_newest = batch.num_rows() - at <= self.rows_max;
            let is_told_apart = self.wants_keys();
            let mut values = vec![Value::Nothing; batch.num_columns()];
            let read = |values: &mut [Value], is_wanted: &dyn Fn(usize) -> bool| {
                for (column, value) in values.iter_mut().enumerate().filter(|(column, _)| is_wanted(*column)) {
                    *value = Value::of(batch, column, at);
                }
            };
            // Of most rows of a long answer only the account is wanted: what it does not ask for is not read.
            let is_whole = is_newest || is_told_apart;
            read(&mut values, &|column| is_whole || self.columns.is_account(column));
            let sender = Sender::of(self.row_of(&values));
            let behind = ahead.get_mut(&sender).map_or(0, |rows| {
                *rows = rows.saturating_sub(1);
                *rows
            });
            if is_told_apart && self.is_known(&values) {
                self.known_rows += 1;
                continue;
            }
            self.count(&values, &sender);
            // Newer ones that are like it and are in this batch would push it out.
            let is_told =
                may_have_made(self.row_of(&values)) || self.deeds.room_of(&sender).is_none_or(|room| behind < room);
            if !is_told {
                self.deeds.leave_out();
            }
            if !is_whole && !is_told {
                continue;
            }
            if !is_whole {
                read(&mut values, &|_| true);
            }
            if is_told {
                self.tell(&values);
            }
            self.rows.push_back(values);
        }
        self.rows.drain(..self.rows.len().saturating_sub(self.rows_max));
    }

    /// Whether a row has to be told apart from all others.
    fn wants_keys(&self) -> bool {
        self.known.as_ref().is_some_and(|known| self.keys.len() < KEYS_MAX || !known.is_empty())
    }

    /// Whether an earlier report had the row. Its key is kept.
    fn is_known(&mut self, values: &[Value]) -> bool {
        let key = self.row_of(values).key();
        let is_known = self.known.as_ref().is_some_and(|known| known.contains(&key));
        // Those of before, too: else the report after this one would tell them as new.
        if self.keys.len() < KEYS_MAX {
            self.keys.insert(key);
        }
        is_known
    }

    fn row_of<'a>(&'a self, values: &'a [Value]) -> Row<'a> {
        Row { columns: &self.columns, values, about: self.question.resource.as_deref() }
    }

    /// Rows of each sender in a batch, where they are more than are told of one.
    fn ahead(&self, batch: &RecordBatch) -> BTreeMap<Sender, usize> {
        let mut ahead = BTreeMap::new();
        if self.deeds.is_roomy(batch.num_rows()) {
            return ahead;
        }
        let mut values = vec![Value::Nothing; batch.num_columns()];
        for at in 0..batch.num_rows() {
            for (column, value) in values.iter_mut().enumerate().filter(|(column, _)| self.columns.is_account(*column))
            {
                *value = Value::of(batch, column, at);
            }
            *ahead.entry(Sender::of(self.row_of(&values))).or_default() += 1;
        }
        ahead
    }

    /// Counts a row.
    fn count(&mut self, values: &[Value], sender: &Sender) {
        self.total_rows += 1;
        let row = Row { columns: &self.columns, values, about: None };
        if let Some((first, last)) = row.times() {
            let (from, to) = self.times.unwrap_or((first, last));
            self.times = Some((from.min(first), to.max(last)));
        }
        count(&mut self.users, &row.users());
        count(&mut self.source_ips, &row.source_ips());
        // Without an address nothing speaks of a request that nobody was authenticated for.
        let is_one = match sender {
            Sender::One(_) => true,
            Sender::Nobody => !row.source_ips().is_empty(),
            Sender::Several(_) | Sender::Untold => false,
        };
        if is_one && self.senders.len() < NAMES_MAX && !self.senders.contains(sender) {
            self.senders.insert(sender.clone());
        }
    }

    /// Keeps what the row tells as a sentence.
    fn tell(&mut self, values: &[Value]) {
        if let Some(deed) = Deed::of(self.row_of(values), &self.question.name, self.question.level) {
            self.deeds.push(deed);
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Finding {
        let (deeds, left_out) = self.deeds.finish();
        Finding {
            question: self.question,
            columns: self.columns.list,
            rows: self.rows.into(),
            total_rows: self.total_rows,
            times: self.times,
            users: most_first(self.users),
            source_ips: most_first(self.source_ips),
            senders: self.senders,
            deeds,
            left_out,
            row_keys: self.keys.into_iter().collect(),
            known_rows: self.known_rows,
            ..Finding::default()
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, names: &[&str]) {
    for name in names {
        if let Some(count) = counts.get_mut(*name) {
            *count += 1;
        } else if counts.len() < NAMES_MAX {
            counts.insert((*name).to_owned(), 1);
        }
    }
}

fn most_first(counts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut names: Vec<(String, u64)> = counts.into_iter().collect();
    names.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
    names
}

/// The times of a finding as RFC 3339.
pub(crate) fn rfc3339(times: Option<(i64, i64)>) -> (Option<String>, Option<String>) {
    (times.map(|(first, _)| instant::rfc3339(first)), times.map(|(_, last)| instant::rfc3339(last)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};

    fn batch(users: &[&str]) -> RecordBatch {
        let times = (1..=i64::try_from(users.len()).unwrap()).map(Some);
        let times: ArrayRef = Arc::new(times.collect::<TimestampMicrosecondArray>());
        let users: ArrayRef = Arc::new(users.iter().copied().map(Some).collect::<StringArray>());
        RecordBatch::try_from_iter([("event_time", times), ("user_name", users)]).unwrap()
    }

    fn gathered(users: &[&str], rows_max: usize, known: BTreeSet<String>) -> Finding {
        let question = Question { name: "q".to_owned(), ..Question::default() };
        let mut gathering = Gathering::new(question, rows_max, Some(known));
        let batch = batch(users);
        gathering.columns(batch.schema_ref());
        gathering.rows(&batch);
        gathering.finish()
    }

    #[test]
    fn all_rows_are_counted_and_the_newest_are_kept() {
        let finding = gathered(&["bob", "anna", "bob"], 2, BTreeSet::new());
        assert_eq!((finding.total_rows, finding.rows.len(), finding.times), (3, 2, Some((1, 3))));
        assert_eq!(finding.users, [("bob".to_owned(), 2), ("anna".to_owned(), 1)]);
        assert_eq!(finding.rows[1][0], Value::Time(3));
    }

    #[test]
    fn rows_that_nobody_tells_apart_have_the_same_account() {
        let mut users = vec!["flood"; 3_000];
        users.extend(["bob", "anna"]);
        let with_keys = gathered(&users, 2, BTreeSet::new());
        let mut gathering = Gathering::new(with_keys.question.clone(), 2, None);
        let batch = batch(&users);
        gathering.columns(batch.schema_ref());
        // In several batches, as they come.
        for at in (0..batch.num_rows()).step_by(1_001) {
            gathering.rows(&batch.slice(at, 1_001.min(batch.num_rows() - at)));
        }
        assert_eq!(gathering.finish(), Finding { row_keys: Vec::new(), ..with_keys });
    }

    #[test]
    fn what_an_earlier_report_had_is_only_counted() {
        let before = gathered(&["bob", "anna"], 9, BTreeSet::new());
        let after = gathered(&["bob", "anna", "eve"], 9, before.row_keys.into_iter().collect());
        assert_eq!((after.known_rows, after.total_rows), (2, 1));
        assert_eq!(after.users, [("eve".to_owned(), 1)]);
        // A report that is compared with this one knows what was before it.
        let third = gathered(&["bob", "anna", "eve"], 9, after.row_keys.into_iter().collect());
        assert_eq!((third.known_rows, third.total_rows), (3, 0));
    }

    #[test]
    fn a_flood_of_one_user_leaves_room_for_the_deeds_of_another() {
        let mut users = vec!["flood"; 3_000];
        users.push("bob");
        let finding = gathered(&users, 1, BTreeSet::new());
        assert_eq!(finding.total_rows, 3_001);
        assert!(finding.deeds.iter().any(|deed| deed.who.name() == Some("bob")));
        assert_eq!((finding.deeds.len(), finding.left_out), (201, 2_800));
        let times: Vec<i64> = finding.deeds.iter().map(|deed| deed.at).collect();
        assert!((1..=100).chain(2_901..=3_001).eq(times), "the first and the newest");
    }
}
