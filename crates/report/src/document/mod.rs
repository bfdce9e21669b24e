//! A document: sections of prose, tables and figures, which HTML, Markdown and JSON each render.
//!
//! Nothing here knows what the document is about. Text that a client of the API server may have chosen is told from our
//! own words by its type ([`Span::Name`], [`Value`]), so that no renderer can take one for the other. A document has no
//! link but to its own parts: nothing in it makes a reader's machine ask another one.

pub mod figure;
mod html;
pub(crate) mod instant;
mod json;
pub(crate) mod markdown;
pub(crate) mod table;
mod text;

use std::io::{self, Write};

pub use figure::{Chart, Figure};
pub use json::{SCHEMA, SCHEMA_VERSION};
pub use table::{Column, Table, VALUE_CHARS_MAX, Value};
pub use text::{Level, Span, Text, Tone};

use crate::UnknownFormat;

/// A document, from its title to its last section.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// What it is called.
    pub title: String,
    /// Whose document it is, as its template says.
    pub organisation: Option<String>,
    /// How it may be handed on, as its template says; it stands on every page.
    pub classification: Option<String>,
    /// Program and version that made it.
    pub made_by: String,
    /// What stands under the title: names and what they mean here.
    pub facts: Vec<(String, Text)>,
    /// What programs want to know of the findings, without reading the prose; only JSON shows it.
    pub findings: Vec<FindingIndex>,
    /// The sections, in their order.
    pub sections: Vec<Section>,
}

/// A section, with a place that links lead to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// Name of its place, in lower case with dashes; each is used once in a document.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What is in it.
    pub blocks: Vec<Block>,
}

/// What a section is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A paragraph.
    Prose(Text),
    /// Items, each with a mark before it.
    List(Vec<Text>),
    /// Names with what they mean here.
    Facts(Vec<(String, Text)>),
    /// Something that the reader must not miss.
    Note(Tone, Text),
    /// Rows under the names of their columns.
    Table(Table),
    /// A picture, with the numbers that it shows.
    Figure(Figure),
    /// Text for a machine, under a caption: a command, SQL.
    Code {
        /// What it is.
        caption: String,
        /// The text, word for word.
        text: String,
    },
    /// A part with a heading of its own.
    Part(Part),
}

/// A part of a section.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Name of its place, as for a section.
    pub id: String,
    /// Its heading.
    pub title: Text,
    /// What is in it.
    pub blocks: Vec<Block>,
}

/// A finding in a form that two reports can be compared by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingIndex {
    /// The query that found it.
    pub query: String,
    /// What the query is called.
    pub title: String,
    /// How bad it is.
    pub level: Level,
    /// Ids of ATT&CK techniques.
    pub attack: Vec<String>,
    /// Number of rows.
    pub rows: u64,
    /// First time in any row, RFC 3339.
    pub first: Option<String>,
    /// Last time in any row, RFC 3339.
    pub last: Option<String>,
    /// Whether what the query is after could be seen in this log.
    pub verdict: String,
    /// Who, the most rows first.
    pub users: Vec<String>,
    /// From where, the most rows first.
    pub source_ips: Vec<String>,
    /// A short hash of every row, sorted: what two reports are compared by.
    pub row_keys: Vec<String>,
}

/// A form of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentFormat {
    /// One page that needs nothing else.
    Html,
    /// GitHub's Markdown.
    Markdown,
    /// One JSON object with a documented schema.
    Json,
}

impl DocumentFormat {
    /// Every form, in the order in which help lists them.
    pub const ALL: &'static [Self] = &[Self::Html, Self::Markdown, Self::Json];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Json => "json",
        }
    }

    /// What it is, for help.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Html => "one page that opens anywhere, with pictures and without a network",
            Self::Markdown => "for tickets and wikis (GitHub's Markdown)",
            Self::Json => "for programs, with a version and a schema; two of them can be compared",
        }
    }

    /// The form that a file name with this ending asks for.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "html" | "htm" => Some(Self::Html),
            "md" | "markdown" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// Writes `document` in this form.
    ///
    /// # Errors
    /// When the output fails.
    pub fn write(self, document: &Document, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Html => html::write(document, out),
            Self::Markdown => markdown::write(document, out),
            Self::Json => json::write(document, out),
        }
    }
}

impl std::str::FromStr for DocumentFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.iter().copied().find(|format| format.name() == name);
        found.ok_or_else(|| UnknownFormat { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests;
