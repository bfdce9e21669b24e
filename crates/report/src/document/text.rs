//! Prose: our own words, and the names from the evidence that stand between them.

use std::fmt;

/// A run of text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text(pub Vec<Span>);

/// A piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Span {
    /// Our own words.
    Plain(String),
    /// Our own words, with weight.
    Strong(String),
    /// A name or value that stands in the evidence, whoever chose it.
    Name(String),
    /// Words that lead to a part of the same document.
    Link {
        /// The id of the section, part, table or figure.
        to: String,
        /// The words.
        words: String,
    },
    /// How bad something is.
    Level(Level),
}

/// How bad a finding is, as analysts grade it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    #[default]
    Info,
    /// Rarely more than noise.
    Low,
    /// To be explained by somebody.
    Medium,
    /// Most likely an attack, or a grave mistake.
    High,
    /// The cluster, or what is in it, is in other hands.
    Critical,
}

impl Level {
    /// Every level, the worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// Its name, as in the headers of queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The level of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// How a note is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Information,
    /// The reader would be wrong without it.
    Warning,
}

impl Tone {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Information => "note",
            Self::Warning => "warning",
        }
    }
}

impl Text {
    /// A text of our own words.
    #[must_use]
    pub fn plain(words: impl Into<String>) -> Self {
        Self(vec![Span::Plain(words.into())])
    }

    /// A text of our own words in which names stand between backticks, as messages have them.
    #[must_use]
    pub fn marked(words: &str) -> Self {
        let parts: Vec<&str> = words.split('`').collect();
        // An odd number of backticks marks nothing.
        if parts.len().is_multiple_of(2) {
            return Self::plain(words);
        }
        let spans = parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty());
        Self(
            spans
                .map(|(at, part)| if at % 2 == 0 { Span::Plain(part.into()) } else { Span::Name(part.into()) })
                .collect(),
        )
    }

    /// A text that is one name from the evidence.
    #[must_use]
    pub fn name(name: impl Into<String>) -> Self {
        Self(vec![Span::Name(name.into())])
    }

    /// The text, with our own words behind it.
    #[must_use]
    pub fn and(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Plain(words.into()));
        self
    }

    /// The text, with heavy words behind it.
    #[must_use]
    pub fn and_strong(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Strong(words.into()));
        self
    }

    /// The text, with a name from the evidence behind it.
    #[must_use]
    pub fn and_name(mut self, name: impl Into<String>) -> Self {
        self.0.push(Span::Name(name.into()));
        self
    }

    /// The text, with names from the evidence behind it, commas between them.
    #[must_use]
    pub fn and_names(mut self, names: &[String]) -> Self {
        for (count, name) in names.iter().enumerate() {
            if count > 0 {
                self.0.push(Span::Plain(", ".to_owned()));
            }
            self.0.push(Span::Name(name.clone()));
        }
        self
    }

    /// The text, with a level behind it.
    #[must_use]
    pub fn and_level(mut self, level: Level) -> Self {
        self.0.push(Span::Level(level));
        self
    }

    /// The text, with a link to another part of the document behind it.
    #[must_use]
    pub fn and_link(mut self, to: impl Into<String>, words: impl Into<String>) -> Self {
        self.0.push(Span::Link { to: to.into(), words: words.into() });
        self
    }

    /// The text, with another behind it.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Self::plain(words)
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self::plain(words)
    }
}
