//! Requests: which events belong together, and which of them stands for the request.
//!
//! A request leaves one to three events, one per stage. The audit id alone is chosen by the client, so time, verb, URI
//! and peer must agree as well; resource, API group and user follow from those, because the server writes them once,
//! before the first stage. The fold is done when a file is written, so that a query finds requests by a plain filter:
//! the row of the last stage is `final`, and says which `stages` the case holds and what the `outcome` was.
//!
//! A collector may have dropped the time of the request, so that each stage has the time at which it was written
//! ([`crate::assumed::EVENT_TIME`]). Such an event belongs to the earlier events of its request that agree in all else, as long as
//! its stage comes behind theirs, or is one of theirs (the copy of another collector).
//!
//! It is right as long as all events of a request lie in one file. Who writes files keeps that: events of a request
//! share their time and their resource, hence their partition; and when another event of a stored request comes, the
//! stored ones are written anew, beside it.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Int32Array, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;

use crate::assumed::EVENT_TIME as EVENT_TIME_ASSUMED;
use crate::columns::{self, COLUMNS, Part};

/// Columns that tell a request from all others, `event_time` apart.
pub const KEY: [usize; 7] = [
    columns::at("audit_id"),
    columns::at("verb"),
    columns::at("source_ip"),
    columns::at("resource"),
    columns::at("api_group"),
    columns::at("user_name"),
    columns::at("request_uri"),
];

const EVENT_TIME: usize = columns::at("event_time");
const STAGE_TIME: usize = columns::at("stage_time");
const STAGE: usize = columns::at("stage");
const STATUS_CODE: usize = columns::at("status_code");
const ASSUMED: usize = columns::at("assumed");
const SALVAGED: usize = columns::at("salvaged");
const OTHER: usize = columns::at("other");
const SOURCE_ID: usize = columns::at("source_id");
const BYTE_OFFSET: usize = columns::at("byte_offset");
const BODIES: [usize; 2] = [columns::at("request_object"), columns::at("response_object")];
const FINAL: usize = columns::at("final");
const STAGES: usize = columns::at("stages");
const OUTCOME: usize = columns::at("outcome");

/// The stages of the server, in their order.
pub const STAGE_NAMES: [&str; 4] = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"];

/// Where a stage stands among those of the server: 1 to 4; 0 for what the server does not write.
pub fn stage_rank(stage: Option<&str>) -> u8 {
    let at = STAGE_NAMES.iter().position(|name| Some(*name) == stage);
    at.and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0)
}

/// Whether a request goes on after an event of that stage and status: more of it may come later.
pub fn goes_on(rank: u8, status_code: Option<i64>) -> bool {
    match rank {
        1 => true,
        // A 401 leaves this stage and nothing else (1.28, 1.36).
        2 => status_code.is_none_or(|code| code < 400),
        _ => false,
    }
}

/// The columns of a batch that the fold looks at.
struct View<'a> {
    batch: &'a RecordBatch,
    time: &'a TimestampMicrosecondArray,
    stage_time: &'a TimestampMicrosecondArray,
    key: [&'a StringArray; 7],
    stage: &'a StringArray,
    code: &'a Int32Array,
    source: &'a StringArray,
    offset: &'a Int64Array,
}

