//! The one table of dot commands. Help, completion and the checks of arguments are derived from it.

use std::borrow::Cow;

use clap::Args;
use kforensic_query::scanner;
use kforensic_report::Format;

use super::dictionary::ValueKind;
use super::error::ReplError;
use super::spoken;
use super::words::{self, Word};
use crate::args::FilterArgs;

/// What an argument is.
#[derive(Debug, Clone, Copy)]
pub(super) enum ArgumentKind {
    Command,
    View,
    Query,
    File,
    Folder,
    AuditId,
    /// A value of the case, for a filter.
    Value(ValueKind),
    /// Something that the case may mention.
    Mention,
    /// One of a list.
    OneOf(fn() -> Vec<&'static str>),
    Number,
    /// A time, a name: whatever the user writes, as one word.
    Word,
    /// The rest of the line, as it stands.
    Text,
    /// The rest of the line, which is SQL.
    Sql,
    /// The rest of the line: name and options of a canned query.
    Run,
    /// The rest of the line, as words: what is asked, and options.
    Words,
}

impl PartialEq for ArgumentKind {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// An argument of a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argument {
    /// Its name in help texts, such as `FILE`.
    pub(super) label: &'static str,
    pub(super) kind: ArgumentKind,
    pub(super) is_needed: bool,
}

/// What a command does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Help,
    Views,
    Describe,
    Queries,
    Run,
    /// Sets or takes away the filter with this option of canned queries.
    Filter(String),
    Filters,
    Clear,
    Mode,
    Width,
    Output,
    Once,
    Results,
    Open,
    Case,
    Show,
    Pivot,
    Explain,
    Timer,
    Read,
    Edit,
    History,
    Note,
    Tag,
    Journal,
    Save,
    /// One of the commands that investigate, with its options.
    Inquire,
    Quit,
}

impl Act {
    /// Whether it writes or reads files, or takes another case: only the user may say so, not a file that is read.
    pub(super) fn is_about_files(&self) -> bool {
        matches!(
            self,
            Self::Output | Self::Once | Self::Open | Self::Read | Self::Edit | Self::Journal | Self::Save | Self::Tag
        )
    }
}

/// A dot command.
#[derive(Debug, Clone)]
pub(super) struct Command {
    /// Its name, without the dot.
    pub(super) name: Cow<'static, str>,
    pub(super) arguments: Cow<'static, [Argument]>,
    /// One line of help.
    pub(super) summary: Cow<'static, str>,
    pub(super) act: Act,
}

/// A line of the table.
type Line = (&'static str, &'static [Argument], &'static str, Act);

const fn needed(label: &'static str, kind: ArgumentKind) -> Argument {
    Argument { label, kind, is_needed: true }
}

const fn optional(label: &'static str, kind: ArgumentKind) -> Argument {
    Argument { label, kind, is_needed: false }
}

/// Forms of an answer: the formats, and the table with every value on a line of its own.
pub(super) const VERTICAL: &str = "vertical";

fn modes() -> Vec<&'static str> {
    Format::ALL.iter().map(|format| format.name()).chain([VERTICAL]).collect()
}

fn widths() -> Vec<&'static str> {
    vec!["auto", "full"]
}

fn switch() -> Vec<&'static str> {
    vec!["on", "off"]
}

