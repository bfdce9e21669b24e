//! What happened, in sentences made from the findings, each with a link to its evidence.

use super::super::Incident;
use super::scope::left_out;
use super::{Plan, counted};
use crate::document::{Block, Section, Span, Text, instant};
use crate::incident::Sender;
use crate::incident::deed::Deed;
use crate::incident::happened::{happened, people};
use crate::incident::remains::left_behind;

/// Things left behind that are named.
const LEFT_MAX: usize = 40;

pub(super) fn make(incident: &Incident, plan: &Plan) -> Section {
    let (people, _) = people(incident, plan.people_max);
    let told = happened(incident, &people, plan.deeds_max);
    let mut blocks = Vec::new();
    if told.deeds.is_empty() {
        let words = match incident.known_rows() {
            0 => "No detection of medium severity or more found anything in this window.".to_owned(),
            known => format!("No detection of medium severity or more found anything new: {}.", left_out(known)),
        };
        blocks.push(Block::Prose(
            Text::plain(words)
                .and(" What the log cannot show is told in ")
                .and_link("visibility", "what this log can and cannot show")
                .and("."),
        ));
    } else {
        blocks.push(Block::Prose(lead(incident, &people)));
        blocks.push(Block::List(told.deeds.iter().map(sentence).collect()));
    }
    if told.left_out > 0 {
        let words = format!("{} more deeds are less telling, and stand in ", told.left_out);
        blocks.push(Block::Prose(Text::plain(words).and_link("findings", "the findings").and(".")));
    }
    let untold: Vec<(&str, u64)> = incident.left_out().collect();
    if !untold.is_empty() {
        let mut text = Text::plain("Too many to be told one by one, and in the findings: ");
        for (count, (query, rows)) in untold.iter().enumerate() {
            let before = if count == 0 { "" } else { ", " };
            text =
                text.and(format!("{before}{} of ", counted(*rows, "row"))).and_link(format!("finding-{query}"), *query);
        }
        blocks.push(Block::Prose(text.and(".")));
    }
    let left = left_behind(incident);
    if !left.is_empty() {
        let mut text = Text::default().and_strong("No deletion is seen of ");
        for (count, one) in left.iter().take(LEFT_MAX).enumerate() {
            let before = if count == 0 { "" } else { ", " };
            text = text.and(before).and_name(one.words()).and(one.remark());
        }
        let more = left.len().saturating_sub(LEFT_MAX);
        let end = if more > 0 { format!(", and {more} more") } else { String::new() };
        text = text.and(format!("{end}: as far as this log goes they are still there."));
        blocks.push(Block::Prose(text));
    }
    Section { id: "happened".to_owned(), title: "What happened".to_owned(), blocks }
}

fn lead(incident: &Incident, people: &[crate::incident::Person]) -> Text {
    let found = incident.found().count();
    let text = Text::plain(format!("{found} of {} detections found something. ", incident.findings.len()));
    match people {
        [] => text,
        [one] => text.and("It is mostly about ").then(named(one)).and("."),
        many => {
            let text = text.and("Who stands out, the one first against whom most speaks: ");
            let names = many
                .iter()
                .enumerate()
                .map(|(count, person)| Text::plain(if count == 0 { "" } else { ", " }).then(named(person)));
            names.fold(text, Text::then).and(".")
        }
    }
}

fn named(person: &crate::incident::Person) -> Text {
    match &person.who {
        Sender::Nobody => Text::plain("somebody who was not authenticated"),
        who => who.words(),
    }
}

/// `20:37:38.262 bob, from 127.0.31.9, read …: allowed (secret-reads).`
fn sentence(deed: &Deed) -> Text {
    let mut text = Text::default().and_level(deed.level).and(format!(" {} ", instant::millis(deed.at)));
    text = text.then(deed.who.words());
    if let Some(whom) = &deed.as_whom {
        text = text.and(" as ").and_name(whom);
    }
    if let Some(from) = deed.from.first() {
        text = text.and(" from ").and_name(from);
        text = match deed.from.len() - 1 {
            0 => text,
            1 => text.and(" and 1 more address"),
            more => text.and(format!(" and {more} more addresses")),
        };
    }
    text = text.then(deed.who.list());
    text = text.and(" ").then(deed.sentence());
    if deed.times > 1 {
        text = text.and(format!(", {} times until {}", deed.times, instant::millis(deed.until)));
    }
    if let Some(outcome) = &deed.outcome {
        text = text.and(": ");
        text.0.push(Span::Strong(outcome.clone()));
    }
    text = text.and(" (");
    for (count, query) in deed.queries.iter().enumerate() {
        let before = if count == 0 { "" } else { ", " };
        text = text.and(before).and_link(format!("finding-{query}"), query.clone());
    }
    text.and(")")
}
