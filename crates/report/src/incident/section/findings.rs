//! What each detection found: question, rows, verdict, noise, and what gives the rows again.

use super::super::{Finding, Incident};
use super::visibility::link;
use super::{Plan, counted};
use crate::document::{Block, Column, Part, Section, Table, Text, Value};
use crate::incident::triage::words::span;

/// Names that a finding lists before its rows.
const NAMES_MAX: usize = 8;

pub(super) fn make(incident: &Incident, _: &Plan) -> Section {
    let mut blocks = vec![Block::Table(overview(incident))];
    let hides = |finding: &Finding| (finding.known_rows > 0, finding.trusted_rows > 0);
    for (what, hidden) in [
        ("nothing new", (true, false)),
        ("nothing new, beside what is hidden as trusted", (true, true)),
        ("nothing but what is hidden as trusted", (false, true)),
        ("nothing", (false, false)),
    ] {
        let is_so = |finding: &&Finding| !finding.is_found() && hides(finding) == hidden;
        let quiet: Vec<String> =
            incident.findings.iter().filter(is_so).map(|finding| finding.question.name.clone()).collect();
        if !quiet.is_empty() {
            let text = Text::plain(format!("{} found {what}: ", counted(quiet.len() as u64, "detection")));
            blocks.push(Block::Prose(text.and_names(&quiet).and(".")));
        }
    }
    blocks.extend(incident.found().map(|finding| Block::Part(part(finding))));
    Section { id: "findings".to_owned(), title: "Findings by severity".to_owned(), blocks }
}

fn overview(incident: &Incident) -> Table {
    let columns = ["severity", "detection", "title", "rows", "who", "from", "first", "last", "verdict"];
    let columns = columns.map(|name| if name == "rows" { Column::number(name) } else { Column::text(name) });
    let mut table = Table::new("overview", "All findings", columns.to_vec());
    for finding in incident.found() {
        let names = |counted: &[(String, u64)]| Value::Texts(counted.iter().map(|(name, _)| name.clone()).collect());
        let question = &finding.question;
        table.push(vec![
            Value::Level(question.level),
            link(finding),
            Value::Text(question.title.clone()),
            Value::Number(i64::try_from(finding.total_rows).unwrap_or(i64::MAX)),
            names(&finding.users[..finding.users.len().min(4)]),
            names(&finding.source_ips[..finding.source_ips.len().min(3)]),
            finding.times.map_or(Value::Nothing, |(first, _)| Value::Time(first)),
            finding.times.map_or(Value::Nothing, |(_, last)| Value::Time(last)),
            Value::text(Some(question.verdict.state.clone()).filter(|state| !state.is_empty())),
        ]);
    }
    table
}

fn part(finding: &Finding) -> Part {
    let question = &finding.question;
    let mut facts = vec![("question".to_owned(), Text::plain(tidy(&question.question)))];
    let mut fact = |name: &str, text: Text| facts.push((name.to_owned(), text));
    fact("who", named(&finding.users));
    if !finding.source_ips.is_empty() {
        fact("from", named(&finding.source_ips));
    }
    if let Some((first, last)) = finding.times {
        fact("when", Text::plain(format!("{} UTC", span(first, last))));
    }
    if !question.verdict.state.is_empty() {
        let words = &question.verdict.words;
        let text = Text::default().and_strong(&question.verdict.state);
        fact("verdict", if words.is_empty() { text } else { text.and(": ").then(Text::marked(words)) });
    }
    fact("known noise", Text::plain(tidy(&question.noise)));
    if !question.attack.is_empty() {
        fact("ATT&CK", Text::plain(question.attack.join(", ")));
    }
    if finding.trusted_rows > 0 {
        fact("hidden as trusted", Text::plain(counted(finding.trusted_rows, "row")));
    }
    if finding.known_rows > 0 {
        fact("known from the report before", Text::plain(counted(finding.known_rows, "row")));
    }
    let table = Table {
        id: format!("rows-{}", question.name),
        caption: format!("{} of {}", counted(finding.total_rows, "row"), question.name),
        columns: finding.columns.clone(),
        rows: finding.rows.clone(),
        total_rows: finding.total_rows,
        data_file: finding.data_file.clone(),
    };
    Part {
        id: format!("finding-{}", question.name),
        title: Text::default().and_level(question.level).and(format!(" {} ", question.title)),
        blocks: vec![
            Block::Facts(facts),
            Block::Table(table),
            Block::Code { caption: "the command that gives these rows".to_owned(), text: question.command.clone() },
            Block::Code { caption: "the same as SQL".to_owned(), text: question.sql.clone() },
        ],
    }
}

fn named(names: &[(String, u64)]) -> Text {
    if names.is_empty() {
        return Text::plain("nobody who was authenticated");
    }
    let shown: Vec<String> = names.iter().take(NAMES_MAX).map(|(name, _)| name.clone()).collect();
    let text = Text::default().and_names(&shown);
    match names.len().saturating_sub(NAMES_MAX) {
        0 => text,
        more => text.and(format!(" and {more} more")),
    }
}

/// Headers of queries break their lines where they are written.
fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
