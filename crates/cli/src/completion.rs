//! What a shell completes: commands and options by clap, and the names of queries, their parameters and views, and the
//! values that the case holds, by this.
//!
//! A client chooses names of users and objects, and a shell runs `$(…)` that it finds on its line: what is not plain
//! letters is not offered.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{CommandFactory, ValueEnum};
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{CompletionCandidate, Shell};
use kforensic_query::catalogue::VIEW;
use kforensic_query::{CannedQuery, Catalogue};

use crate::args::{CommandLine, QueriesArgs};
use crate::command::{case_folder, query};
use crate::error::CliError;
use crate::repl::{ValueKind, held};

/// The variable by which a shell asks for completions, with its name.
const ASKS: &str = "COMPLETE";

/// The program, as shells find it.
const PROGRAM: &str = "kforensic";

/// Answers a shell that asks for completions, and ends the program then.
pub(crate) fn act() {
    CompleteEnv::with_factory(CommandLine::command).var(ASKS).complete();
}

/// zsh runs a file of its function path when somebody first asks for words, and waits for the answer: one that only tells who
/// answers from then on leaves the first Tab without effect.
const FIRST_TAB_OF_ZSH: &[u8] =
    b"if [[ $funcstack[1] == _kforensic ]]; then _clap_dynamic_completer_kforensic \"$@\"; fi\n";

/// What a shell reads to complete the command line by asking the program.
pub(crate) fn registration(shell: Shell) -> Result<Vec<u8>, CliError> {
    let mut text = Vec::new();
    let name = shell.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    if let Some(completer) = Shells::builtins().completer(&name) {
        completer
            .write_registration(ASKS, PROGRAM, PROGRAM, PROGRAM, &mut text)
            .map_err(|source| CliError::Output { action: "write", path: "-".into(), source })?;
    }
    if shell == Shell::Zsh {
        text.extend_from_slice(FIRST_TAB_OF_ZSH);
    }
    Ok(text)
}

/// The names of queries, each with its title.
pub(crate) fn queries(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some((catalogue, typed)) = catalogue().zip(typed.to_str()) else { return Vec::new() };
    let found = catalogue.iter().filter(|query| query.name.starts_with(typed));
    found.map(|query| CompletionCandidate::new(&query.name).help(Some(query.title.clone().into()))).collect()
}

/// What may stand behind the name of a query that is about one user, address or object.
pub(crate) fn value(typed: &OsStr) -> Vec<CompletionCandidate> {
    let asked = catalogue().and_then(|catalogue| asked(&catalogue).cloned());
    let name = asked.and_then(|query| query.value).unwrap_or_default();
    plain(of_parameter(&name), typed, "")
}

/// Parameters of the query's own, its views, and the values that the case has for them.
pub(crate) fn parameter(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some((catalogue, text)) = catalogue().zip(typed.to_str()) else { return Vec::new() };
    let Some(query) = asked(&catalogue) else { return Vec::new() };
    let views = || catalogue.variants(query).filter_map(|other| Some(other.variant.as_ref()?.view.clone()));
    if let Some((name, value)) = text.split_once('=') {
        let values = if name == VIEW { views().collect() } else { of_parameter(name) };
        return plain(values, OsStr::new(value), &format!("{name}="));
    }
    let view = views().next().map(|_| format!("{VIEW}="));
    let common = |name: &str| kforensic_query::catalogue::common().any(|common| common.name == name);
    let own = query.parameters.iter().filter(|parameter| !common(&parameter.name));
    let names = own.map(|parameter| format!("{}=", parameter.name)).chain(view);
    plain(names.collect(), typed, "")
}

/// The values that the case has in the column that an option compares.
pub(crate) fn of_case(name: &'static str) -> impl Fn(&OsStr) -> Vec<CompletionCandidate> {
    move |typed| plain(of_parameter(name), typed, "")
}

/// The values that the case has for a parameter.
fn of_parameter(name: &str) -> Vec<String> {
    // A completion that fails offers nothing.
    ValueKind::of(name).and_then(|kind| held(&case_folder(case().as_ref()), kind).ok()).unwrap_or_default()
}

/// Those that begin with what is typed and that no shell takes for anything but letters.
fn plain(values: Vec<String>, typed: &OsStr, before: &str) -> Vec<CompletionCandidate> {
    let typed = typed.to_str().unwrap_or_default();
    let is_plain = |value: &String| {
        value.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.:@/=,%+".contains(letter))
            && !value.starts_with('-')
            && value.starts_with(typed)
    };
    values.into_iter().filter(is_plain).map(|value| CompletionCandidate::new(format!("{before}{value}"))).collect()
}

fn catalogue() -> Option<Catalogue> {
    let queries = after("--queries").or_else(|| std::env::var_os("KFORENSIC_QUERIES")).map(PathBuf::from);
    query::catalogue(&QueriesArgs { queries }).ok()
}

/// The query that is named on the line so far.
fn asked(catalogue: &Catalogue) -> Option<&CannedQuery> {
    let words = words();
    let named = words.iter().skip_while(|word| *word != "query").skip(1);
    named.filter_map(|word| word.to_str()).find_map(|word| catalogue.find(word).ok())
}

/// The case that the line names so far.
fn case() -> Option<PathBuf> {
    after("--case").or_else(|| std::env::var_os("KFORENSIC_CASE")).map(PathBuf::from)
}

/// What stands behind an option on the line.
fn after(option: &str) -> Option<OsString> {
    let words = words();
    let at = words.iter().position(|word| word == option)?;
    words.get(at + 1).cloned()
}

/// The line that is being completed: what stands behind `--` when a shell asks.
fn words() -> Vec<OsString> {
    std::env::args_os().skip_while(|word| word != "--").skip(1).collect()
}
