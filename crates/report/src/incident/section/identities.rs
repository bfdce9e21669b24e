//! Who stands out, with a time line: a lane for each.

use super::super::Incident;
use super::{Plan, counted};
use crate::document::figure::{Lane, Lanes, Mark};
use crate::document::{Block, Chart, Column, Figure, Level, Section, Table, Text, Value};
use crate::incident::Person;
use crate::incident::happened::{people, why};

/// Marks in a lane: more would lie upon one another.
const MARKS_MAX: usize = 300;

pub(super) fn make(incident: &Incident, plan: &Plan) -> Section {
    let (people, left_out) = people(incident, plan.people_max);
    let mut blocks = Vec::new();
    if people.is_empty() {
        let new = if incident.known_rows() > 0 { " anew" } else { "" };
        blocks.push(Block::Prose(Text::plain(format!("No detection tells of anybody{new}."))));
    } else {
        blocks.push(Block::Table(table(&people)));
        if let Some(lanes) = lanes(&people) {
            let description = "a mark is a deed that a detection tells of, the line spans all requests; times are UTC";
            let figure = Figure {
                id: "lanes".to_owned(),
                title: "Who did what when".to_owned(),
                description: description.to_owned(),
                chart: Chart::Lanes(lanes),
            };
            blocks.push(Block::Figure(figure));
        }
    }
    if left_out > 0 {
        blocks.push(Block::Prose(Text::plain(format!(
            "{} more are in the findings.",
            counted(left_out as u64, "identity")
        ))));
    }
    Section { id: "identities".to_owned(), title: "Identities of interest".to_owned(), blocks }
}

fn table(people: &[Person]) -> Table {
    let columns = ["who", "requests", "denied", "from", "clients", "why", "first", "last"];
    let is_number = |name: &str| matches!(name, "requests" | "denied");
    let columns = columns.map(|name| if is_number(name) { Column::number(name) } else { Column::text(name) });
    let mut table = Table::new("people", "Who stands out, the one first against whom most speaks", columns.to_vec());
    for person in people {
        let number = |number: u64| Value::Number(i64::try_from(number).unwrap_or(i64::MAX));
        table.push(vec![
            Value::Text(name(person)),
            number(person.requests),
            person.denied.map_or(Value::Nothing, number),
            Value::Texts(person.source_ips.iter().take(6).cloned().collect()),
            Value::Texts(person.user_agents.iter().take(4).cloned().collect()),
            Value::Text(why(person).join("; ")),
            person.times.map_or(Value::Nothing, |(first, _)| Value::Time(first)),
            person.times.map_or(Value::Nothing, |(_, last)| Value::Time(last)),
        ]);
    }
    table
}

fn name(person: &Person) -> String {
    person.who.label()
}

/// The same as a picture has room for: `web (prod)`.
fn short(person: &Person) -> String {
    let name = name(person);
    let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    account.map_or(name.clone(), |(namespace, account)| format!("{account} ({namespace})"))
}

fn lanes(people: &[Person]) -> Option<Lanes> {
    let lanes: Vec<Lane> = people
        .iter()
        .map(|person| {
            // The worst, when there are too many.
            let mut deeds: Vec<_> = person.deeds.iter().filter(|deed| deed.level >= Level::Low).collect();
            deeds.sort_by_key(|deed| (std::cmp::Reverse(deed.level), deed.at));
            deeds.truncate(MARKS_MAX);
            deeds.sort_by_key(|deed| (deed.level, deed.at));
            let marks = deeds.into_iter().map(|deed| Mark { at: deed.at, level: deed.level, words: deed.text() });
            Lane { name: short(person), seen: None, marks: marks.collect() }
        })
        .collect();
    let times = lanes.iter().flat_map(|lane| lane.marks.iter().map(|mark| mark.at));
    let (from, to) = times.fold(None, |span: Option<(i64, i64)>, at| {
        Some(span.map_or((at, at), |(from, to)| (from.min(at), to.max(at))))
    })?;
    // Some room at both ends, so that no mark lies on the edge.
    let room = (to.saturating_sub(from) / 40).max(500_000);
    let (from, to) = (from.saturating_sub(room), to.saturating_add(room));
    let with_seen = lanes.into_iter().zip(people).map(|(lane, person)| Lane {
        seen: person.times.map(|(first, last)| (first.max(from), last.min(to))).filter(|(first, last)| first <= last),
        ..lane
    });
    Some(Lanes { from, to, lanes: with_seen.collect() })
}
