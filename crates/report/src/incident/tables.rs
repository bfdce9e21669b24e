//! Findings and deeds as rows, for the formats of answers: JSON, CSV, Timesketch and the others.

use std::sync::Arc;

use arrow::array::builder::{ListBuilder, StringBuilder};
use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array};

use super::deed::{Deed, plain};
use super::people::merged;
use super::{Finding, Incident};
use crate::document::Level;
use crate::visible::escape;

/// Names that a row lists.
const NAMES_MAX: usize = 20;

/// One row per finding, the worst first.
///
/// # Panics
/// Never: columns made of the same findings have the same length.
#[must_use]
pub fn findings_batch(incident: &Incident) -> RecordBatch {
    let found: Vec<&Finding> = incident.found().collect();
    let texts = |of: &dyn Fn(&Finding) -> Option<String>| -> ArrayRef {
        Arc::new(found.iter().map(|finding| of(finding)).collect::<StringArray>())
    };
    let names = |of: &dyn Fn(&Finding) -> &[(String, u64)]| {
        lists(found.iter().map(|finding| of(finding).iter().take(NAMES_MAX).map(|(name, _)| name.as_str()).collect()))
    };
    let times = |of: fn((i64, i64)) -> i64| -> ArrayRef {
        Arc::new(found.iter().map(|finding| finding.times.map(of)).collect::<TimestampMicrosecondArray>())
    };
    let rows: ArrayRef = Arc::new(found.iter().map(|finding| finding.total_rows).collect::<UInt64Array>());
    batch(vec![
        ("severity", texts(&|finding| Some(finding.question.level.name().to_owned()))),
        ("query", texts(&|finding| Some(finding.question.name.clone()))),
        ("title", texts(&|finding| Some(finding.question.title.clone()))),
        ("rows", rows),
        ("users", names(&|finding| &finding.users)),
        ("source_ips", names(&|finding| &finding.source_ips)),
        ("first_seen", times(|(first, _)| first)),
        ("last_seen", times(|(_, last)| last)),
        ("verdict", texts(&|finding| Some(finding.question.verdict.state.clone()).filter(|state| !state.is_empty()))),
        ("attack", lists(found.iter().map(|finding| finding.question.attack.iter().map(String::as_str).collect()))),
        ("command", texts(&|finding| Some(finding.question.command.clone()))),
    ])
}

/// One row per deed, in time: what a timeline of another program wants. Of detections with more rows than are told one
/// by one a row says how many are not there.
///
/// # Panics
/// Never: columns made of the same deeds have the same length.
#[must_use]
pub fn deeds_batch(incident: &Incident) -> RecordBatch {
    let mut deeds: Vec<Entry> = merged(incident).into_iter().map(|deed| Entry::Deed(Box::new(deed))).collect();
    deeds.extend(incident.found().filter(|finding| finding.left_out > 0).map(Entry::LeftOut));
    let texts =
        |of: &dyn Fn(&Entry) -> Option<String>| -> ArrayRef { Arc::new(deeds.iter().map(of).collect::<StringArray>()) };
    let of_deed = |of: &dyn Fn(&Deed) -> Option<String>| texts(&|entry| of(entry.deed()?));
    let times: ArrayRef = Arc::new(deeds.iter().map(|entry| Some(entry.at())).collect::<TimestampMicrosecondArray>());
    let tagged = |deed: &Deed| {
        let noted = incident.tags.iter().filter(|tag| Some(&tag.audit_id) == deed.audit_id.as_ref());
        noted.collect::<Vec<_>>()
    };
    let tags: Vec<Vec<String>> = deeds
        .iter()
        .map(|entry| match entry {
            Entry::Deed(deed) => {
                deed.queries.iter().cloned().chain(tagged(deed).iter().map(|tag| tag.tag.clone())).collect()
            }
            Entry::LeftOut(finding) => vec![finding.question.name.clone()],
        })
        .collect();
    let comment = |deed: &Deed| {
        let notes: Vec<String> = tagged(deed).iter().filter_map(|tag| tag.note.clone()).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    };
    batch(vec![
        ("event_time", times),
        ("message", texts(&|entry| Some(entry.message()))),
        ("tag", lists(tags.iter().map(|tags| tags.iter().map(String::as_str).collect()))),
        ("severity", texts(&|entry| Some(entry.level().name().to_owned()))),
        ("user_name", of_deed(&|deed| deed.who.name().map(str::to_owned))),
        ("impersonated_user", of_deed(&|deed| deed.as_whom.clone())),
        ("source_ip", of_deed(&|deed| deed.from.first().cloned())),
        ("outcome", of_deed(&|deed| deed.outcome.clone())),
        ("comment", of_deed(&comment)),
        ("audit_id", of_deed(&|deed| deed.audit_id.clone())),
    ])
}

/// What a row of a timeline is about.
enum Entry<'a> {
    Deed(Box<Deed>),
    /// Rows that are not told one by one.
    LeftOut(&'a Finding),
}

impl Entry<'_> {
    fn deed(&self) -> Option<&Deed> {
        match self {
            Self::Deed(deed) => Some(deed),
            Self::LeftOut(_) => None,
        }
    }

    fn at(&self) -> i64 {
        match self {
            Self::Deed(deed) => deed.at,
            Self::LeftOut(finding) => finding.times.map_or(0, |(_, last)| last),
        }
    }

    fn level(&self) -> Level {
        match self {
            Self::Deed(deed) => deed.level,
            Self::LeftOut(finding) => finding.question.level,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Deed(deed) => {
                format!("{}{} {}", escape(&deed.who.label()), plain(&deed.who.list()), deed.text())
            }
            Self::LeftOut(finding) => format!(
                "{} of {} rows of {} are not in this timeline: `{}` gives all",
                finding.left_out, finding.total_rows, finding.question.name, finding.question.command
            ),
        }
    }
}

fn lists<'a>(rows: impl Iterator<Item = Vec<&'a str>>) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in rows {
        builder.append_value(row.into_iter().map(Some));
    }
    Arc::new(builder.finish())
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    match RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))) {
        Ok(batch) => batch,
        Err(error) => unreachable!("columns made of the same rows have the same length: {error}"),
    }
}
