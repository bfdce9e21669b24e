//! The canned queries as reading matter: the list, and the help of one.

use std::fmt::Write as _;

use clap::CommandFactory;
use kforensic_query::catalogue::{Example, Parameter};
use kforensic_query::{CannedQuery, Catalogue};
use textwrap::{Options, fill};

use crate::args::CommandLine;
use crate::command::table_of_texts;
use crate::error::CliError;
use crate::{message, terminal};

/// Columns of text on a wide terminal: longer lines are hard to read.
const MAX_WIDTH: usize = 100;

/// A line of the list: a main query with its other views, or a view that was looked for.
pub(crate) struct Listed<'c> {
    /// The query.
    pub(crate) query: &'c CannedQuery,
    /// What is written to run it: its name, and the value that it is about.
    pub(crate) run: String,
    /// Its other views.
    pub(crate) views: String,
}

/// The main queries, each with its views; or all, views among them, that are about `words`.
///
/// # Errors
/// When nothing is about the words.
pub(crate) fn listed<'c>(catalogue: &'c Catalogue, words: Option<&str>) -> Result<Vec<Listed<'c>>, CliError> {
    let wanted = match words {
        Some(words) => catalogue.about(words),
        None => catalogue.iter().filter(|query| query.variant.is_none()).collect(),
    };
    let line = |query: &'c CannedQuery| {
        let value = query.value.as_ref().map(|value| format!(" {}", value.to_uppercase())).unwrap_or_default();
        let views = catalogue.variants(query).filter_map(|other| Some(other.variant.as_ref()?.view.as_str()));
        Listed { query, run: format!("{}{value}", query.name), views: views.collect::<Vec<_>>().join(", ") }
    };
    let found: Vec<Listed> = wanted.into_iter().map(line).collect();
    match words.filter(|words| found.is_empty() && commands_about(words).is_empty()) {
        Some(words) => Err(CliError::NoQueryAbout { word: words.to_owned() }),
        None => Ok(found),
    }
}

/// The commands whose help has all of these words, each with what it does.
fn commands_about(words: &str) -> Vec<(String, String)> {
    let words: Vec<String> = words.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let line = CommandLine::command();
    let about = |command: &clap::Command| {
        let own = command.get_arguments().filter(|option| !option.is_global_set());
        let helps = own.flat_map(|option| [option.get_help(), option.get_long_help()]);
        let texts = helps.chain([command.get_about(), command.get_long_about()]).flatten();
        let text = texts.map(ToString::to_string).collect::<Vec<_>>().join(" ").to_lowercase();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        words.iter().all(|word| text.contains(word.as_str())).then(|| (command.get_name().to_owned(), about))
    };
    line.get_subcommands().filter_map(about).collect()
}

/// Lists the queries by what they are about: the main ones, or those about some words.
pub(crate) fn list(catalogue: &Catalogue, words: Option<&str>) -> Result<(), CliError> {
    let found = listed(catalogue, words)?;
    for (name, about) in words.map(commands_about).unwrap_or_default() {
        message::note(&format!("the help of `kforensic {name}` has it as well: {about}"));
    }
    if found.is_empty() {
        return Ok(());
    }
    let texts =
        |of: fn(&Listed) -> String| found.iter().map(|line| Some(of(line)).filter(|text| !text.is_empty())).collect();
    table_of_texts(vec![
        ("about", texts(|line| line.query.group.name().to_owned())),
        ("query", texts(|line| line.run.clone())),
        ("severity", texts(|line| line.query.severity.name().to_owned())),
        ("title", texts(|line| line.query.title.clone())),
        ("other views (-p view=…)", texts(|line| line.views.clone())),
    ])?;
    message::plain(
        "\nrun one with `kforensic query NAME`; `kforensic query NAME --help` says what it needs and what its noise is\n\
         `kforensic triage` asks all detections at once; `kforensic query --hits` says which have rows in the case, and for \
         whom;\n`kforensic query --search WORDS` looks for words",
    );
    Ok(())
}

/// Explains one query.
pub(crate) fn help(query: &CannedQuery, catalogue: &Catalogue) -> Result<(), CliError> {
    let width = terminal::stdout_layout().width.unwrap_or(MAX_WIDTH).min(MAX_WIDTH);
    message::print(&text(query, catalogue, width))
}

/// The help of `kforensic query` itself.
pub(crate) fn help_of_command() -> Result<(), CliError> {
    let mut line = CommandLine::command();
    line.build();
    let help = line.find_subcommand_mut("query").map(clap::Command::render_long_help);
    message::print(&help.map(|help| help.to_string()).unwrap_or_default())
}

fn text(query: &CannedQuery, catalogue: &Catalogue, width: usize) -> String {
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
    if let Some(value) = &query.value {
        field("Value:   ", &format!("`kforensic query {} {}`", query.name, value.to_uppercase()));
    }
    if let Some(variant) = &query.variant {
        field("View of: ", &format!("`kforensic query {} -p view={}` is the same", variant.of, variant.view));
    }
    let mut views = catalogue.variants(query).peekable();
    if views.peek().is_some() {
        text.push_str("\nOther views:\n");
        for other in views {
            let view = other.variant.as_ref().map(|variant| variant.view.as_str()).unwrap_or_default();
            let _ = writeln!(text, "  -p view={view:<18} {} (`{}`)", other.title, other.name);
        }
    }
    let own: Vec<&Parameter> = query.parameters.iter().filter(|parameter| !is_common(parameter)).collect();
    if !own.is_empty() {
        text.push_str("\nParameters:\n");
        for parameter in own {
            let default = parameter.default.as_ref().map(|value| format!(" [default: {value}]"));
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
