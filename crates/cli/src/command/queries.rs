//! The canned queries as reading matter: the list, and the help of one.

use std::fmt::Write as _;

use clap::CommandFactory;
use kforensic_query::catalogue::{Example, Parameter, Value};
use kforensic_query::{CannedQuery, Catalogue};
use textwrap::{Options, fill};

use crate::args::CommandLine;
use crate::command::table_of_texts;
use crate::error::CliError;
use crate::{message, terminal};

/// Columns of text on a wide terminal: longer lines are hard to read.
const MAX_WIDTH: usize = 100;

/// Lists the queries by what they are about: all, or those about a word.
pub(crate) fn list(catalogue: &Catalogue, word: Option<&str>) -> Result<(), CliError> {
    let found: Vec<&CannedQuery> =
        catalogue.iter().filter(|query| word.is_none_or(|word| query.is_about(word))).collect();
    if let (Some(word), true) = (word, found.is_empty()) {
        return Err(CliError::NoQueryAbout { word: word.to_owned() });
    }
    let texts = |of: fn(&CannedQuery) -> String| found.iter().map(|query| Some(of(query))).collect();
    table_of_texts(vec![
        ("about", texts(|query| query.group.name().to_owned())),
        ("query", texts(|query| query.name.clone())),
        ("kind", texts(|query| query.kind.name().to_owned())),
        ("severity", texts(|query| query.severity.name().to_owned())),
        ("title", texts(|query| query.title.clone())),
        ("attack", texts(|query| query.attack.join(", "))),
    ])?;
    message::plain(
        "\nrun one with `kforensic query NAME`; `kforensic query NAME --help` says what it needs and what its noise is",
    );
    Ok(())
}

/// Explains one query.
pub(crate) fn help(query: &CannedQuery) -> Result<(), CliError> {
    let width = terminal::stdout_layout().width.unwrap_or(MAX_WIDTH).min(MAX_WIDTH);
    message::print(&text(query, width))
}

/// The help of `kforensic query` itself.
pub(crate) fn help_of_command() -> Result<(), CliError> {
    let mut line = CommandLine::command();
    line.build();
    let help = line.find_subcommand_mut("query").map(clap::Command::render_long_help);
    message::print(&help.map(|help| help.to_string()).unwrap_or_default())
}

fn text(query: &CannedQuery, width: usize) -> String {
    let mut text = format!("{}: {}\n\n{}\n\n", query.name, query.title, fill(&query.question, width));
    let mut field = |label: &str, content: &str| {
        let content = content.split_whitespace().collect::<Vec<_>>().join(" ");
        let options = Options::new(width).initial_indent(label).subsequent_indent("         ");
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{}", fill(&content, options));
    };
    field("About:   ", query.group.name());
    field("Kind:    ", &format!("{}, severity {}", query.kind.name(), query.severity.name()));
    if !query.attack.is_empty() {
        field("ATT&CK:  ", &query.attack.join(", "));
    }
    field("Needs:   ", &query.needs_in_words());
    field("Noise:   ", &query.noise);
    if query.whole_case {
        field("Reads:   ", "the whole case, whatever the filters: it compares with what they leave out");
    }
    let common: Vec<String> = query.parameters.iter().filter(|p| is_common(p)).map(Parameter::flag).collect();
    if !common.is_empty() {
        field("Filters: ", &format!("{} --where --limit (`kforensic query --help`)", common.join(" ")));
    }
    let own: Vec<&Parameter> = query.parameters.iter().filter(|parameter| !is_common(parameter)).collect();
    if !own.is_empty() {
        text.push_str("\nParameters:\n");
        for parameter in own {
            let default = parameter.default.as_ref().map(|value| format!(" [default: {}]", shown(value)));
            let line = format!("{}{}", parameter.meaning, default.unwrap_or_default());
            let head = format!("  -p {}=<{}>  ", parameter.name, parameter.kind.name());
            let options = Options::new(width).initial_indent(&head).subsequent_indent("      ");
            let _ = writeln!(text, "{}", fill(&line, options));
        }
    }
    if !query.examples.is_empty() {
        text.push_str("\nExamples, with the rows they give on the logs of the source tree:\n");
        for Example { log, arguments, rows } in &query.examples {
            let quoted = arguments.iter().map(|argument| match argument.contains([' ', '\'', '$', '*']) {
                true => format!("\"{argument}\""),
                false => argument.clone(),
            });
            let arguments: String = quoted.flat_map(|argument| [" ".to_owned(), argument]).collect();
            let _ = writeln!(text, "  kforensic query {}{arguments}    # {rows} on {log}", query.name);
        }
    }
    text
}

fn is_common(parameter: &Parameter) -> bool {
    kforensic_query::catalogue::common().any(|common| common.name == parameter.name)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Time(micros) => kforensic_event::time::render(*micros),
        Value::Text(text) | Value::Network(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
    }
}
