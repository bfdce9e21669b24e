//! Writing one data file: sorted, compressed, with statistics and Bloom filters.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use kforensic_event::columns::Storage;
use kforensic_event::shape::MAX_RECORD_BYTES;
use kforensic_event::{COLUMNS, Column, Kind, columns, partition, request, time};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::FORMAT_VERSION;
use crate::ground::error::LakeError;
use crate::ground::hash::Hashing;
use crate::ground::journal::Scratch;
use crate::table::log::{Add, MEMORY_BYTES, partition_values};
use crate::table::seen::SEEN;
use crate::table::seen_builder::SeenBuilder;
use crate::table::sent::{SENT, SentBuilder};
use crate::table::small;
use crate::table::snapshot::DataFile;
use crate::table::stats::StatsBuilder;

/// Rows of a row group: the unit in which DuckDB works in parallel and skips.
const ROW_GROUP_ROWS: usize = 122_880;

/// Level 3 of zstd is as fast as 1 and a tenth smaller on audit logs; 9 takes three times as long for a tenth more.
const ZSTD_LEVEL: i32 = 3;

/// Memory of the rows of one file, in bytes: about 4 MB on disk at the ratio audit logs compress.
pub(crate) const FILE_BYTES: usize = 64 * 1024 * 1024;

/// Memory that a row takes beside the bytes of its record: offsets, lists, derived columns.
const ROW_OVERHEAD_BYTES: usize = 256;

/// The folder of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    /// UTC day in days since 1970; `None` for rejects.
    pub(crate) day: Option<i32>,
    /// Resource partition.
    pub(crate) resource: &'static str,
}

impl Partition {
    /// The partition of a file of the table; `None` when no kforensic of this version writes such a one.
    pub(crate) fn of_file(file: &DataFile) -> Option<Self> {
        let special = [partition::OTHER, partition::NONE, partition::REJECTED];
        let resource =
            special.into_iter().chain(partition::NAMED).find(|resource| *resource == file.resource_partition)?;
        Some(Self { day: file.day, resource })
    }

    /// Its folder below `events`, as Hive and Delta name it.
    fn folder(self) -> String {
        let date = self.day.map_or("__HIVE_DEFAULT_PARTITION__".to_owned(), time::render_day);
        format!("date={date}/resource_partition={}", self.resource)
    }

    pub(crate) fn is_rejects(self) -> bool {
        self.resource == partition::REJECTED
    }
}

/// Name of the file of that number in a commit: it sorts by commit, then by the order in which files were begun, and no
/// other file ever has it.
pub(crate) fn file_name(version: u64, number: usize) -> String {
    format!("{version:010}-{number:05}.parquet")
}

/// A file in `staging` that is being written, by one row group after the other.
///
/// Row groups are sorted and encoded on any thread, but written in the order of their tickets, so that the file does not
/// depend on the threads.
pub(crate) struct Output {
    partition: Partition,
    file_name: String,
    path: PathBuf,
    state: Mutex<OutputState>,
    turn: Condvar,
}

struct OutputState {
    /// The ticket whose turn it is.
    next: u64,
    writer: Writer,
    stats: StatsBuilder,
    seen: SeenBuilder,
    sent: SentBuilder,
    memory_bytes: usize,
}

/// How far a file is.
enum Writer {
    /// Nothing of it is written.
    Begun(File),
    Writing(Box<ArrowWriter<Hashing<File>>>),
    /// It is closed, or could not be written.
    Gone,
}

impl Output {
    /// Begins a file of that name, without its folder.
    pub(crate) fn create(partition: Partition, file_name: String, staging: &Scratch) -> Result<Self, LakeError> {
        let (path, file) = staging.create(&file_name)?;
        let state = OutputState {
            next: 0,
            writer: Writer::Begun(file),
            stats: StatsBuilder::default(),
            seen: SeenBuilder::default(),
            sent: SentBuilder::default(),
            memory_bytes: 0,
        };
        Ok(Self { partition, file_name, path, state: Mutex::new(state), turn: Condvar::new() })
    }

    /// Writes rows, sorted and folded into requests. Everyone who takes a ticket, from 0 on, comes with it once.
    ///
    /// Nothing comes after those that are `last`.
    pub(crate) fn append(&self, ticket: u64, batches: Vec<RecordBatch>, is_last: bool) -> Result<(), LakeError> {
        let rows = in_order(self.partition, batches).and_then(|rows| match rows {
            Some(rows) if !self.partition.is_rejects() => Ok(Some(request::fold(&rows)?)),
            rows => Ok(rows),
        });
        let mut state = self.await_turn(ticket);
        let written = rows.and_then(|rows| rows.map_or(Ok(()), |rows| self.write(&mut state, &rows, is_last)));
        state.next += 1;
        self.turn.notify_all();
        written
    }

