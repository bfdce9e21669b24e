//! The one table of formats. Parsing, listing, help and completion derive from it.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use arrow::datatypes::SchemaRef;

use crate::sink::{Layout, Sink};
use crate::{ReportError, UnknownFormat, csv, json, table};

/// Starts one format: the last column of the table.
type Start = for<'w> fn(SchemaRef, Layout, &'w mut dyn Write) -> Result<Box<dyn Sink + 'w>, ReportError>;

struct Entry {
    name: &'static str,
    meaning: &'static str,
    start: Start,
}

/// Makes the enum and its table of one list, so that neither can forget a line of the other.
macro_rules! formats {
    ($($format:ident, $name:literal, $meaning:literal, $start:path;)+) => {
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
                    $(Self::$format => Entry { name: $name, meaning: $meaning, start: $start },)+
                }
            }
        }
    };
}

formats! {
    Table, "table", "aligned columns for people, fitted to the terminal", table::start;
    Json, "json", "one JSON array of objects, one object per line", json::start_array;
    Jsonl, "jsonl", "one JSON object per line, without an array around them", json::start_lines;
    Csv, "csv", "comma-separated values with a header line (RFC 4180)", csv::start;
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

    /// Starts writing a result with the columns of `schema` to `out`.
    ///
    /// Nothing is written before the first batch or the finish, so a query that fails at once leaves the
    /// output empty.
    ///
    /// # Errors
    /// When the format cannot hold such a result. None of today's formats refuses any.
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
        assert_eq!(names, ["table", "json", "jsonl", "csv"]);
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(*format));
            assert_eq!(format.to_string(), format.name());
            assert!(!format.meaning().is_empty());
        }
        let unknown = "yaml".parse::<Format>();
        assert_eq!(unknown, Err(UnknownFormat { name: "yaml".to_owned() }));
        assert_eq!("JSON".parse::<Format>().unwrap_err().to_string(), "`JSON` is not a format");
    }
}
