//! What the evidence is, and which time it covers.

use super::super::Incident;
use super::{Plan, counted};
use crate::document::{Block, Level, Section, Text, Tone, instant};
use crate::incident::triage::words::span;

/// Reasons for which something cannot be seen that stand on the first page.
const BLIND_MAX: usize = 3;

/// What stands under the title: the answer in a line, and what it is about.
pub(super) fn head(incident: &Incident) -> Vec<(String, Text)> {
    let evidence = &incident.evidence;
    let mut facts = vec![("case".to_owned(), Text::name(&evidence.case))];
    facts.push(("result".to_owned(), result(incident)));
    facts.push(("time covered".to_owned(), covered(incident)));
    if !evidence.clusters.is_empty() {
        facts.push(("clusters".to_owned(), Text::default().and_names(&evidence.clusters)));
    }
    let blind = incident.findings.iter().filter(|finding| finding.question.verdict.is_blind).count();
    if blind > 0 {
        let words = format!(" of {} detections could not see all that they ask for: ", incident.findings.len());
        let mut text = Text::default().and_strong(blind.to_string()).and(words);
        for line in super::super::triage::blind(incident).into_iter().take(BLIND_MAX) {
            text = text.then(Text::marked(&line)).and(". ");
        }
        facts.push(("cannot be seen".to_owned(), text.and_link("visibility", "What this log can and cannot show")));
    }
    let trusted: u64 = incident.findings.iter().map(|finding| finding.trusted_rows).sum();
    if trusted > 0 {
        facts.push(("hidden as trusted".to_owned(), Text::plain(counted(trusted, "row")).and(" of detections")));
    }
    if let Some(problem) = &incident.notes_problem {
        facts.push(("notes".to_owned(), Text::default().and_strong(problem)));
    }
    facts.push(("fingerprint".to_owned(), Text::name(&evidence.fingerprint)));
    facts
}

fn result(incident: &Incident) -> Text {
    let mut text = Text::default();
    for level in Level::ALL {
        let count = incident.found().filter(|finding| finding.question.level == level).count();
        if count > 0 {
            let text_before = if text.is_empty() { text } else { text.and(", ") };
            text = text_before.and(format!("{count} ")).and_level(level);
        }
    }
    let all = incident.findings.len();
    match (text.is_empty(), incident.known_rows()) {
        (true, 0) => Text::plain("no detection found anything"),
        (false, 0) => text.and(format!(" of {all} detections found something")),
        // Whoever reads this alone must not take it for an all-clear.
        (true, known) => Text::default().and_strong("nothing new").and(format!(": {}", left_out(known))),
        (false, known) => text.and(format!(" of {all} detections found something new; {}", left_out(known))),
    }
}

/// What a report says that is compared with another.
pub(super) fn left_out(known: u64) -> String {
    let (rows, are) = (counted(known, "row"), if known == 1 { "is" } else { "are" });
    format!("{rows} that the earlier report tells {are} left out")
}

fn covered(incident: &Incident) -> Text {
    match incident.evidence.times {
        Some((first, last)) => {
            Text::plain(format!("{} UTC ({})", span(first, last), instant::length(last.saturating_sub(first))))
        }
        None => Text::plain("there are no events in the case"),
    }
}

pub(super) fn make(incident: &Incident, _: &Plan) -> Section {
    let evidence = &incident.evidence;
    let account = format!(
        "{} = {} + {} + {} rejected",
        counted(evidence.records, "record"),
        counted(evidence.events, "event"),
        counted(evidence.duplicates, "duplicate"),
        evidence.rejected
    );
    let mut facts = vec![
        ("sources".to_owned(), Text::plain(counted(evidence.sources, "file"))),
        ("account".to_owned(), Text::plain(account)),
        ("requests".to_owned(), Text::plain(evidence.requests.to_string())),
        ("identities".to_owned(), Text::plain(evidence.identities.to_string())),
        ("time covered".to_owned(), covered(incident)),
    ];
    if !evidence.hosts.is_empty() {
        facts.push(("hosts".to_owned(), Text::default().and_names(&evidence.hosts)));
    }
    let mut blocks = vec![Block::Facts(facts)];
    let (since, until) = incident.window;
    if since.is_some() || until.is_some() {
        let time = |at: Option<i64>, open: &str| {
            at.map_or_else(|| open.to_owned(), |at| format!("{} UTC", instant::seconds(at)))
        };
        let words = format!(
            "this report is about requests from {} to {}; what lies outside is not in it",
            time(since, "the beginning"),
            time(until, "the end")
        );
        blocks.push(Block::Note(Tone::Information, Text::plain(words)));
    }
    Section { id: "scope".to_owned(), title: "Scope and window".to_owned(), blocks }
}
