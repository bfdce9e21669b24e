//! What standard output and standard error can show.

use std::io::IsTerminal;

use kforensic_report::{CellText, Layout};

/// Whether colours may be written to a stream that `is_terminal`: <https://no-color.org>, and not to one that calls itself dumb.
fn colour(is_terminal: bool) -> bool {
    let is_dumb = || std::env::var_os("TERM").is_some_and(|name| name == "dumb");
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && !is_dumb()
}

/// Layout of standard output: fitted to a terminal, the same bytes every time elsewhere.
pub(crate) fn stdout_layout() -> Layout {
    let stdout = std::io::stdout();
    let is_terminal = stdout.is_terminal();
    let width = terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
    Layout {
        width: if is_terminal { width } else { None },
        colour: colour(is_terminal),
        cells: cells(is_terminal),
        ..Layout::default()
    }
}

/// Lines of the terminal that standard output is.
pub(crate) fn stdout_rows() -> Option<usize> {
    let rows = terminal_size::terminal_size_of(std::io::stdout()).map(|(_, rows)| usize::from(rows.0));
    rows.filter(|rows| *rows > 0)
}

/// How the cells of an answer stand on a stream that `is_terminal`: what a terminal obeys is escaped there.
pub(crate) fn cells(is_terminal: bool) -> CellText {
    if is_terminal { CellText::Visible } else { CellText::Defused }
}

/// Whether standard error is a terminal that somebody watches.
pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Columns of the terminal that standard error is.
pub(crate) fn stderr_width() -> Option<usize> {
    let width = terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| usize::from(width.0));
    width.filter(|width| *width > 0)
}

/// `word` in bold and the colour of an error, when standard error can show it.
pub(crate) fn painted(word: &str, colour_of_word: anstyle::AnsiColor) -> String {
    if !colour(stderr_is_terminal()) {
        return word.to_owned();
    }
    let style = anstyle::Style::new().bold().fg_color(Some(colour_of_word.into()));
    format!("{style}{word}{style:#}")
}
