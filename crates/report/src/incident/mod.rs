//! What a case tells as a whole: findings, who stands out, what is left behind, and what could not be seen. From it come
//! the screen of `triage`, the document of `report`, and what programs read.
//!
//! Pure: everything that it needs is handed in, the clock as well, and comes out in the same order every time.

mod deed;
mod finding;
mod happened;
mod kept;
mod navigator;
mod object;
mod ocsf;
mod people;
mod remains;
mod row;
pub mod section;
mod sender;
mod tables;
mod techniques;
mod trail;
mod triage;

use arrow::array::RecordBatch;

pub use deed::{Deed, Rights, Taken};
pub use finding::{Finding, Gathering, Question, Verdict};
pub use navigator::navigator;
pub use object::Object;
pub use ocsf::ocsf;
pub use people::{Origin, Person, merged, origins, stand_out};
pub use remains::{Deletion, deletions};
pub use sender::Sender;
pub use tables::{deeds_batch, findings_batch};
pub use trail::{Trail, table_of};
pub use triage::{Screen, triage};

use crate::document::{FindingIndex, Level, Table};

/// All that is known of a case, for one window of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Incident {
    /// The case and its evidence.
    pub evidence: Evidence,
    /// Begin and end of what was asked for, in microseconds since 1970.
    pub window: (Option<i64>, Option<i64>),
    /// The time from which ages are counted, in microseconds since 1970.
    pub now: i64,
    /// What the detections found, with those that found nothing: the worst first, then by name.
    pub findings: Vec<Finding>,
    /// Who came from where with what.
    pub origins: Vec<Origin>,
    /// The same of all times before the end of the window.
    pub history: Vec<Origin>,
    /// What was deleted.
    pub deletions: Vec<Deletion>,
    /// Rows of the query `activity`: requests over time, by outcome.
    pub activity: Vec<RecordBatch>,
    /// Rows of the query `rhythm`: requests of people by weekday and hour.
    pub rhythm: Vec<RecordBatch>,
    /// Notes that people have put on events.
    pub tags: Vec<Tag>,
    /// What limits the view, beyond the verdicts: gaps, rejects, prunes.
    pub reservations: Vec<String>,
    /// The command that has to come before any other, where they would not ask this case.
    pub first: Option<String>,
    /// What is wrong with the notes that people have put on events.
    pub notes_problem: Option<String>,
    /// Where clues lead; `None` when none was followed.
    pub trail: Option<Trail>,
}

/// The case and its evidence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// What the case is called.
    pub case: String,
    /// Hash of its newest commit.
    pub fingerprint: String,
    /// Number of its newest commit.
    pub commit: u64,
    /// Names of the clusters that the logs come from.
    pub clusters: Vec<String>,
    /// Whether the logs come from several clusters, named or not.
    pub of_several_clusters: bool,
    /// Names of the hosts that the logs come from.
    pub hosts: Vec<String>,
    /// Sources that were read.
    pub sources: u64,
    /// Records that were read.
    pub records: u64,
    /// Events that are stored.
    pub events: u64,
    /// Requests that they make up.
    pub requests: u64,
    /// Records that were stored already.
    pub duplicates: u64,
    /// Records that are no audit event.
    pub rejected: u64,
    /// Secret values that were replaced by hashes.
    pub redacted: u64,
    /// Files that were left out.
    pub skipped: u64,
    /// Time of the first and the last event, in microseconds since 1970.
    pub times: Option<(i64, i64)>,
    /// Identities that sent requests.
    pub identities: u64,
    /// The account of every source.
    pub accounts: Table,
    /// What was done to the case: command, time, version, hash.
    pub custody: Table,
}

/// A note that somebody has put on an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// The event.
    pub audit_id: String,
    /// The word.
    pub tag: String,
    /// What else there is to say.
    pub note: Option<String>,
    /// Who.
    pub author: Option<String>,
    /// When, RFC 3339.
    pub at: String,
}

impl Incident {
    /// The detections that found something, the worst first.
    pub fn found(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_found())
    }

    /// The detections of at least medium severity of which not all rows are told one by one, with how many are not.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = (&str, u64)> {
        let told = self.found().filter(|finding| finding.left_out > 0 && finding.question.level >= Level::Medium);
        told.map(|finding| (finding.question.name.as_str(), finding.left_out))
    }

    /// Rows that the report had which this one is compared with; they are left out.
    #[must_use]
    pub fn known_rows(&self) -> u64 {
        self.findings.iter().map(|finding| finding.known_rows).sum()
    }

    /// Puts the findings into their order: the worst first, then by name.
    pub fn sort(&mut self) {
        self.findings.sort_by(|one, other| {
            let key = |finding: &Finding| (std::cmp::Reverse(finding.question.level), finding.question.name.clone());
            key(one).cmp(&key(other))
        });
    }

    /// The worst level of all that was found.
    #[must_use]
    pub fn worst(&self) -> Option<Level> {
        self.found().map(|finding| finding.question.level).max()
    }

    /// The findings as two reports compare them.
    #[must_use]
    pub fn index(&self) -> Vec<FindingIndex> {
        let names = |counted: &[(String, u64)]| counted.iter().take(100).map(|(name, _)| name.clone()).collect();
        let entries = self.findings.iter().map(|finding| {
            let (first, last) = finding::rfc3339(finding.times);
            let question = &finding.question;
            FindingIndex {
                query: question.name.clone(),
                title: question.title.clone(),
                level: question.level,
                attack: question.attack.clone(),
                rows: finding.total_rows,
                first,
                last,
                verdict: question.verdict.state.clone(),
                users: names(&finding.users),
                source_ips: names(&finding.source_ips),
                row_keys: finding.row_keys.clone(),
            }
        });
        entries.collect()
    }
}
