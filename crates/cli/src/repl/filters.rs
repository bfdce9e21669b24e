//! The filters of a session: options that every canned query of it gets.

use kforensic_report::escape;

use super::words;

/// Longest value that is shown whole in the prompt, in characters.
const SHOWN_MAX: usize = 24;

/// Options with their values, in the order in which they were set.
#[derive(Debug, Default)]
pub(super) struct Filters {
    set: Vec<(String, String)>,
}

impl Filters {
    /// Sets an option, in place of a value that it may have; without a value it is taken away.
    pub(super) fn set(&mut self, option: &str, value: Option<&str>) {
        match (self.set.iter_mut().find(|(name, _)| name == option), value) {
            (Some((_, old)), Some(value)) => value.clone_into(old),
            (None, Some(value)) => self.set.push((option.to_owned(), value.to_owned())),
            (_, None) => self.set.retain(|(name, _)| name != option),
        }
    }

    pub(super) fn clear(&mut self) {
        self.set.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set.iter().map(|(option, value)| (option.as_str(), value.as_str()))
    }

    /// As arguments of a canned query, before those that the user gives: the later one of two counts.
    pub(super) fn arguments(&self) -> Vec<String> {
        self.set.iter().map(|(option, value)| format!("--{option}={value}")).collect()
    }

    /// For the prompt, such as `[user=bob since=2h] `. Values are shown, not obeyed.
    pub(super) fn prompt(&self) -> String {
        let shown: Vec<String> = self
            .set
            .iter()
            .map(|(option, value)| {
                let whole = escape(value);
                let is_long = whole.chars().count() > SHOWN_MAX;
                let text: String = whole.chars().take(SHOWN_MAX).chain(is_long.then_some('…')).collect();
                format!("{option}={text}")
            })
            .collect();
        if shown.is_empty() { String::new() } else { format!("[{}] ", shown.join(" ")) }
    }

    /// `.run NAME …` with these filters, so that it can be run again without them being set.
    pub(super) fn written(&self, name: &str, given: &[String]) -> String {
        let words = std::iter::once(name.to_owned()).chain(self.arguments()).chain(given.iter().cloned());
        let words: Vec<String> = words.map(|word| words::quote(&word)).collect();
        format!(".run {}", words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_set_replaced_taken_away_and_shown() {
        let mut filters = Filters::default();
        assert_eq!(filters.prompt(), "");
        filters.set("user", Some("bob"));
        filters.set("since", Some("2h"));
        filters.set("user", Some("evil\x1b[2J\n"));
        assert_eq!(filters.prompt(), "[user=evil\\x1b[2J\\n since=2h] ");
        assert_eq!(filters.arguments(), ["--user=evil\x1b[2J\n", "--since=2h"]);
        assert_eq!(
            filters.written("secret-reads", &["--wide".into()]),
            ".run secret-reads \"--user=evil\\u{1b}[2J\\n\" --since=2h --wide"
        );
        filters.set("user", None);
        filters.set("namespace", Some(&"n".repeat(60)));
        assert_eq!(filters.prompt(), format!("[since=2h namespace={}…] ", "n".repeat(24)));
        filters.clear();
        assert!(filters.arguments().is_empty());
    }
}
