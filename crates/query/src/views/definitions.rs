//! What the files of `views/` define, and in which order they can be created: DuckDB binds a view when it is
//! made, so what it mentions must be there before it. The names of the files say nothing about that.

use std::collections::{BTreeMap, BTreeSet};

use crate::embedded::File;
use crate::scanner::{Token, scan};

/// A file, read once.
#[derive(Debug)]
pub(super) struct Read<'a> {
    pub(super) file: &'a File,
    /// What it makes.
    pub(super) definitions: Vec<Definition<'a>>,
    /// Its words, in lower case.
    words: BTreeSet<String>,
}

/// Something that a file makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition<'a> {
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    /// The words behind its name, in lower case.
    body: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    View,
    /// `CREATE MACRO … AS TABLE`
    TableMacro,
    Macro,
}

/// What can follow CREATE in our files.
const KINDS: [&str; 2] = ["VIEW", "MACRO"];

/// The files, each behind those that define what it mentions; as they come where it makes no difference.
///
/// # Panics
/// When files mention each other in a circle: a test would not let such files pass.
pub(super) fn in_order(files: &[File]) -> Vec<Read<'_>> {
    let mut read: Vec<Option<Read<'_>>> = files.iter().map(|file| Some(read(file))).collect();
    let owners: BTreeMap<&str, usize> = read
        .iter()
        .flatten()
        .enumerate()
        .flat_map(|(at, read)| read.definitions.iter().map(move |definition| (definition.name, at)))
        .collect();
    let mentioned = |read: &Read<'_>| read.words.iter().filter_map(|word| owners.get(word.as_str()).copied()).collect();
    let mentioned: Vec<Vec<usize>> = read.iter().flatten().map(mentioned).collect();
    let mut state = vec![State::Waiting; files.len()];
    let mut order = Vec::with_capacity(files.len());
    for at in 0..files.len() {
        visit(at, files, &mentioned, &mut state, &mut order);
    }
    order.into_iter().filter_map(|at| read[at].take()).collect()
}

fn read(file: &File) -> Read<'_> {
    let words: Vec<&str> = words(file.text).collect();
    Read { file, definitions: definitions(&words), words: words.iter().map(|word| word.to_ascii_lowercase()).collect() }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Entered,
    Done,
}

/// Puts a file into the order, behind what it mentions. A name in a string counts, because `requests_of('few')` is given one.
fn visit(at: usize, files: &[File], mentioned: &[Vec<usize>], state: &mut [State], order: &mut Vec<usize>) {
    match state[at] {
        State::Done => return,
        State::Entered => panic!("`{}` and another file of views mention each other", files[at].path),
        State::Waiting => state[at] = State::Entered,
    }
    for owner in mentioned[at].iter().filter(|owner| **owner != at) {
        visit(*owner, files, mentioned, state, order);
    }
    state[at] = State::Done;
    order.push(at);
}

/// The files that `sql` needs to run: those that define what it mentions, those that they mention, and so on. In order, as
/// `files` are.
pub(super) fn needed<'f, 'a>(sql: &str, files: &'f [Read<'a>]) -> Vec<&'f Read<'a>> {
    let of_sql = lower_words(sql);
    // What a file mentions stands before it.
    let mut needed: Vec<&Read<'_>> = Vec::new();
    for file in files.iter().rev() {
        let is_wanted = |name: &str| of_sql.contains(name) || needed.iter().any(|other| other.words.contains(name));
        if file.definitions.iter().any(|definition| is_wanted(definition.name)) {
            needed.push(file);
        }
    }
    needed.reverse();
    needed
}