#[rustfmt::skip]
const TABLE: [Line; 37] = [
    ("help", &[optional("COMMAND", ArgumentKind::Command)], "list the commands, or explain one", Act::Help),
    ("views", &[], "list the views, with what a row is", Act::Views),
    ("describe", &[optional("VIEW", ArgumentKind::View)], "list the columns of a view or a result, with what they mean", Act::Describe),
    ("queries", &[optional("WORD", ArgumentKind::Query)], "list the canned queries, or those about a word", Act::Queries),
    ("run", &[needed("NAME", ArgumentKind::Run)], "answer a canned query; options as `kforensic query NAME --help` lists them", Act::Run),
    ("filters", &[], "list the filters of this session, which every `.run` takes", Act::Filters),
    ("clear", &[], "take all filters away", Act::Clear),
    ("results", &[], "list the results that are kept: `last`, `last2` to `last9`", Act::Results),
    ("pivot", &[needed("VALUE", ArgumentKind::Mention)], "count what mentions an address, user, audit id, credential or object, view by view", Act::Pivot),
    ("spread", &[needed("SEED", ArgumentKind::Words)], "find what else an intruder got into, from a clue such as `ip:10.0.0.1`", Act::Inquire),
    ("rotate", &[needed("SEED", ArgumentKind::Words)], "list what to revoke, remove and replace after a breach", Act::Inquire),
    ("rbac", &[needed("at|diff|check", ArgumentKind::Words)], "tell who had which rights at a time, and what changed between two", Act::Inquire),
    ("who-can", &[needed("VERB RESOURCE", ArgumentKind::Words)], "list who could do something, and who could come to it", Act::Inquire),
    ("can", &[needed("USER", ArgumentKind::Words)], "list what a user could do", Act::Inquire),
    ("sweep", &[needed("FILE", ArgumentKind::Words)], "look for indicators of compromise", Act::Inquire),
    ("object-history", &[needed("KIND NAMESPACE/NAME", ArgumentKind::Words)], "show the states of an object in time", Act::Inquire),
    ("show", &[needed("AUDIT_ID", ArgumentKind::AuditId), optional("STAGE", ArgumentKind::Value(ValueKind::Stage))], "show an event whole, and where in the evidence it stands", Act::Show),
    ("explain", &[optional("SQL", ArgumentKind::Sql)], "show how DuckDB runs a statement, or the last one", Act::Explain),
    ("mode", &[optional("FORM", ArgumentKind::OneOf(modes))], "choose the form of answers, such as table, vertical, json or csv", Act::Mode),
    ("width", &[optional("COLUMNS", ArgumentKind::OneOf(widths))], "fit tables to so many columns; `auto` is the screen, `full` keeps a row on a line", Act::Width),
    ("output", &[optional("FILE", ArgumentKind::File)], "write all further answers to a file; without one, to the screen again", Act::Output),
    ("once", &[needed("FILE", ArgumentKind::File)], "write the next answer to a file, in the form that its name tells", Act::Once),
    ("timer", &[optional("on|off", ArgumentKind::OneOf(switch))], "say how long every answer took", Act::Timer),
    ("read", &[needed("FILE", ArgumentKind::File)], "run the statements and commands of a file", Act::Read),
    ("edit", &[], "change the last statement in $EDITOR, then run it or not", Act::Edit),
    ("history", &[optional("N", ArgumentKind::Number)], "list the last N lines that were typed (20)", Act::History),
    ("note", &[needed("TEXT", ArgumentKind::Text)], "put a note into the journal", Act::Note),
    ("tag", &[needed("AUDIT_ID", ArgumentKind::AuditId), needed("WORD", ArgumentKind::Word), optional("NOTE", ArgumentKind::Word)], "put a word on an event, and a note in quotes, beside the evidence", Act::Tag),
    ("journal", &[optional("-o", ArgumentKind::OneOf(|| vec!["-o"])), optional("FILE", ArgumentKind::File)], "show the journal of this session, or write it to a file, as Markdown", Act::Journal),
    ("save", &[needed("NAME", ArgumentKind::Word)], "keep the last statement as a canned query of your own", Act::Save),
    ("open", &[needed("DIR", ArgumentKind::Folder)], "go on with another case", Act::Open),
    ("case", &[], "show which case this is: folder, fingerprint, times", Act::Case),
    ("quit", &[], "leave; so does Ctrl-D", Act::Quit),
    ("exit", &[], "leave", Act::Quit),
    ("columns", &[optional("VIEW", ArgumentKind::View)], "the same as .describe", Act::Describe),
    ("schema", &[optional("VIEW", ArgumentKind::View)], "the same as .describe", Act::Describe),
    ("tables", &[], "the same as .views", Act::Views),
];

/// All commands: the table, and a command for every filter of canned queries.
pub(super) struct Commands {
    commands: Vec<Command>,
}

impl Commands {
    /// Reads the filters off the options of canned queries, so that none is forgotten here.
    pub(super) fn new() -> Self {
        let command = |(name, arguments, summary, act): Line| Command {
            name: Cow::Borrowed(name),
            arguments: Cow::Borrowed(arguments),
            summary: Cow::Borrowed(summary),
            act,
        };
        let mut commands: Vec<Command> = TABLE.into_iter().map(command).collect();
        let behind_run = commands.iter().position(|command| command.act == Act::Filters).unwrap_or(commands.len());
        commands.splice(behind_run..behind_run, filters());
        Self { commands }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter()
    }

    pub(super) fn find(&self, name: &str) -> Option<&Command> {
        self.commands.iter().find(|command| command.name == name)
    }

    /// The command on the last of several lines, behind SQL that lacks its semicolon, and where it begins. Whoever is lost
    /// in a statement types the words that leave other prompts, too.
    pub(super) fn behind(&self, text: &str) -> Option<(usize, &Command)> {
        let start = text.rfind('\n')? + 1;
        let last = spoken::command_of(&text[start..]);
        let command = self.find(last.strip_prefix('.')?.split_whitespace().next()?)?;
        let is_in_text = scanner::tokens(&text[..start]).iter().any(|token| !token.is_closed);
        (!is_in_text).then_some((start, command))
    }

    /// The command on a line, with its arguments.
    ///
    /// # Errors
    /// When there is no such command, or its arguments are too few or too many.
    pub(super) fn parse<'a>(&'a self, line: &str) -> Result<Call<'a>, ReplError> {
        let line = line.trim();
        let name = line.split_whitespace().next().unwrap_or_default();
        let rest = line[name.len()..].trim();
        let command = self.find(&name[1.min(name.len())..]).ok_or_else(|| ReplError::unknown_command(name, self))?;
        let takes_line =
            command.arguments.first().is_some_and(|first| matches!(first.kind, ArgumentKind::Text | ArgumentKind::Sql));
        let words = if takes_line { Vec::new() } else { words::split(rest).map_err(ReplError::Words)? };
        let given = if takes_line { usize::from(!rest.is_empty()) } else { words.len() };
        let takes_more = command
            .arguments
            .first()
            .is_some_and(|first| matches!(first.kind, ArgumentKind::Run | ArgumentKind::Words));
        let missing = command.arguments.iter().skip(given).find(|argument| argument.is_needed);
        if let Some(argument) = missing {
            return Err(ReplError::Missing { usage: command.usage(), argument: argument.label });
        }
        if given > command.arguments.len() && !takes_more && !takes_line {
            return Err(ReplError::TooMany { usage: command.usage() });
        }
        Ok(Call { command, words, rest: rest.to_owned() })
    }
}

