//! Words without a dot that people type at other prompts: those of psql, sqlite, mysql and a shell.

use std::borrow::Cow;

use kforensic_query::scanner::{self, Kind, Token};

/// The words, and the command that each is.
const SPOKEN: [(&str, &str); 13] = [
    ("q", ".quit"),
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

/// First words of the statements that DuckDB 2.0 knows, by its grammar; the gate refuses most of them.
const STATEMENTS: &str = "select from with values table explain describe desc show summarize pivot pivot_wider pivot_longer unpivot \
    pragma set reset call insert update delete truncate merge create drop alter copy attach detach use install load begin start \
    commit rollback abort end checkpoint force vacuum analyze export import prepare execute deallocate comment";

/// The first word of a line that begins no statement: nothing behind it makes it one. What is no word, such as `(`, may begin one.
pub(super) fn stray(line: &str) -> Option<&str> {
    let tokens = scanner::tokens(line);
    let first = tokens.iter().find(|token| Token::is_code(token)).filter(|first| first.kind == Kind::Word)?;
    let word = first.text(line);
    if STATEMENTS.split_whitespace().any(|known| known.eq_ignore_ascii_case(word)) {
        return None;
    }
    // Names of queries have dashes.
    let rest = &line[first.range.start..];
    rest.split(|next: char| next.is_whitespace() || next == ';').next()
}

/// The statement word that is nearest to one that is none.
pub(super) fn statement_like(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let near = |known: &&str| strsim::damerau_levenshtein(&lower, known) <= 1;
    STATEMENTS.split_whitespace().find(near).map(str::to_ascii_uppercase)
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

    #[test]
    fn what_begins_no_statement_is_known_by_its_first_word() {
        for line in ["SELECT 1", "from requests", "(SELECT 1)", "-- secret\nSELECT 1", "\"secret\"", "", "Describe x"] {
            assert_eq!(stray(line), None, "{line}");
        }
        for (line, word) in
            [("secret prod/db", "secret"), ("secret-reads;", "secret-reads"), ("/* a */ selec 1", "selec")]
        {
            assert_eq!(stray(line), Some(word), "{line}");
        }
        assert_eq!(statement_like("selct").as_deref(), Some("SELECT"));
        assert_eq!(statement_like("secret"), None);
    }
}
