//! Messages to the user: data on standard output, everything else on standard error.
//!
//! The one way out for text of our own, and so the place where nothing from the evidence gets through raw: names of
//! files and members, and whatever stands in an error, can hold what a terminal obeys, and line ends that would make a
//! second message of the rest. A member of an archive whose name cleared the screen and went on with
//! `0 records rejected` looked like our own account.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

use anstyle::AnsiColor;
use kforensic_report::{escape, is_hostile};
use serde_json::Value;
use textwrap::{Options, WordSplitter, fill};

use crate::error::CliError;
use crate::terminal::{self, painted};

/// How a line of a message begins that draws something, such as the place in a statement; see [`excerpt`].
const DRAWN: &str = "\n  | ";

/// A time as RFC 3339 for people, to the millisecond: `2026-11-21 20:37:10.530`. Always UTC.
pub(crate) fn time(rfc3339: &str) -> String {
    rfc3339.get(..23).unwrap_or(rfc3339).replace('T', " ")
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:@/=,%+".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A name from the evidence as part of a line of ours.
pub(crate) fn named(name: &str) -> Cow<'_, str> {
    escape(name)
}

/// Writes text to standard output: as it is for programs; on a terminal, what it would obey is shown as escapes.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    print_bytes(text.as_bytes())
}

/// Writes a value to standard output, on several lines. What a terminal would obey is escaped in it: the value is the
/// same, and safe to look at.
pub(crate) fn print_json(value: &Value) -> Result<(), CliError> {
    print(&(json(value) + "\n"))
}

/// A value as JSON on several lines, without any character that a terminal would obey or hide.
pub(crate) fn json(value: &Value) -> String {
    let text = format!("{value:#}");
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' || !is_hostile(character) {
            safe.push(character);
            continue;
        }
        // All of them stand inside of strings, where JSON allows any character to be written as its UTF-16 units.
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing into a string cannot fail.
            let _ = write!(safe, "\\u{unit:04x}");
        }
    }
    safe
}

/// Writes a screen to standard output, as it is: who drew it has escaped the names in it, and has given it its colours.
pub(crate) fn print_drawn(screen: &str) -> Result<(), CliError> {
    write_out(screen.as_bytes())
}

/// Writes bytes to standard output: as they are for programs; on a terminal, what it would obey is shown as escapes.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    if std::io::stdout().is_terminal() {
        return write_out(lines(&String::from_utf8_lossy(bytes)).as_bytes());
    }
    write_out(bytes)
}

fn write_out(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|source| CliError::Output { action: "write to", path: "-".into(), source })
}

/// Lines of ours that need no label. Names in them are to go through [`named`].
pub(crate) fn plain(text: &str) {
    write(&lines(text));
}

/// A line behind a label of ours in a colour, which only this module can give: elsewhere it would be shown as an escape.
pub(crate) fn labelled(label: &str, colour: AnsiColor, text: &str) {
    write(&format!("{}: {}", painted(label, colour), escape(text)));
}

/// Something the user should know.
pub(crate) fn note(text: &str) {
    labelled("note", AnsiColor::Cyan, text);
}

/// Something the user should look at.
pub(crate) fn warning(text: &str) {
    labelled("warning", AnsiColor::Yellow, text);
}

/// What to do about the message before.
pub(crate) fn hint(text: &str) {
    write(&format!("\n{}: {}", painted("hint", AnsiColor::Green), escape(text)));
}

/// What went wrong, and what to do.
pub(crate) fn error(error: &CliError) {
    let text = error.to_string();
    let text = if error.is_about_own_text() { lines(&text) } else { excerpt(&text) };
    write(&format!("{}: {text}", painted("error", AnsiColor::Red)));
    if let Some(text) = error.hint() {
        hint(&text);
    }
}

/// Text of several lines with every character that a terminal would obey shown as an escape. Spaces that indent a line
/// are ours.
fn lines(text: &str) -> String {
    let line = |line: &str| {
        let inner = line.trim_start_matches(' ');
        let indent = &line[..line.len() - inner.len()];
        let inner = inner.trim_end_matches(' ');
        format!("{indent}{}", escape(inner))
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A message on one line, but for the lines that draw where in a statement something stands.
fn excerpt(text: &str) -> String {
    let (head, drawn) = text.split_once(DRAWN).map_or((text, None), |(head, drawn)| (head, Some(drawn)));
    let mut shown = escape(head).into_owned();
    for line in drawn.into_iter().flat_map(|drawn| drawn.split(DRAWN)) {
        let caret = line.trim_start_matches(' ');
        let _ = write!(shown, "{DRAWN}{}{}", &line[..line.len() - caret.len()], escape(caret));
    }
    shown
}

fn write(text: &str) {
    let text = wrapped(text, terminal::stderr_width());
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Lines that are longer than the terminal is wide, wrapped at words. What is drawn stays as it is.
fn wrapped(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    let options = Options::new(width).subsequent_indent("  ").word_splitter(WordSplitter::NoHyphenation);
    let is_drawn = |line: &str| line.starts_with(DRAWN.trim_start_matches('\n'));
    let line = |line: &str| if is_drawn(line) { line.to_owned() } else { fill(line, &options) };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_wrap_at_words_and_drawings_do_not() {
        let text = "note: a sentence that is longer\n  | SELECT usr FROM requests\n  |        ^";
        let shown = "note: a sentence\n  that is longer\n  | SELECT usr FROM requests\n  |        ^";
        assert_eq!(wrapped(text, Some(18)), shown);
        assert_eq!(wrapped(text, None), text);
    }

    #[test]
    fn nothing_in_a_message_is_obeyed_or_makes_a_line_of_its_own() {
        let name = "notes\x1b]0;PWNED\x07\x1b[2J\n0 records rejected\u{9b}31m\u{202e}";
        let shown = r"notes\x1b]0;PWNED\x07\x1b[2J\n0 records rejected\u{9b}31m\u{202e}";
        assert_eq!(named(name), shown);
        assert_eq!(excerpt(name), shown);
        assert_eq!(lines("  a\x1b[2J \n\tb"), "  a\\x1b[2J\n\\tb");
        let drawn = "no such column in line 1, column 8\n  | SELECT usr\n  |        ^";
        assert_eq!(excerpt(drawn), drawn);
        assert_eq!(excerpt("x\nerror: forged\n  | y\nz"), "x\\nerror: forged\n  | y\\nz");
    }

    #[test]
    fn json_is_the_same_value_without_what_a_terminal_obeys() {
        let value = serde_json::json!({"name\u{9b}": "\x1b[2J\u{7f}\u{202e}\u{e0041}é", "list": [1]});
        let text = json(&value);
        assert!(!text.chars().any(|character| character != '\n' && is_hostile(character)), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