    /// Begins to write, with what is known of the rows that come first.
    fn begin(&self, state: &mut OutputState, properties: WriterPropertiesBuilder) -> Result<(), LakeError> {
        state.writer = match std::mem::replace(&mut state.writer, Writer::Gone) {
            Writer::Begun(file) => {
                // Parquet's own types say it all; Arrow's copy of the schema would make every small file a third larger.
                let options =
                    ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
                let writer = ArrowWriter::try_new_with_options(Hashing::new(file), columns::schema(), options);
                Writer::Writing(Box::new(writer.map_err(LakeError::parquet("write", &self.path))?))
            }
            writer => writer,
        };
        Ok(())
    }

    fn write(&self, state: &mut OutputState, rows: &RecordBatch, is_last: bool) -> Result<(), LakeError> {
        let failed = LakeError::parquet("write", &self.path);
        let is_all = is_last && rows.num_rows() <= ROW_GROUP_ROWS;
        let properties = properties(self.partition);
        self.begin(state, if is_all { without_small(properties, rows) } else { properties })?;
        let Writer::Writing(writer) = &mut state.writer else { return Ok(()) };
        for first in (0..rows.num_rows()).step_by(ROW_GROUP_ROWS) {
            let group = rows.slice(first, ROW_GROUP_ROWS.min(rows.num_rows() - first));
            state.stats.add(&group);
            if !self.partition.is_rejects() {
                state.seen.add(&group);
                state.sent.add(&group);
            }
            if let Err(error) = writer.write(&group).and_then(|()| writer.flush()) {
                state.writer = Writer::Gone;
                return Err(failed(error));
            }
        }
        state.memory_bytes += memory_bytes(rows);
        Ok(())
    }

    /// Ends the file, which has to be made durable and moved into place then: [`crate::case::staging::Staging::publish`].
    pub(crate) fn close(&self, ticket: u64, modification_time_ms: i64) -> Result<Add, LakeError> {
        let mut state = self.await_turn(ticket);
        let path = &self.path;
        let gone = || LakeError::Accounts { problem: format!("`{}` was not written", path.display()) };
        self.begin(&mut state, properties(self.partition))?;
        let Writer::Writing(writer) = std::mem::replace(&mut state.writer, Writer::Gone) else { return Err(gone()) };
        let output = writer.into_inner().map_err(LakeError::parquet("write", path))?;
        let (seen, sent) = (std::mem::take(&mut state.seen).finish(), std::mem::take(&mut state.sent).finish());
        let sums = [(SEEN, seen), (SENT, sent)].into_iter().filter(|_| !self.partition.is_rejects());
        let sums = sums.filter_map(|(name, tag)| Some((name.to_owned(), tag?)));
        let tags = [("sha256".to_owned(), output.sha256()), (MEMORY_BYTES.to_owned(), state.memory_bytes.to_string())];
        Ok(Add {
            path: format!("{}/{}", self.partition.folder(), self.file_name),
            partition_values: partition_values(self.partition.day, self.partition.resource),
            size: output.bytes,
            modification_time: modification_time_ms,
            data_change: true,
            stats: state.stats.to_delta(),
            tags: tags.into_iter().chain(sums).collect(),
        })
    }

