//! Completion in dot commands, derived from their table.

use kforensic_query::catalogue::VIEW;

use super::super::commands::{ArgumentKind, Commands};
use super::super::dictionary::{Dictionary, ValueKind};
use super::super::words::{self, Word};
use super::{Candidate, Completion, matching, sql};

/// What could stand at the cursor, in a command that begins at byte `from` of `text`.
pub(super) fn complete(
    text: &str,
    from: usize,
    cursor: usize,
    dictionary: &Dictionary,
    commands: &Commands,
) -> Completion {
    let (done, word) = cut(&text[from..cursor]);
    let start = from + word.range.start;
    let Some(name) = done.first() else {
        let names: Vec<String> = commands.iter().map(|command| format!(".{}", command.name)).collect();
        let found = matching(names.iter().map(String::as_str), &word.text);
        return Completion::words(start, found.into_iter().map(Candidate::plain));
    };
    let Some(command) = commands.find(name.text.trim_start_matches('.')) else { return Completion::none(cursor) };
    let Some(kind) = command.argument(done.len() - 1).map(|argument| argument.kind) else {
        return Completion::none(cursor);
    };
    match kind {
        ArgumentKind::File | ArgumentKind::Folder => {
            Completion::File { start, typed: word.text, folders_only: kind == ArgumentKind::Folder }
        }
        ArgumentKind::Sql => sql::complete(text, from + name.range.end, cursor, dictionary),
        ArgumentKind::Words => inquiry(start, &command.name, &done[1..], &word.text, dictionary),
        ArgumentKind::Run => run(start, &done[1..], &word.text, dictionary),
        _ => listed(start, kind, &word.text, dictionary, commands),
    }
}

/// The words before the cursor, and the one that it stands in.
fn cut(line: &str) -> (Vec<Word>, Word) {
    // A quote may still be open: closing it does not change what stands before it.
    let closed = ["", "'", "\"", "\\\""].iter().find_map(|end| words::split(&format!("{line}{end}")).ok());
    let mut done = closed.unwrap_or_default();
    let is_in_word = done.last().is_some_and(|word| word.range.end >= line.len());
    let word = if is_in_word { done.pop() } else { None };
    (done, word.unwrap_or(Word { text: String::new(), range: line.len()..line.len() }))
}

