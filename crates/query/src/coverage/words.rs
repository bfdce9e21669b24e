//! The sentences of a verdict, and lists that stay short in them.

use std::collections::BTreeSet;

use kforensic_event::time;

use crate::catalogue::Level;
use crate::coverage::observed::{HOUR, Pause};

/// Things of one kind that are named one by one; of more, their number is told.
pub(super) const NAMED_AT_MOST: usize = 6;

/// Pauses of hosts, when there are some.
pub(super) fn told_pauses(pauses: &[Pause]) -> Option<String> {
    let told = pauses.iter().map(|pause| {
        let host = if pause.host.0.is_empty() { String::new() } else { format!(" on `{}`", pause.host.0) };
        format!("{} to {} UTC{host}", instant(pause.from), instant(pause.to))
    });
    let told = few(told);
    (!told.is_empty()).then(|| format!("nothing was logged from {told}"))
}

/// That these objects, or all that is asked for, were logged at lesser levels alone; with hours, a part of them in these.
pub(super) fn too_low(objects: &[&str], levels: &BTreeSet<Level>, hours: &BTreeSet<i64>, needed: Level) -> String {
    let of = few(objects.iter().filter(|object| !object.is_empty()).map(|object| format!("`{object}`")));
    let of = if of.is_empty() { String::new() } else { format!("of {of} ") };
    let names: Vec<&str> = levels.iter().map(|level| level.name()).collect();
    let (level, was) = if names.len() == 1 { ("level", "was") } else { ("levels", "were") };
    let (names, needed) = (series(&names, "and"), needed.name());
    match hours.is_empty() {
        true => format!("{of}only {level} {names} {was} logged, and {needed} is needed"),
        // Others were logged as they need to be, at the same time maybe.
        false => {
            let when = told_hours(hours);
            format!("{of}a part was logged at {level} {names} alone in {when}, and {needed} is needed")
        }
    }
}

/// A few words one behind the other, the last behind `last`: `get, list or watch`.
pub(super) fn series(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        // A client may choose any verb.
        many if many.len() > NAMED_AT_MOST => few(many.iter().map(|word| (*word).to_owned())),
        [one] => (*one).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// Hours as spans.
fn told_hours(hours: &BTreeSet<i64>) -> String {
    let mut spans: Vec<(i64, i64)> = Vec::new();
    for hour in hours {
        match spans.last_mut() {
            Some((_, end)) if *end == *hour => *end += 1,
            _ => spans.push((*hour, hour + 1)),
        }
    }
    format!("{} UTC", few(spans.iter().map(|(from, to)| format!("{} to {}", instant(from * HOUR), instant(to * HOUR)))))
}

/// A few things one by one, and the number of the others.
pub(crate) fn few(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    let more = all.len().saturating_sub(NAMED_AT_MOST);
    let named = all[..all.len() - more].join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

/// Some objects as the subject of a sentence.
pub(super) fn named(object: &str) -> String {
    if object.is_empty() { "it".to_owned() } else { format!("`{object}`") }
}

/// Some objects, or all.
pub(super) fn quoted(object: &str) -> String {
    if object.is_empty() { "everything".to_owned() } else { format!("`{object}`") }
}

/// To the minute, which is what hours and pauses are good for.
pub(super) fn instant(micros: i64) -> String {
    time::render(micros).get(..16).unwrap_or_default().replace('T', " ")
}