    fn await_turn(&self, ticket: u64) -> MutexGuard<'_, OutputState> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Tickets are handed out in order to one queue, so somebody has those before.
        self.turn.wait_while(state, |state| state.next < ticket).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a file of these rows.
pub(crate) fn encode(
    partition: Partition,
    file_name: String,
    batches: Vec<RecordBatch>,
    staging: &Scratch,
    modification_time_ms: i64,
) -> Result<Add, LakeError> {
    let output = Output::create(partition, file_name, staging)?;
    output.append(0, batches, true)?;
    output.close(1, modification_time_ms)
}

/// About how much memory rows take, by the same measure by which an ingest cuts files.
fn memory_bytes(rows: &RecordBatch) -> usize {
    const BYTE_LENGTH: usize = columns::at("byte_length");
    rows.column(BYTE_LENGTH).as_primitive::<Int64Type>().values().iter().map(|length| row_bytes(*length)).sum()
}

/// About how much memory the row of a record of that length takes.
pub(crate) fn row_bytes(length: i64) -> usize {
    usize::try_from(length).unwrap_or(0).min(MAX_RECORD_BYTES) + ROW_OVERHEAD_BYTES
}

/// What rows are sorted by: time, source, offset in the source, batch, row.
type SortKey = (i64, (u64, u64), i64, usize, usize);

/// Where a source stands among all: ids are numbers, which do not sort as text.
pub(crate) fn source_order(source_id: &str) -> (u64, u64) {
    let (commit, number) = source_id.split_once('-').unwrap_or((source_id, ""));
    (commit.parse().unwrap_or(u64::MAX), number.parse().unwrap_or(u64::MAX))
}

/// The rows as one batch, sorted; `None` when there are none.
fn in_order(partition: Partition, mut batches: Vec<RecordBatch>) -> Result<Option<RecordBatch>, LakeError> {
    batches.retain(|batch| batch.num_rows() > 0);
    if batches.is_empty() {
        return Ok(None);
    }
    let order = sorted(partition, &batches);
    if batches.len() == 1 && order.iter().enumerate().all(|(row, place)| place.1 == row) {
        return Ok(batches.pop());
    }
    let borrowed: Vec<&RecordBatch> = batches.iter().collect();
    Ok(Some(interleave_record_batch(&borrowed, &order)?))
}

/// Batch and row of every row, by time; where resources share a file, by resource first.
///
/// Rows that compare equal stand in the order in which they were read, which is that of their places: so the same logs
/// give the same file, and merging files keeps the order.
fn sorted(partition: Partition, batches: &[RecordBatch]) -> Vec<(usize, usize)> {
    const EVENT_TIME: usize = columns::at("event_time");
    const SOURCE_ID: usize = columns::at("source_id");
    const BYTE_OFFSET: usize = columns::at("byte_offset");
    const RESOURCE: usize = columns::at("resource");
    let mut rows: Vec<SortKey> = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for (number, batch) in batches.iter().enumerate() {
        let times = batch.column(EVENT_TIME).as_primitive::<TimestampMicrosecondType>();
        let sources = batch.column(SOURCE_ID).as_string::<i32>();
        let offsets = batch.column(BYTE_OFFSET).as_primitive::<Int64Type>();
        let mut source = ("", (u64::MAX, u64::MAX));
        rows.extend((0..batch.num_rows()).map(|row| {
            let id = sources.value(row);
            if source.0 != id {
                source = (id, source_order(id));
            }
            let time = if times.is_null(row) { i64::MIN } else { times.value(row) };
            (time, source.1, offsets.value(row), number, row)
        }));
    }
    if partition.resource == partition::OTHER {
        let resources: Vec<_> = batches.iter().map(|batch| batch.column(RESOURCE).as_string::<i32>()).collect();
        let resource = |(.., batch, row): &SortKey| {
            let texts = resources[*batch];
            if texts.is_null(*row) { "" } else { texts.value(*row) }
        };
        rows.sort_unstable_by(|left, right| resource(left).cmp(resource(right)).then_with(|| left.cmp(right)));
    } else {
        rows.sort_unstable();
    }
    rows.into_iter().map(|(.., batch, row)| (batch, row)).collect()
}

fn properties(partition: Partition) -> WriterPropertiesBuilder {
    let zstd = ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default();
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(zstd))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        // DuckDB prunes by row group and Bloom filter; nobody reads the index of pages.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by(format!("kforensic {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![KeyValue::new("kforensic.format".to_owned(), FORMAT_VERSION.to_string())]));
    if partition.resource != partition::OTHER && !partition.is_rejects() {
        const EVENT_TIME: usize = columns::at("event_time");
        let column_idx = i32::try_from(EVENT_TIME).unwrap_or_default();
        builder =
            builder.set_sorting_columns(Some(vec![SortingColumn { column_idx, descending: false, nulls_first: true }]));
    }
    COLUMNS.iter().fold(builder, column_properties)
}

/// Compresses no column that takes next to nothing in a file of these rows, which are all of it: most columns of most
/// files. Setting up a compressor takes longer than writing such a column, and one to read it as well: zstd asks the
/// processor each time what it can do, which in a virtual machine is the host's to answer (7 µs for a page), so it took a
/// third of the time of a scan.
fn without_small(builder: WriterPropertiesBuilder, rows: &RecordBatch) -> WriterPropertiesBuilder {
    let small = COLUMNS.iter().zip(rows.columns()).filter(|(_, array)| small::is_small(array.as_ref()));
    small.fold(builder, |builder, (column, _)| {
        builder.set_column_compression(column_path(column), Compression::UNCOMPRESSED)
    })
}

/// Where the values of a column are in Parquet.
fn column_path(column: &Column) -> ColumnPath {
    match column.kind {
        Kind::Texts => ColumnPath::new([column.name, "list", "element"].map(str::to_owned).to_vec()),
        _ => ColumnPath::from(column.name),
    }
}

fn column_properties(mut builder: WriterPropertiesBuilder, column: &Column) -> WriterPropertiesBuilder {
    let path = || ColumnPath::from(column.name);
    let Storage { bounded, searched, unique, repeated } = column.storage;
    if searched {
        builder = builder.set_column_bloom_filter_enabled(path(), true);
    }
    // Nobody asks for the smallest or the largest of other texts, and to find them takes as long as to encode them.
    let is_text = matches!(column.kind, Kind::Text | Kind::Json | Kind::Texts | Kind::Bytes);
    if is_text && !bounded && !searched {
        builder = builder.set_column_statistics_enabled(column_path(column), EnabledStatistics::None);
    }
    match column.kind {
        // Times and places grow from row to row, so their differences are small.
        Kind::Time | Kind::Long if !repeated => builder
            .set_column_dictionary_enabled(path(), false)
            .set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED),
        // Ids: the stages of a request have the same, one behind the other; the rest is chance, of which more effort
        // makes more. They are two fifths of a case.
        Kind::Text if unique => builder
            .set_column_dictionary_enabled(path(), false)
            .set_column_encoding(path(), Encoding::DELTA_BYTE_ARRAY)
            .set_column_compression(path(), Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default())),
        _ if unique => builder.set_column_dictionary_enabled(path(), false),
        _ => builder,
    }
}
