//! The margin of the lines of a statement behind its first: a second prompt, as the shells of other databases have one.
//!
//! rustyline knows no such thing, and finds the place of the cursor from the text alone. A tab at the beginning of a line is as
//! wide to it as the margin, and blank space to SQL: so a tab stands in the text in its place, and is painted as the margin.
//! What is run has no margins any more, and inside of a string or a quoted name there never is one. The history keeps them,
//! so that a statement comes back as it was typed.

use std::sync::Arc;

use kforensic_query::scanner::{self, Kind, Token};
use rustyline::{
    CharSearch, Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, Movement, RepeatCount,
};

use super::commands::Commands;
use super::spoken;

/// How it is shown.
pub(super) const SHOWN: &str = "   ...> ";

/// Its width, which is that of a tab at the beginning of a line.
pub(super) const COLUMNS: u8 = 8;

/// What stands for it in a text, with the end of the line before it.
pub(super) const WRITTEN: &str = "\n\t";

/// Whether a token may hold margins. Its text is what a program reads where it is quoted.
pub(super) fn may_be_in(token: &Token) -> bool {
    !matches!(token.kind, Kind::Text | Kind::QuotedName)
}

/// `text` with a margin in front of each of its lines but the first.
pub(super) fn with(text: &str) -> String {
    replaced(text, "\n", WRITTEN)
}

/// `text` without its margins.
pub(super) fn without(text: &str) -> String {
    replaced(text, WRITTEN, "\n")
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    let tokens = scanner::tokens(text);
    let part = |token: &Token| match may_be_in(token) {
        true => token.text(text).replace(from, to),
        false => token.text(text).to_owned(),
    };
    tokens.iter().map(part).collect()
}

/// Whether what was typed is all that there is to do: a command, or SQL up to its semicolon.
pub(super) fn is_whole(typed: &str, commands: &Commands) -> bool {
    let line = without(typed);
    // What begins no statement has no end to wait for, and neither has a command below SQL that does not end: the session
    // says what is missing, instead of waiting for it for ever.
    spoken::is_command(&line)
        || spoken::stray(&line).is_some()
        || commands.behind(&line).is_some()
        || scanner::is_complete(&line)
}

/// What keys do where there are margins, and do not do by themselves.
pub(super) struct Keys {
    pub(super) commands: Arc<Commands>,
}

impl Keys {
    /// The keys.
    pub(super) fn all() -> [KeyEvent; 7] {
        let plain = |code| KeyEvent(code, Modifiers::NONE);
        [
            plain(KeyCode::Enter),
            KeyEvent::ctrl('J'),
            plain(KeyCode::Left),
            plain(KeyCode::Home),
            KeyEvent::ctrl('A'),
            plain(KeyCode::Backspace),
            KeyEvent::ctrl('H'),
        ]
    }

    fn command(&self, key: KeyEvent, line: &str, at: usize) -> Option<Cmd> {
        let before = &line[..at];
        // By characters that are looked for: rustyline counts for itself how far others go.
        let to_end_before = || Movement::ViCharSearch(1, CharSearch::Backward('\n'));
        match key.0 {
            KeyCode::Left => before.ends_with(WRITTEN).then(|| Cmd::Move(to_end_before())),
            KeyCode::Backspace | KeyCode::Char('H') => before.ends_with(WRITTEN).then(|| Cmd::Kill(to_end_before())),
            KeyCode::Home | KeyCode::Char('A') => {
                let typed = before[before.rfind('\n')? + 1..].strip_prefix('\t')?;
                // To go where it is already is refused with a sound.
                let to_margin = Cmd::Move(Movement::ViCharSearch(1, CharSearch::BackwardAfter('\t')));
                (!typed.contains('\t')).then_some(if typed.is_empty() { Cmd::Noop } else { to_margin })
            }
            _ => {
                let is_quoted =
                    scanner::tokens(before).last().is_some_and(|token| !token.is_closed && !may_be_in(token));
                let goes_on = !is_quoted && !is_whole(line, &self.commands);
                goes_on.then(|| Cmd::Insert(1, WRITTEN.to_owned()))
            }
        }
    }
}

impl ConditionalEventHandler for Keys {
    fn handle(&self, event: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        self.command(*event.get(0)?, context.line(), context.pos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_go_as_they_came_and_never_into_what_is_quoted() {
        for (plain, written) in [
            ("SELECT 1", "SELECT 1"),
            ("SELECT 1,\n2", "SELECT 1,\n\t2"),
            ("SELECT 1,\n\n\t2", "SELECT 1,\n\t\n\t\t2"),
            ("SELECT 'a\n\tb',\n\"c\n\td\"", "SELECT 'a\n\tb',\n\t\"c\n\td\""),
            ("SELECT 1 /* a\nb */ -- c\n;", "SELECT 1 /* a\n\tb */ -- c\n\t;"),
            ("SELECT $$\n\t$$\n", "SELECT $$\n\t$$\n\t"),
        ] {
            assert_eq!(with(plain), written);
            assert_eq!(without(written), plain);
        }
    }

    #[test]
    fn keys_know_the_margin() {
        let keys = Keys { commands: Arc::new(Commands::new()) };
        let command = |code, line: &str, at| keys.command(KeyEvent(code, Modifiers::NONE), line, at);
        let margin = Cmd::Insert(1, WRITTEN.to_owned());
        assert_eq!(command(KeyCode::Enter, "SELECT 1", 8), Some(margin.clone()));
        assert_eq!(command(KeyCode::Enter, "SELECT 1\n\tFROM x", 15), Some(margin));
        // The end of a statement, a command, a command below a statement, and inside of a string.
        for line in ["SELECT 1;", ".views", "exit", "secret prod/db", "SELECT 1\n\t.views", "SELECT 'a"] {
            assert_eq!(command(KeyCode::Enter, line, line.len()), None, "{line}");
        }
        let line = "SELECT 1,\n\t2";
        let back = Movement::ViCharSearch(1, CharSearch::Backward('\n'));
        assert_eq!(command(KeyCode::Left, line, 11), Some(Cmd::Move(back.clone())));
        assert_eq!(command(KeyCode::Left, line, 12), None);
        assert_eq!(command(KeyCode::Backspace, line, 11), Some(Cmd::Kill(back)));
        assert_eq!(command(KeyCode::Backspace, line, 12), None);
        let to_margin = Movement::ViCharSearch(1, CharSearch::BackwardAfter('\t'));
        assert_eq!(command(KeyCode::Home, line, 12), Some(Cmd::Move(to_margin)));
        assert_eq!(command(KeyCode::Home, line, 11), Some(Cmd::Noop));
        assert_eq!(command(KeyCode::Home, line, 4), None);
    }
}
