//! Messages to the user: data on standard output, everything else on standard error.

use std::io::Write;

use anstyle::AnsiColor;

use crate::error::CliError;
use crate::terminal::painted;

/// A time as RFC 3339 for people, to the millisecond: `2026-11-21 20:37:10.530`. Always UTC.
pub(crate) fn time(rfc3339: &str) -> String {
    rfc3339.get(..23).unwrap_or(rfc3339).replace('T', " ")
}

/// Writes data to standard output.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    print_bytes(text.as_bytes())
}

/// Writes bytes to standard output, as they are.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|source| CliError::Output { action: "write to", path: "-".into(), source })
}

/// A line that needs no label.
pub(crate) fn plain(text: &str) {
    write(text);
}

/// Something the user should know.
pub(crate) fn note(text: &str) {
    write(&format!("{}: {text}", painted("note", AnsiColor::Cyan)));
}

/// Something the user should look at.
pub(crate) fn warning(text: &str) {
    write(&format!("{}: {text}", painted("warning", AnsiColor::Yellow)));
}

/// What to do about the message before.
pub(crate) fn hint(text: &str) {
    write(&format!("\n{}: {text}", painted("hint", AnsiColor::Green)));
}

/// What went wrong, and what to do.
pub(crate) fn error(error: &CliError) {
    write(&format!("{}: {error}", painted("error", AnsiColor::Red)));
    if let Some(text) = error.hint() {
        hint(&text);
    }
}

fn write(text: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
