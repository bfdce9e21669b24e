//! Words without a dot that people type at other prompts: those of psql, sqlite, mysql and a shell.

use std::borrow::Cow;

/// The words, and the command that each is.
const SPOKEN: [(&str, &str); 12] = [
    ("exit", ".quit"),
    ("quit", ".quit"),
    ("\\q", ".quit"),
    (":q", ".quit"),
    ("help", ".help"),
    ("?", ".help"),
    ("\\?", ".help"),
    ("\\h", ".help"),
    ("\\d", ".describe"),
    ("\\dt", ".views"),
    ("show tables", ".views"),
    ("\\l", ".case"),
];

/// Such words as the command that they are, and every other line as it is. A statement of several words is SQL but for
/// `\d NAME`.
pub(super) fn command_of(line: &str) -> Cow<'_, str> {
    let words = line.trim().trim_end_matches(';').trim_end();
    let is = |spoken: &str| words.eq_ignore_ascii_case(spoken);
    if let Some((_, command)) = SPOKEN.iter().find(|(spoken, _)| is(spoken)) {
        return Cow::Borrowed(command);
    }
    match words.strip_prefix("\\d ") {
        Some(name) if !name.contains('\n') => Cow::Owned(format!(".describe {}", name.trim())),
        _ => Cow::Borrowed(line),
    }
}

/// Whether a line is a command, with its dot or without.
pub(super) fn is_command(line: &str) -> bool {
    command_of(line).trim_start().starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_prompts_are_commands_and_sql_is_not() {
        for (line, command) in [
            ("exit", ".quit"),
            (" QUIT; \n", ".quit"),
            ("\\q", ".quit"),
            ("help", ".help"),
            ("\\d requests", ".describe requests"),
            ("SELECT exit FROM help;", "SELECT exit FROM help;"),
            ("exit\nfrom", "exit\nfrom"),
            (".views", ".views"),
        ] {
            assert_eq!(command_of(line), command, "{line}");
        }
        assert!(is_command("exit;") && is_command(".x") && !is_command("SELECT 1"));
    }
}