fn text(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

impl<'a> View<'a> {
    fn new(batch: &'a RecordBatch) -> Self {
        let text = |at: usize| batch.column(at).as_string::<i32>();
        Self {
            batch,
            time: batch.column(EVENT_TIME).as_primitive::<TimestampMicrosecondType>(),
            stage_time: batch.column(STAGE_TIME).as_primitive::<TimestampMicrosecondType>(),
            key: KEY.map(text),
            stage: text(STAGE),
            code: batch.column(STATUS_CODE).as_primitive::<Int32Type>(),
            source: text(SOURCE_ID),
            offset: batch.column(BYTE_OFFSET).as_primitive::<Int64Type>(),
        }
    }

    fn code(&self, row: usize) -> Option<i32> {
        self.code.is_valid(row).then(|| self.code.value(row))
    }

    /// Compares the requests of two rows with the same time.
    fn by_key(&self, left: usize, right: usize) -> Ordering {
        self.key
            .iter()
            .map(|array| text(array, left).cmp(&text(array, right)))
            .find(|by| by.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// How much of the event a row holds: of copies that differ the fuller one answers, whatever the order in which
    /// they came. Columns that are set, then whether it is as the server wrote it, then bytes of bodies. What no column
    /// holds makes no copy fuller: a collector's own words stand there.
    fn fullness(&self, row: usize) -> (usize, bool, usize) {
        let content = COLUMNS.iter().enumerate().filter(|(at, column)| column.part == Part::Content && *at != OTHER);
        let set = content.filter(|(at, _)| self.batch.column(*at).is_valid(row)).count();
        let is_exact = self.batch.column(ASSUMED).is_null(row) && self.batch.column(SALVAGED).is_null(row);
        let bodies = BODIES.map(|at| text(self.batch.column(at).as_string::<i32>(), row).map_or(0, str::len));
        (set, is_exact, bodies.iter().sum())
    }

    /// Whether the time of a row stands for that of the request.
    fn is_time_assumed(&self, row: usize) -> bool {
        let assumed = self.batch.column(ASSUMED).as_list::<i32>();
        assumed.is_valid(row)
            && assumed.value(row).as_string::<i32>().iter().flatten().any(|what| what == EVENT_TIME_ASSUMED)
    }

    /// Puts requests together whose events have only assumed times in common with none.
    fn join(&self, requests: &mut Vec<Vec<usize>>) {
        let is_assumed = |rows: &[usize]| rows.iter().all(|row| self.is_time_assumed(*row));
        // Nearly every file passes here.
        if self.batch.column(ASSUMED).null_count() == self.batch.num_rows()
            || !requests.iter().any(|rows| is_assumed(rows))
        {
            return;
        }
        let by_key = |left: &Vec<usize>, right: &Vec<usize>| self.by_key(left[0], right[0]);
        // Stable: those of one key stay in the order of time.
        requests.sort_by(by_key);
        let mut joined: Vec<Vec<usize>> = Vec::with_capacity(requests.len());
        let mut first_of_key = 0;
        for rows in requests.drain(..) {
            if joined.last().is_some_and(|last| by_key(last, &rows).is_ne()) {
                first_of_key = joined.len();
            }
            let earlier = joined[first_of_key..].iter_mut().rev();
            match earlier.filter(|_| is_assumed(&rows)).find(|earlier| self.go_on(earlier, &rows)) {
                Some(earlier) => earlier.extend(rows),
                None => joined.push(rows),
            }
        }
        *requests = joined;
    }

    /// Whether each of `rows` is a stage behind all of `earlier`, or the copy of one of them.
    fn go_on(&self, earlier: &[usize], rows: &[usize]) -> bool {
        let rank = |row: usize| stage_rank(text(self.stage, row));
        let highest = earlier.iter().map(|row| rank(*row)).max().unwrap_or_default();
        let is_copy = |row: usize| {
            let written = |row: usize| self.stage_time.is_valid(row).then(|| self.stage_time.value(row));
            earlier
                .iter()
                .any(|known| rank(*known) == rank(row) && written(row).is_some() && written(*known) == written(row))
        };
        rows.iter().all(|row| (highest > 0 && rank(*row) > highest) || is_copy(*row))
    }

    /// The row that stands for the request of these rows.
    fn last(&self, rows: &[usize]) -> Option<usize> {
        let rank = |row: usize| stage_rank(text(self.stage, row));
        let highest = rows.iter().map(|row| rank(*row)).max()?;
        let mut last = rows.iter().copied().filter(|row| rank(*row) == highest);
        let first = last.next()?;
        let Some(second) = last.next() else { return Some(first) };
        [first, second].into_iter().chain(last).max_by_key(|row| {
            let stage_time = self.stage_time.is_valid(*row).then(|| self.stage_time.value(*row));
            (self.fullness(*row), stage_time, text(self.source, *row), self.offset.value(*row), Reverse(*row))
        })
    }

    fn outcome(&self, rows: &[usize], last: usize) -> &'static str {
        let started = |row: &usize| {
            // Data flows from the start of a response on, so a stream that ends in Panic with code 500 was allowed.
            // A 401 and a denied watch have this stage too, with their code.
            text(self.stage, *row) == Some(STAGE_NAMES[1]) && self.code(*row).is_none_or(|code| code < 400)
        };
        if rows.iter().any(started) {
            return "allowed";
        }
        match self.code(last) {
            None => "unknown",
            Some(code) if code < 400 => "allowed",
            Some(401 | 403) => "denied",
            Some(_) => "failed",
        }
    }

    /// The stages of these rows: those of the server in their order, then what else a damaged or foreign log calls one.
    fn stages(&self, rows: &[usize]) -> Vec<&str> {
        let mut stages: Vec<&str> = rows.iter().filter_map(|row| text(self.stage, *row)).collect();
        let known = |stage: &str| STAGE_NAMES.iter().position(|name| *name == stage).unwrap_or(STAGE_NAMES.len());
        stages.sort_unstable_by_key(|stage| (known(stage), *stage));
        stages.dedup();
        stages
    }
}

/// The rows of a file, in any order, with the columns `final`, `stages` and `outcome` set. Rejects have none.
///
/// # Errors
/// When the batch does not have the columns of the table.
pub fn fold(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let view = View::new(batch);
    let mut rows: Vec<usize> = (0..batch.num_rows()).filter(|row| view.time.is_valid(*row)).collect();
    let by_request = |left: &usize, right: &usize| {
        view.time.value(*left).cmp(&view.time.value(*right)).then_with(|| view.by_key(*left, *right))
    };
    // Rows come by time already, nearly always.
    rows.sort_by(by_request);
    let same = |left: &usize, right: &usize| by_request(left, right).is_eq();
    let mut requests: Vec<Vec<usize>> = rows.chunk_by(same).map(<[usize]>::to_vec).collect();
    view.join(&mut requests);
    let mut answers: Vec<Option<Vec<usize>>> = vec![None; batch.num_rows()];
    for request in requests {
        if let Some(last) = view.last(&request) {
            answers[last] = Some(request);
        }
    }
    let mut is_final = BooleanBuilder::with_capacity(batch.num_rows());
    let mut outcome = StringBuilder::with_capacity(batch.num_rows(), batch.num_rows() * 4);
    let mut stages = ListBuilder::new(StringBuilder::new()).with_field(columns::list_item());
    for (row, answer) in answers.iter().enumerate() {
        is_final.append_option(view.time.is_valid(row).then_some(answer.is_some()));
        match answer {
            Some(request) => {
                outcome.append_value(view.outcome(request, row));
                view.stages(request).into_iter().for_each(|stage| stages.values().append_value(stage));
                stages.append(true);
            }
            None => {
                outcome.append_null();
                stages.append(false);
            }
        }
    }
    let mut arrays: Vec<ArrayRef> = batch.columns().to_vec();
    arrays[FINAL] = Arc::new(is_final.finish());
    arrays[STAGES] = Arc::new(stages.finish());
    arrays[OUTCOME] = Arc::new(outcome.finish());
    RecordBatch::try_new(batch.schema(), arrays)
}