/// A command as it was called.
pub(super) struct Call<'a> {
    pub(super) command: &'a Command,
    words: Vec<Word>,
    /// Everything behind the name, as it stands.
    pub(super) rest: String,
}

impl Call<'_> {
    /// An argument, without its quotes.
    pub(super) fn word(&self, at: usize) -> Option<&str> {
        self.words.get(at).map(|word| word.text.as_str())
    }

    /// All arguments, without their quotes.
    pub(super) fn words(&self) -> Vec<String> {
        self.words.iter().map(|word| word.text.clone()).collect()
    }
}

impl Command {
    /// The argument at a place; the last one goes on when it takes the rest of the line.
    pub(super) fn argument(&self, at: usize) -> Option<&Argument> {
        let last = self.arguments.last();
        let goes_on = last.filter(|last| {
            matches!(last.kind, ArgumentKind::Run | ArgumentKind::Words | ArgumentKind::Sql | ArgumentKind::Text)
        });
        self.arguments.get(at).or(goes_on)
    }

    /// How it is written: `.once FILE`.
    pub(super) fn usage(&self) -> String {
        let mut usage = format!(".{}", self.name);
        for argument in self.arguments.iter() {
            let label = argument.label;
            usage.push_str(&if argument.is_needed { format!(" {label}") } else { format!(" [{label}]") });
        }
        if self.arguments.first().is_some_and(|first| matches!(first.kind, ArgumentKind::Run | ArgumentKind::Words)) {
            usage.push_str(" [OPTIONS]");
        }
        usage
    }
}

/// A command for every option that narrows a canned query and stands once.
fn filters() -> Vec<Command> {
    let options = FilterArgs::augment_args(clap::Command::new("filters"));
    let filters = options
        .get_arguments()
        .filter(|option| option.get_action().takes_values() && !matches!(option.get_action(), clap::ArgAction::Append));
    let command = |option: &clap::Arg| {
        let name = option.get_long()?.to_owned();
        let summary = option.get_help().map(ToString::to_string).unwrap_or_default();
        let mut letters = summary.chars();
        let summary: String =
            letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect();
        let kind = ValueKind::of(&name).map_or(ArgumentKind::Word, ArgumentKind::Value);
        Some(Command {
            arguments: Cow::Owned(vec![optional("VALUE", kind)]),
            summary: Cow::Owned(summary),
            act: Act::Filter(name.clone()),
            name: Cow::Owned(name),
        })
    };
    filters.filter_map(command).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_every_filter_has_a_command() {
        let commands = Commands::new();
        let mut names: Vec<&str> = commands.iter().map(|command| command.name.as_ref()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for filter in ["since", "until", "now", "user", "namespace", "source-ip", "outcome", "limit"] {
            let command = commands.find(filter).unwrap();
            assert_eq!(command.act, Act::Filter(filter.to_owned()));
            assert!(command.summary.starts_with(char::is_lowercase) || filter == "limit", "{}", command.summary);
        }
    }

    #[test]
    fn arguments_are_checked_by_the_table() {
        let commands = Commands::new();
        let error = |line: &str| commands.parse(line).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error(".once"), "`FILE` is missing: `.once FILE`");
        assert_eq!(error(".views now"), "too many arguments: `.views`");
        assert_eq!(error(".veiws"), "there is no command `.veiws`");
        assert_eq!(error("."), "there is no command `.`");
        assert_eq!(error(".note"), "`TEXT` is missing: `.note TEXT`");
        assert_eq!(error(".read 'a"), "a quote `'` is never closed");
        let behind = |text: &str| commands.behind(text).map(|(start, command)| (start, command.name.to_string()));
        assert_eq!(behind("SELECT 1\n.views"), Some((9, "views".into())));
        assert_eq!(behind("SELECT 1\nquit"), Some((9, "quit".into())));
        assert_eq!(behind("SELECT 1\n\\q"), Some((9, "quit".into())));
        assert_eq!(behind("SELECT '\n.views"), None);
        assert_eq!(behind("SELECT a\n.b FROM c"), None);
        assert_eq!(behind("SELECT a FROM\nexit AS b"), None);
        let call = commands.parse(" .run secret-reads --user 'a b'").unwrap();
        assert_eq!(
            (call.command.act.clone(), call.words()),
            (Act::Run, vec!["secret-reads".into(), "--user".into(), "a b".into()])
        );
        assert_eq!(commands.parse(".note it's 7").unwrap().rest, "it's 7");
        assert_eq!(commands.find("run").unwrap().usage(), ".run NAME [OPTIONS]");
    }
}
