//! The one table of formats. Parsing, listing, help and completion derive from it.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use arrow::datatypes::SchemaRef;

use crate::sink::{Layout, Sink};
use crate::{ReportError, UnknownFormat, csv, json, markdown, page, parquet, table, timesketch, tsv, xlsx};

/// Starts one format: the last column of the table.
type Start = for<'w> fn(SchemaRef, Layout, &'w mut dyn Write) -> Result<Box<dyn Sink + 'w>, ReportError>;

struct Entry {
    name: &'static str,
    meaning: &'static str,
    /// Endings of file names that ask for it, in lower case, without the dot.
    extensions: &'static [&'static str],
    start: Start,
}

/// Makes the enum and its table of one list, so that neither can forget a line of the other.
macro_rules! formats {
    ($($format:ident, $name:literal, $extensions:expr, $meaning:literal, $start:path;)+) => {
        /// A form in which a result is written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $(#[doc = $meaning] $format,)+
        }

        impl Format {
            /// Every format, in the order in which help lists them.
            pub const ALL: &'static [Self] = &[$(Self::$format),+];

            const fn entry(self) -> Entry {
                match self {
                    $(Self::$format => {
                        Entry { name: $name, meaning: $meaning, extensions: &$extensions, start: $start }
                    })+
                }
            }
        }
    };
}

#[rustfmt::skip]
formats! {
    Table, "table", ["table", "txt"], "aligned columns for people, fitted to the terminal", table::start;
    Json, "json", ["json"], "one JSON array of objects, one object per line", json::start_array;
    Jsonl, "jsonl", ["jsonl", "ndjson"], "one JSON object per line, without an array around them", json::start_lines;
    Csv, "csv", ["csv"], "comma-separated values with a header line (RFC 4180)", csv::start;
    Tsv, "tsv", ["tsv", "tab"], "tab-separated values with a header line; tabs, line ends and backslashes as \\t \\n \\r \\\\", tsv::start;
    Markdown, "markdown", ["md", "markdown"], "a table for reports and tickets (GitHub's Markdown)", markdown::start;
    Html, "html", ["html", "htm"], "one page that opens anywhere, with the verdict, the command and the SQL", page::start;
    Xlsx, "xlsx", ["xlsx"], "a workbook for Excel: texts stay texts; a second sheet says what the rows are", xlsx::start;
    Parquet, "parquet", ["parquet"], "columns with their types, compressed with zstd", parquet::start;
    Timesketch, "timesketch", [], "events for a Timesketch timeline: JSON lines, or CSV to a file named `.csv`", timesketch::start_lines;
    TimesketchCsv, "timesketch-csv", [], "events for a Timesketch timeline as CSV", timesketch::start_csv;
}

impl Format {
    /// The name on the command line, such as `jsonl`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// What the format is, in words for help and completion.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.entry().meaning
    }

    /// The format that a file name with this ending, such as `csv`, asks for. Upper and lower case are the same.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        let extension = extension.to_ascii_lowercase();
        Self::ALL.iter().copied().find(|format| format.entry().extensions.contains(&extension.as_str()))
    }

    /// Whether the table's layout, its rows and its width, makes a difference.
    #[must_use]
    pub const fn is_table(self) -> bool {
        matches!(self, Self::Table)
    }

    /// Whether [`CellText`](crate::CellText) makes a difference.
    #[must_use]
    pub const fn is_delimited(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv | Self::TimesketchCsv)
    }

    /// Whether the output is not text: nothing to show on a terminal.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Xlsx)
    }

    /// Whether the output is one whole that ends: nothing can follow an answer in the same file.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Parquet | Self::Xlsx | Self::Html)
    }

    /// Whether it shows what stands beside the rows: [`About`](crate::About).
    #[must_use]
    pub const fn tells_about(self) -> bool {
        matches!(self, Self::Xlsx | Self::Html)
    }

    /// Every ending of a file name that asks for a format, in the order of the formats.
    pub fn extensions() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().flat_map(|format| format.entry().extensions.iter().copied())
    }

    /// Starts writing a result with the columns of `schema` to `out`.
    ///
    /// Nothing is written before the first batch or the finish, so a query that fails at once leaves the
    /// output empty.
    ///
    /// # Errors
    /// When the format cannot hold such a result: Timesketch needs a column of times.
    pub fn writer<'w>(
        self,
        schema: SchemaRef,
        layout: Layout,
        out: &'w mut dyn Write,
    ) -> Result<Box<dyn Sink + 'w>, ReportError> {
        (self.entry().start)(schema, layout, out)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.iter().copied().find(|format| format.name() == name);
        found.ok_or_else(|| UnknownFormat { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_and_is_listed_once() {
        let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
        assert_eq!(
            names,
            [
                "table",
                "json",
                "jsonl",
                "csv",
                "tsv",
                "markdown",
                "html",
                "xlsx",
                "parquet",
                "timesketch",
                "timesketch-csv"
            ]
        );
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(*format));
            assert_eq!(format.to_string(), format.name());
            assert!(!format.meaning().is_empty());
        }
        let unknown = "yaml".parse::<Format>();
        assert_eq!(unknown, Err(UnknownFormat { name: "yaml".to_owned() }));
        assert_eq!("JSON".parse::<Format>().unwrap_err().to_string(), "`JSON` is not a format");
    }
    #[test]
    fn file_names_ask_for_formats() {
        let asked = ["csv", "CSV", "ndjson", "md", "tsv", "parquet", "txt", "xlsx", "HTM"].map(Format::of_extension);
        let formats =
            [Format::Csv, Format::Csv, Format::Jsonl, Format::Markdown, Format::Tsv, Format::Parquet, Format::Table]
                .into_iter()
                .chain([Format::Xlsx, Format::Html]);
        assert!(asked.into_iter().eq(formats.map(Some)));
        assert_eq!(Format::of_extension("xls"), None);
        let mut extensions: Vec<_> = Format::ALL.iter().flat_map(|format| format.entry().extensions).collect();
        let count = extensions.len();
        extensions.sort_unstable();
        extensions.dedup();
        assert_eq!(extensions.len(), count, "an ending asks for one format");
    }
}
