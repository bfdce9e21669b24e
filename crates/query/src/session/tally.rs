//! How many rows a query has, and of whom, without the rows.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, SchemaRef};

use crate::error::SinkError;
use crate::stream::RowSink;

/// The rows of a canned query, and whose they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many rows there are.
    pub rows: u64,
    /// The users with the most rows, and how many each has.
    pub users: Vec<(String, u64)>,
}

/// Takes the rows of every user, those with the most first.
pub(super) struct Tallying {
    pub(super) tally: Tally,
    pub(super) users_max: usize,
}

impl RowSink for Tallying {
    fn columns(&mut self, _: &SchemaRef) -> Result<(), SinkError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        let counts = batch.column(0).as_primitive::<Int64Type>();
        let users = batch.column(1).as_string_opt::<i32>();
        for (at, count) in counts.values().iter().enumerate() {
            let count = u64::try_from(*count).unwrap_or(0);
            self.tally.rows += count;
            let user = users.filter(|users| users.is_valid(at) && self.tally.users.len() < self.users_max);
            self.tally.users.extend(user.map(|users| (users.value(at).to_owned(), count)));
        }
        Ok(())
    }
}

/// Takes the one number of a count.
pub(super) struct Count(pub(super) u64);

impl RowSink for Count {
    fn columns(&mut self, _: &SchemaRef) -> Result<(), SinkError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        let counts = batch.column(0).as_primitive::<Int64Type>();
        // Counts are not negative.
        self.0 += counts.values().iter().map(|count| u64::try_from(*count).unwrap_or(0)).sum::<u64>();
        Ok(())
    }
}