/// Candidates for arguments that are one of a list.
fn listed(start: usize, kind: ArgumentKind, typed: &str, dictionary: &Dictionary, commands: &Commands) -> Completion {
    let texts: Vec<String> = match kind {
        ArgumentKind::Command => commands.iter().map(|command| command.name.clone().into_owned()).collect(),
        ArgumentKind::View => dictionary.relations().map(|view| view.name.clone()).collect(),
        ArgumentKind::Query => dictionary.queries.iter().map(|query| query.name.clone()).collect(),
        ArgumentKind::OneOf(words) => words().into_iter().map(str::to_owned).collect(),
        ArgumentKind::Value(kind) => dictionary.values(kind).map(str::to_owned).collect(),
        ArgumentKind::Mention => {
            let kinds = [ValueKind::User, ValueKind::Address, ValueKind::Namespace];
            kinds.into_iter().flat_map(|kind| dictionary.values(kind)).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let found = matching(texts.iter().map(String::as_str), typed);
    Completion::words(start, found.into_iter().map(|text| Candidate::value(text, words::quote(text))))
}

/// Options and values of the commands that investigate.
fn inquiry(start: usize, name: &str, done: &[Word], typed: &str, dictionary: &Dictionary) -> Completion {
    let values = |kind: ValueKind, prefix: &str| {
        dictionary.values(kind).map(|value| format!("{prefix}{value}")).collect::<Vec<_>>()
    };
    let fixed = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let seeds = || [values(ValueKind::User, "user:"), values(ValueKind::Address, "ip:")].concat();
    let last = done.last().map_or("", |word| word.text.as_str());
    let texts = match (name, last, done.len()) {
        _ if typed.starts_with('-') => super::super::inquire::flags(name),
        (_, "-n" | "--namespace", _) => values(ValueKind::Namespace, ""),
        (_, "--format", _) => super::super::inquire::forms(name),
        (_, "-o" | "--output", _) | ("sweep", ..) => {
            return Completion::File { start, typed: typed.to_owned(), folders_only: false };
        }
        ("spread", "--show", _) => fixed(&["story", "identities", "nodes", "edges", "unknown"]),
        ("spread" | "rotate", ..) => seeds(),
        ("rbac", _, 0) => fixed(&["at", "diff", "check"]),
        ("rbac", ..) => fixed(&["last"]),
        (_, "--at", _) => fixed(&["last"]),
        ("who-can", _, 0) => values(ValueKind::Verb, ""),
        ("who-can", _, 1) | ("object-history", _, 0) => values(ValueKind::Resource, ""),
        ("can", _, 0) => values(ValueKind::User, ""),
        _ => Vec::new(),
    };
    let found = matching(texts.iter().map(String::as_str), typed);
    Completion::words(start, found.into_iter().map(|text| Candidate::value(text, words::quote(text))))
}

/// Name, options and values of `.run`.
fn run(start: usize, done: &[Word], typed: &str, dictionary: &Dictionary) -> Completion {
    let candidates = |texts: Vec<&str>, before: &str| {
        let found = texts.into_iter().map(|text| Candidate::value(text, words::quote(&format!("{before}{text}"))));
        Completion::words(start, found)
    };
    let Some(name) = done.first() else {
        return candidates(matching(dictionary.queries.iter().map(|query| query.name.as_str()), typed), "");
    };
    let flag = |name: &str| dictionary.flags.iter().find(|flag| flag.name == name);
    let values = |name: &str, typed: &str| {
        let fixed: Vec<&str> =
            flag(name).map(|flag| flag.values.iter().map(String::as_str).collect()).unwrap_or_default();
        let held = ValueKind::of(name).into_iter().flat_map(|kind| dictionary.values(kind));
        let all: Vec<&str> = if fixed.is_empty() { held.collect() } else { fixed };
        matching(all.iter().copied(), typed).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    if let Some((name, typed)) = typed.strip_prefix("--").and_then(|option| option.split_once('=')) {
        let found = values(name, typed);
        return candidates(found.iter().map(String::as_str).collect(), &format!("--{name}="));
    }
    let last = done.last().map_or("", |word| word.text.as_str());
    let query = dictionary.queries.iter().find(|query| query.name == name.text);
    if last == "-p" {
        let Some(query) = query else { return candidates(Vec::new(), "") };
        if let Some((name, typed)) = typed.split_once('=') {
            let found = match name == VIEW {
                true => {
                    matching(query.views.iter().map(String::as_str), typed).into_iter().map(str::to_owned).collect()
                }
                false => values(name, typed),
            };
            return candidates(found.iter().map(String::as_str).collect(), &format!("{name}="));
        }
        let view = Some(VIEW).filter(|_| !query.views.is_empty());
        let names = query.parameters.iter().map(String::as_str).chain(view);
        let names: Vec<String> = names.map(|name| format!("{name}=")).collect();
        return candidates(matching(names.iter().map(String::as_str), typed), "");
    }
    if let Some(flag) = last.strip_prefix("--").and_then(flag).filter(|flag| flag.takes_value) {
        let found = values(&flag.name, typed);
        return candidates(found.iter().map(String::as_str).collect(), "");
    }
    if let Some(parameter) = query.and_then(|query| query.value.as_ref()).filter(|_| done.len() == 1)
        && !typed.starts_with('-')
    {
        let found = values(parameter, typed);
        return candidates(found.iter().map(String::as_str).collect(), "");
    }
    let flags: Vec<String> = dictionary.flags.iter().map(|flag| format!("--{}", flag.name)).collect();
    candidates(matching(flags.iter().map(String::as_str), typed), "")
}