/// All words of `sql`, and of what it needs.
pub(super) fn words_needed(sql: &str, files: &[Read<'_>]) -> BTreeSet<String> {
    let mut words = lower_words(sql);
    words.extend(needed(sql, files).into_iter().flat_map(|file| file.words.iter().cloned()));
    words
}

/// Whether what is called `name` reads events, by itself or by what it is made of.
pub(super) fn reads_events(name: &str, definitions: &[Definition<'_>]) -> bool {
    // `query_table` reads what it is told to.
    let reads = |name: &str| ["events", "final_events", "query_table"].contains(&name);
    reads(&name.to_ascii_lowercase())
        || any_made_of(name, definitions, |made, words| {
            made.kind != Kind::Macro || words.iter().any(|word| reads(word))
        })
}

/// Whether a table macro called `name` selects from events or views by itself or by macros that it uses, beside the tables
/// that it takes. A word alone is no sign: columns are called like views.
pub(super) fn reads_events_of_its_own(name: &str, definitions: &[Definition<'_>]) -> bool {
    let is_view = |name: &str| {
        ["events", "final_events"].contains(&name)
            || definitions.iter().any(|made| made.kind == Kind::View && made.name == name)
    };
    any_made_of(name, definitions, |made, words| {
        let selects = |pair: &[String]| ["from", "join"].contains(&pair[0].as_str()) && is_view(&pair[1]);
        made.kind != Kind::View && words.windows(2).any(selects)
    })
}

/// Whether what is called `name`, or a macro or table that it is made of, is such; with its words. What a view is made of is
/// not looked at.
fn any_made_of(
    name: &str,
    definitions: &[Definition<'_>],
    is_such: impl Fn(&Definition<'_>, &[String]) -> bool,
) -> bool {
    let name = name.to_ascii_lowercase();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![name.as_str()];
    while let Some(name) = waiting.pop() {
        for made in definitions.iter().filter(|made| made.name.eq_ignore_ascii_case(name)) {
            if is_such(made, &made.body) {
                return true;
            }
            if made.kind != Kind::View {
                waiting.extend(made.body.iter().map(String::as_str).filter(|word| seen.insert(*word)));
            }
        }
    }
    false
}

/// DuckDB looks names up without case; ours are in lower case.
fn lower_words(text: &str) -> BTreeSet<String> {
    words(text).map(str::to_ascii_lowercase).collect()
}

/// What the text with these words defines, in its order.
fn definitions<'a>(words: &[&'a str]) -> Vec<Definition<'a>> {
    let mut found = Vec::new();
    for (at, window) in words.windows(3).enumerate() {
        let [create, what, name] = window else { continue };
        if !create.eq_ignore_ascii_case("CREATE") {
            continue;
        }
        let behind = &words[at + 3..];
        let begins = |pair: &[&str]| {
            pair[0].eq_ignore_ascii_case("CREATE") && KINDS.iter().any(|kind| pair[1].eq_ignore_ascii_case(kind))
        };
        let end = behind.windows(2).position(begins).unwrap_or(behind.len());
        let body = &behind[..end];
        // `CREATE MACRO name(parameters) AS TABLE SELECT …`
        let first = body.iter().position(|word| word.eq_ignore_ascii_case("AS")).and_then(|at| body.get(at + 1));
        let kind = match what.to_ascii_uppercase().as_str() {
            "VIEW" => Kind::View,
            "MACRO" if first.is_some_and(|first| first.eq_ignore_ascii_case("TABLE")) => Kind::TableMacro,
            "MACRO" => Kind::Macro,
            _ => continue,
        };
        found.push(Definition { name, kind, body: body.iter().map(|word| word.to_ascii_lowercase()).collect() });
    }
    found
}

/// The words of a text, without those of comments; with those in strings.
fn words(text: &str) -> impl Iterator<Item = &str> {
    scan(text)
        .filter(Token::is_code)
        .flat_map(|token| token.text(text).split(|letter: char| !letter.is_alphanumeric() && letter != '_'))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded;

    fn of(text: &str) -> Vec<Definition<'_>> {
        definitions(&words(text).collect::<Vec<_>>())
    }

    #[test]
    fn definitions_are_found_with_their_kinds() {
        let text = "-- CREATE VIEW no\nCREATE VIEW a AS SELECT 1;\nCREATE MACRO f(x, y) AS x + y;\n\
                    CREATE MACRO g(lines) AS TABLE SELECT 'CREATE' FROM query_table(lines);";
        let found: Vec<_> = of(text).into_iter().map(|definition| (definition.name, definition.kind)).collect();
        assert_eq!(found, [("a", Kind::View), ("f", Kind::Macro), ("g", Kind::TableMacro)]);
        assert_eq!(words("'--a' || 'it''s' -- 'b").collect::<Vec<_>>(), ["a", "it", "s"]);
        assert_eq!(words("a -- b\r`c'` /* ' d */ e").collect::<Vec<_>>(), ["a", "c", "e"]);
    }

    #[test]
    fn a_macro_reads_events_by_what_it_is_made_of() {
        let text = "CREATE MACRO pure(x) AS (SELECT max(y) FROM unnest(x) t(y)); CREATE MACRO one(x) AS two(x);\n\
                    CREATE MACRO two(x) AS (SELECT count(*) FROM v); CREATE VIEW v AS FROM events;\n\
                    CREATE MACRO round(x) AS round(x); CREATE MACRO three(x) AS (SELECT max(verb) FROM Events);";
        let definitions = of(text);
        for (name, reads) in
            [("pure", false), ("one", true), ("TWO", true), ("three", true), ("round", false), ("lower", false)]
        {
            assert_eq!(reads_events(name, &definitions), reads, "{name}");
        }
    }

    #[test]
    fn what_is_mentioned_comes_first() {
        let file = |path, text| File { path, text };
        let files = [
            file("a", "CREATE VIEW a AS FROM c; -- d"),
            file("b", "CREATE VIEW b AS SELECT 1"),
            file("c", "CREATE VIEW c AS FROM twice('d')"),
            file("d", "CREATE VIEW d AS FROM events; CREATE MACRO twice(x) AS TABLE FROM query_table(x)"),
        ];
        let files = in_order(&files);
        let paths: Vec<&str> = files.iter().map(|read| read.file.path).collect();
        assert_eq!(paths, ["d", "c", "a", "b"]);
        assert_eq!(in_order(embedded::VIEWS).len(), embedded::VIEWS.len());
        let needed = |sql| needed(sql, &files).iter().map(|read| read.file.path).collect::<Vec<_>>();
        assert_eq!(needed("SELECT \"A\" FROM A"), ["d", "c", "a"]);
        assert_eq!(needed("FROM b -- a"), ["b"]);
        assert!(needed("SELECT 1").is_empty());
    }
}
