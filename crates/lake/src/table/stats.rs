//! Statistics of a data file, by which queries leave files out before they open them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow::array::{Array, RecordBatch};
use kforensic_event::{COLUMNS, Cell, Kind, time};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Longest text in the statistics, in characters. Delta readers treat longer ones as bounds anyway.
const MAX_TEXT_CHARS: usize = 32;

/// Counts and bounds of the rows of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileStats {
    /// Rows.
    pub rows: u64,
    /// Smallest and largest event time in microseconds since 1970; `None` when no row has one.
    pub event_time: Option<(i64, i64)>,
}

/// Collects the statistics while a file is written.
#[derive(Debug, Default)]
pub(crate) struct StatsBuilder {
    rows: u64,
    columns: BTreeMap<&'static str, ColumnStats>,
}

#[derive(Debug, Default)]
struct ColumnStats {
    nulls: u64,
    texts: Option<(String, String)>,
    ints: Option<(i64, i64)>,
}

impl StatsBuilder {
    pub(crate) fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        for (at, column) in COLUMNS.iter().enumerate().filter(|(_, column)| column.storage.bounded) {
            let stats = self.columns.entry(column.name).or_default();
            let array = batch.column(at);
            stats.nulls += array.null_count() as u64;
            for row in 0..batch.num_rows() {
                match Cell::read(array, column.kind, row) {
                    Cell::Int(int) => {
                        let (min, max) = stats.ints.get_or_insert((int, int));
                        *min = int.min(*min);
                        *max = int.max(*max);
                    }
                    Cell::Text(text) => stats.add_text(text),
                    _ => (),
                }
            }
        }
    }

    /// The statistics as the Delta protocol writes them.
    pub(crate) fn to_delta(&self) -> String {
        let (mut min_values, mut max_values, mut nulls) = (Map::new(), Map::new(), Map::new());
        for (name, stats) in &self.columns {
            nulls.insert((*name).to_owned(), stats.nulls.into());
            if let Some((min, max)) = stats.ints {
                min_values.insert((*name).to_owned(), time::render(min).into());
                max_values.insert((*name).to_owned(), time::render(max).into());
            }
            if let Some((min, max)) = &stats.texts {
                min_values.insert((*name).to_owned(), cut(min).into());
                if let Some(bound) = upper_bound(max) {
                    max_values.insert((*name).to_owned(), bound.into());
                }
            }
        }
        json!({"numRecords": self.rows, "minValues": min_values, "maxValues": max_values, "nullCount": nulls})
            .to_string()
    }
}

impl ColumnStats {
    fn add_text(&mut self, text: &str) {
        match &mut self.texts {
            None => self.texts = Some((text.to_owned(), text.to_owned())),
            Some((min, max)) => {
                if text < min.as_str() {
                    text.clone_into(min);
                }
                if text > max.as_str() {
                    text.clone_into(max);
                }
            }
        }
    }
}

impl FileStats {
    /// Reads the statistics of an `add` action; what is not there is unknown, hence unbounded.
    pub(crate) fn from_delta(stats: &str) -> Self {
        let Stats { rows, min_values, max_values } = serde_json::from_str(stats).unwrap_or_default();
        let time = |bounds: Bounds<'_>| bounds.event_time.and_then(|time| time::parse(&time));
        Self { rows, event_time: time(min_values).zip(time(max_values)) }
    }
}

/// What is read of the statistics of a file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Stats<'a> {
    #[serde(rename = "numRecords")]
    rows: u64,
    #[serde(borrow)]
    min_values: Bounds<'a>,
    #[serde(borrow)]
    max_values: Bounds<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Bounds<'a> {
    #[serde(borrow)]
    event_time: Option<Cow<'a, str>>,
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_TEXT_CHARS).map_or(text, |(at, _)| &text[..at])
}

/// A short text that is not less than `text`: a cut text is a lower bound, so its end is raised.
fn upper_bound(text: &str) -> Option<String> {
    let short = cut(text);
    if short.len() == text.len() {
        return Some(text.to_owned());
    }
    // The last character that has a successor in Unicode is raised by one.
    for (at, last) in short.char_indices().rev() {
        let next = u32::from(last) + 1;
        if let Some(next) = char::from_u32(if next == 0xd800 { 0xe000 } else { next }) {
            return Some(format!("{}{next}", &short[..at]));
        }
    }
    None
}

/// The table's schema as the Delta protocol writes it.
pub(crate) fn delta_schema() -> String {
    let fields: Vec<Value> = COLUMNS
        .iter()
        .map(|column| {
            let kind = match column.kind {
                Kind::Time => json!("timestamp"),
                Kind::Date => json!("date"),
                Kind::Text | Kind::Json => json!("string"),
                Kind::Texts => json!({"type": "array", "elementType": "string", "containsNull": true}),
                Kind::Int => json!("integer"),
                Kind::Long => json!("long"),
                Kind::Bool => json!("boolean"),
                Kind::Bytes => json!("binary"),
            };
            json!({"name": column.name, "type": kind, "nullable": true, "metadata": {"comment": column.meaning}})
        })
        .collect();
    json!({"type": "struct", "fields": fields}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_stay_bounds() {
        let long = "z".repeat(40);
        let bound = upper_bound(&long).unwrap();
        assert!(bound.as_str() > long.as_str() && bound.chars().count() == MAX_TEXT_CHARS);
        assert!(cut(&long) <= long.as_str());
        assert_eq!(upper_bound("secrets").as_deref(), Some("secrets"));
        assert_eq!(upper_bound(&"\u{10ffff}".repeat(40)), None);
        assert_eq!(upper_bound(&format!("a{}", "\u{10ffff}".repeat(40))).as_deref(), Some("b"));
        assert_eq!(upper_bound(&"\u{d7ff}".repeat(33)).unwrap().chars().last(), Some('\u{e000}'));
    }

    #[test]
    fn bounds_come_back_from_the_log() {
        let mut stats = StatsBuilder { rows: 2, ..StatsBuilder::default() };
        stats.columns.insert("event_time", ColumnStats { nulls: 0, texts: None, ints: Some((1, 2_000_000)) });
        assert_eq!(FileStats::from_delta(&stats.to_delta()), FileStats { rows: 2, event_time: Some((1, 2_000_000)) });
        assert_eq!(FileStats::from_delta("kaput"), FileStats::default());
    }
}
