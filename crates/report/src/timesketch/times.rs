//! When a row happened, and what that time means.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use chrono::Datelike;

use crate::ReportError;
use crate::cell::{Cell, bare, shown};

/// Years that pandas can hold in nanoseconds; it drops the row of any other, with Timesketch's consent.
const YEARS: std::ops::RangeInclusive<i32> = 1700..=2261;

/// What a row says that has no time: as plaso does.
const NOT_A_TIME: &str = "not a time";

/// A time of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Microseconds since 1970, UTC.
    pub(crate) micros: i64,
    /// What happened then, for `timestamp_desc`.
    pub(crate) meaning: String,
}

/// The columns that are times.
pub(crate) struct Times {
    /// A time that the result calls `datetime` itself.
    datetime: Option<usize>,
    event_time: Option<usize>,
    first_seen: Option<usize>,
    last_seen: Option<usize>,
    stage: Option<usize>,
    /// All columns of times, with their names.
    all: Vec<(usize, String)>,
}

impl Times {
    /// The times among the columns of `schema`.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn of(schema: &Schema) -> Result<Self, ReportError> {
        let fields = schema.fields().iter().enumerate();
        let instants = fields.filter(|(_, field)| matches!(bare(field.data_type()), DataType::Timestamp(..)));
        let all: Vec<(usize, String)> = instants.map(|(index, field)| (index, field.name().clone())).collect();
        if all.is_empty() {
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            return Err(ReportError::NoTime { columns: names.join(",") });
        }
        let find = |name: &str| all.iter().find(|(_, known)| known == name).map(|(index, _)| *index);
        Ok(Self {
            datetime: find("datetime"),
            event_time: find("event_time"),
            first_seen: find("first_seen"),
            last_seen: find("last_seen"),
            stage: schema.fields().iter().position(|field| field.name() == "stage"),
            all,
        })
    }

    /// The column that the result calls `datetime`, when it is a time.
    pub(crate) fn datetime(&self) -> Option<usize> {
        self.datetime
    }

    /// What the rows are, for Timesketch's `data_type`.
    pub(crate) fn data_type(&self) -> &'static str {
        if self.event_time.is_some() { "kubernetes:audit:event" } else { "kubernetes:audit:summary" }
    }

    /// The times of a row that make an event each: one at least.
    pub(crate) fn moments(&self, batch: &RecordBatch, row: usize) -> Vec<Moment> {
        let at = |column: Option<usize>| micros(&Cell::of(batch.column(column?), row));
        let moment = |micros: i64, meaning: &str| Moment { micros, meaning: format!("k8s audit {meaning}") };
        if let Some(micros) = at(self.datetime) {
            return vec![moment(micros, "time")];
        }
        if let Some(micros) = at(self.event_time) {
            let stage = self.stage.and_then(|stage| shown(&Cell::of(batch.column(stage), row)));
            let stage = stage.map(|stage| format!(", stage {stage}")).unwrap_or_default();
            return vec![moment(micros, &format!("request received{stage}"))];
        }
        match (at(self.first_seen), at(self.last_seen)) {
            (Some(first), Some(last)) if first == last => return vec![moment(first, "first and last seen")],
            (Some(first), Some(last)) => return vec![moment(first, "first seen"), moment(last, "last seen")],
            _ => (),
        }
        let first = self.all.iter().find_map(|(index, name)| Some((at(Some(*index))?, name)));
        match first {
            Some((micros, name)) => vec![moment(micros, &name.replace('_', " "))],
            None => vec![Moment { micros: 0, meaning: NOT_A_TIME.to_owned() }],
        }
    }
}

/// The instant in microseconds, when Timesketch can hold it.
fn micros(cell: &Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Instant(at) if YEARS.contains(&at.year()) => Some(at.and_utc().timestamp_micros()),
        _ => None,
    }
}
