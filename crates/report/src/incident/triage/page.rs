//! The page of a screen: lines of a width, in colours or not.

use std::fmt::Write as _;

use super::words::{fitted, words_in_lines};
use crate::document::Level;
use crate::visible::is_hostile;

/// Lines of a width.
pub(super) struct Page {
    pub(super) text: String,
    pub(super) width: usize,
    pub(super) colour: bool,
}

/// What a client chose is escaped where it is put in; this keeps a forgotten one from reaching the terminal.
fn harmless(line: &str) -> String {
    line.chars().filter(|letter| !is_hostile(*letter)).collect()
}

impl Page {
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(fitted(&harmless(line), self.width).trim_end());
        self.text.push('\n');
    }

    pub(super) fn heading(&mut self, name: &str, rest: &str) {
        let line = fitted(&format!("{name}{}", harmless(rest)), self.width);
        let line = line.trim_end();
        match self.colour.then(|| line.strip_prefix(name)).flatten() {
            Some(rest) => drop(writeln!(self.text, "\n\x1b[1m{name}\x1b[0m{rest}")),
            None => drop(writeln!(self.text, "\n{line}")),
        }
    }

    fn level(&self, level: Level) -> String {
        let name = format!("{:<8}", level.name());
        let colour = match level {
            Level::Critical => "1;31",
            Level::High => "31",
            Level::Medium => "33",
            Level::Low => "34",
            Level::Info => "2",
        };
        if self.colour { format!("\x1b[{colour}m{name}\x1b[0m") } else { name }
    }

    /// A line that begins with a level, whose colour does not count as width.
    pub(super) fn levelled(&mut self, level: Level, rest: &str) {
        let rest = fitted(&harmless(rest), self.width - 9);
        let level = self.level(level);
        let _ = writeln!(self.text, "{level} {}", rest.trim_end());
    }

    /// Commands, as many in a line as fit. None is cut: it is there to be copied.
    pub(super) fn commands(&mut self, name: &str, commands: &[String]) {
        let mut line = name.to_owned();
        for (number, command) in commands.iter().enumerate() {
            let comma = if number + 1 < commands.len() { "," } else { "" };
            let word = harmless(&format!("`{command}`{comma}"));
            if line.len() > name.len() && line.chars().count() + 1 + word.chars().count() > self.width {
                self.text.push_str(&line);
                self.text.push('\n');
                line = " ".repeat(name.len());
            }
            if line.len() > name.len() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        self.text.push_str(&line);
        self.text.push('\n');
    }

    /// A name and a text, the lines of which stand below one another.
    pub(super) fn wrapped(&mut self, name: &str, text: &str) {
        let indent = name.len() + 2;
        let room = self.width.saturating_sub(indent).max(20);
        let mut is_first = true;
        for paragraph in text.split('\n') {
            for line in words_in_lines(paragraph, room) {
                match is_first {
                    true => self.heading(name, &format!("  {line}")),
                    false => self.line(&format!("{:indent$}{line}", "")),
                }
                is_first = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visible::width;

    #[test]
    fn commands_stand_whole_in_as_many_lines_as_they_need() {
        let commands = [
            "kforensic query exec-credentials",
            "kforensic query timeline --user bob",
            "kforensic report -o report.html",
        ];
        let commands = commands.map(str::to_owned);
        for (room, lines) in [(60, 3), (100, 2), (160, 1), (10, 3)] {
            let mut page = Page { text: String::new(), width: room, colour: false };
            page.commands("next: ", &commands);
            assert_eq!(page.text.lines().count(), lines, "{}", page.text);
            assert!(room < 60 || page.text.lines().all(|line| width(line) <= room), "{}", page.text);
            assert!(commands.iter().all(|command| page.text.contains(&format!("`{command}`"))), "{}", page.text);
        }
    }
}
