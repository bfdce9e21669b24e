//! Writing one data file: sorted, compressed, with statistics and Bloom filters.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use kforensic_event::shape::MAX_RECORD_BYTES;
use kforensic_event::{COLUMNS, Kind, columns, partition, time};
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
use crate::table::snapshot::DataFile;
use crate::table::stats::StatsBuilder;

/// Rows of a row group: the unit in which DuckDB works in parallel and skips.
const ROW_GROUP_ROWS: usize = 122_880;

/// Level 3 of zstd is as fast as 1 and a tenth smaller on audit logs; 9 takes three times as long for a tenth more.
const ZSTD_LEVEL: i32 = 3;

/// Memory of the rows of one file, in bytes: about 4 MB on disk at the ratio audit logs compress.
pub(crate) const FILE_BYTES: usize = 64 * 1024 * 1024;

/// Memory that a row takes beside the bytes of its record: offsets, lists, derived columns.
const ROW_OVERHEAD_BYTES: usize = 512;

/// Columns that are searched for single values.
const BLOOM_FILTERED: [&str; 5] = ["audit_id", "user_name", "source_ip", "name", "credential_id"];

/// Columns whose values hardly repeat: a dictionary of them is only overhead.
const WITHOUT_DICTIONARY: [&str; 5] = ["audit_id", "request_object", "response_object", "raw", "other"];

/// Columns whose smallest and largest value nobody asks for. The writer copies both, of up to 100 MiB each.
const WITHOUT_STATISTICS: [&str; 4] = ["request_object", "response_object", "raw", "other"];

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

/// Rows that become one file.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) partition: Partition,
    /// Name of the file, without its folder.
    pub(crate) file_name: String,
    /// The rows, in the order in which they were read.
    pub(crate) batches: Vec<RecordBatch>,
    /// About how much memory they take.
    pub(crate) bytes: usize,
}

/// Name of the file of that number in a commit: it sorts by commit, then by the order in which files were begun, and no
/// other file ever has it.
pub(crate) fn file_name(version: u64, number: usize) -> String {
    format!("{version:010}-{number:05}.parquet")
}

/// Writes the rows of `job` into a new file in `staging`.
pub(crate) fn encode(job: &Job, staging: &Scratch, modification_time_ms: i64) -> Result<Add, LakeError> {
    let (path, file) = staging.create(&job.file_name)?;
    let output = Hashing::new(file);
    let schema = columns::schema();
    // Parquet's own types say it all; Arrow's copy of the schema would make every small file a third larger.
    let options = ArrowWriterOptions::new().with_properties(properties(job.partition)).with_skip_arrow_metadata(true);
    let mut writer =
        ArrowWriter::try_new_with_options(output, schema, options).map_err(LakeError::parquet("write", &path))?;
    let mut stats = StatsBuilder::default();
    let batches: Vec<&RecordBatch> = job.batches.iter().collect();
    for rows in sorted(job).chunks(ROW_GROUP_ROWS) {
        let group = interleave_record_batch(&batches, rows)?;
        stats.add(&group);
        writer.write(&group).map_err(LakeError::parquet("write", &path))?;
        writer.flush().map_err(LakeError::parquet("write", &path))?;
    }
    let output = writer.into_inner().map_err(LakeError::parquet("write", &path))?;
    output.inner.sync_all().map_err(LakeError::io("write", &path))?;
    Ok(Add {
        path: format!("{}/{}", job.partition.folder(), job.file_name),
        partition_values: partition_values(job.partition.day, job.partition.resource),
        size: output.bytes,
        modification_time: modification_time_ms,
        data_change: true,
        stats: stats.to_delta(),
        tags: BTreeMap::from([
            ("sha256".to_owned(), output.sha256()),
            (MEMORY_BYTES.to_owned(), memory_bytes(job).to_string()),
        ]),
    })
}

/// About how much memory the rows of a file take, by the same measure by which an ingest cuts files.
fn memory_bytes(job: &Job) -> usize {
    let Some((at, _)) = columns::find("byte_length") else { return job.bytes };
    let lengths = job.batches.iter().flat_map(|batch| batch.column(at).as_primitive::<Int64Type>().values());
    lengths.map(|length| row_bytes(*length)).sum()
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

/// Batch and row of every row, by time; where resources share a file, by resource first.
///
/// Rows that compare equal stand in the order in which they were read, which is that of their places: so the same logs
/// give the same file, and merging files keeps the order.
fn sorted(job: &Job) -> Vec<(usize, usize)> {
    let column = |name: &str, batch: usize| {
        let at = columns::find(name).map_or(0, |(at, _)| at);
        Arc::clone(job.batches[batch].column(at))
    };
    let mut rows: Vec<SortKey> = Vec::new();
    for (number, batch) in job.batches.iter().enumerate() {
        let times = column("event_time", number);
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let (sources, offsets) = (column("source_id", number), column("byte_offset", number));
        let (sources, offsets) = (sources.as_string::<i32>(), offsets.as_primitive::<Int64Type>());
        rows.extend((0..batch.num_rows()).map(|row| {
            let time = if times.is_null(row) { i64::MIN } else { times.value(row) };
            let source = if sources.is_null(row) { (0, 0) } else { source_order(sources.value(row)) };
            (time, source, offsets.value(row), number, row)
        }));
    }
    if job.partition.resource == partition::OTHER {
        let resources: Vec<_> = (0..job.batches.len()).map(|batch| column("resource", batch)).collect();
        let resource = |(.., batch, row): &SortKey| {
            let texts = resources[*batch].as_string::<i32>();
            if texts.is_null(*row) { "" } else { texts.value(*row) }
        };
        rows.sort_unstable_by(|left, right| resource(left).cmp(resource(right)).then_with(|| left.cmp(right)));
    } else {
        rows.sort_unstable();
    }
    rows.into_iter().map(|(.., batch, row)| (batch, row)).collect()
}

fn properties(partition: Partition) -> WriterProperties {
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
        let time = columns::find("event_time").and_then(|(at, _)| i32::try_from(at).ok()).unwrap_or_default();
        let by_time = SortingColumn { column_idx: time, descending: false, nulls_first: true };
        builder = builder.set_sorting_columns(Some(vec![by_time]));
    }
    COLUMNS.iter().fold(builder, |builder, column| column_properties(builder, column.name, column.kind)).build()
}

fn column_properties(mut builder: WriterPropertiesBuilder, name: &str, kind: Kind) -> WriterPropertiesBuilder {
    let path = || ColumnPath::from(name);
    if BLOOM_FILTERED.contains(&name) {
        builder = builder.set_column_bloom_filter_enabled(path(), true);
    }
    if WITHOUT_STATISTICS.contains(&name) {
        builder = builder.set_column_statistics_enabled(path(), EnabledStatistics::None);
    }
    match kind {
        // Times and places grow from row to row, so their differences are small.
        Kind::Time | Kind::Long => builder
            .set_column_dictionary_enabled(path(), false)
            .set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED),
        _ if WITHOUT_DICTIONARY.contains(&name) => builder.set_column_dictionary_enabled(path(), false),
        _ => builder,
    }
}
