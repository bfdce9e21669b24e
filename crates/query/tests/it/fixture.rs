//! Cases for the tests: logs decoded by `kforensic-event` and written as the lake lays them out, without the lake.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, SchemaRef, TimeUnit, TimestampMicrosecondType};
use flate2::read::MultiGzDecoder;
use kforensic_event::partition::Folders;
use kforensic_event::shape::Position;
use kforensic_event::{Decoded, Origin, Reading, Row, RowBuilder, columns, request, time};
use kforensic_lake::{DataFile, FileStats, Snapshot};
use kforensic_query::{
    CannedQuery, Catalogue, Checks, Limits, Parameters, QueryError, RowSink, RunSummary, Selection, Session, SinkError,
};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A case in a temporary folder.
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) snapshot: Snapshot,
}

/// Day and resource partition.
type Folder = (Option<i32>, &'static str);

impl Fixture {
    /// A case of the logs in a folder of the source tree.
    pub(crate) fn of_logs(folder: &str) -> Self {
        let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..").join(folder);
        let mut paths: Vec<PathBuf> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.to_str().unwrap().contains(".log"));
        paths.sort();
        assert!(!paths.is_empty(), "no logs in {root:?}");
        let logs: Vec<Vec<u8>> = paths.iter().map(|path| unpacked(path)).collect();
        let logs: Vec<&[u8]> = logs.iter().map(Vec::as_slice).collect();
        Self::of_host(None, TempDir::new().unwrap(), &logs)
    }

    /// A case of logs in memory, each a source of its own.
    pub(crate) fn of_texts(logs: &[&[u8]]) -> Self {
        Self::in_folder(TempDir::new().unwrap(), logs)
    }

    /// The same below a given folder.
    pub(crate) fn in_folder(folder: TempDir, logs: &[&[u8]]) -> Self {
        Self::of_host(Some("cp-1"), folder, logs)
    }

    /// A case of logs of several clusters.
    pub(crate) fn of_clusters(logs: &[(&str, &[u8])]) -> Self {
        let logs: Vec<_> = logs.iter().map(|(cluster, log)| (None, Some(*cluster), *log)).collect();
        Self::of_origins(TempDir::new().unwrap(), &logs)
    }

    /// A case of logs that come from a host, or whose host nobody knows.
    fn of_host(host: Option<&str>, folder: TempDir, logs: &[&[u8]]) -> Self {
        Self::of_origins(folder, &logs.iter().map(|log| (host, None, *log)).collect::<Vec<_>>())
    }

    /// A case of logs with their host and cluster.
    fn of_origins(folder: TempDir, logs: &[(Option<&str>, Option<&str>, &[u8])]) -> Self {
        let mut builders: BTreeMap<Folder, RowBuilder> = BTreeMap::new();
        for (number, (host, cluster, log)) in logs.iter().enumerate() {
            let (host, cluster) = (host.map(str::to_owned), cluster.map(str::to_owned));
            let origin =
                Origin { source_id: format!("0-{number}"), host, cluster, mark: None, folders: Folders::default() };
            Reading::of(log).decode(log, Position::START, true, &mut |record| {
                let reason = match &record.decoded {
                    Decoded::Reject(reason) => Some(reason.to_string()),
                    Decoded::Event(_) => None,
                };
                let row = Row {
                    event: match &record.decoded {
                        Decoded::Event(event) => Some(event),
                        Decoded::Reject(_) => None,
                    },
                    reject: reason.as_deref().map(|reason| (reason, record.bytes)),
                    redacted: 0,
                    note: None,
                    origin: &origin,
                    position: record.position,
                    length: i64::try_from(record.bytes.len()).unwrap(),
                };
                let builder = builders.entry((row.day(), row.resource_partition()));
                builder.or_insert_with(|| RowBuilder::new(columns::schema())).push(&row);
            });
        }
        let files = builders.into_iter().map(|(place, rows)| {
            let rows = request::fold(&rows.finish().unwrap()).unwrap();
            write(folder.path(), place, &rows)
        });
        let snapshot = Snapshot { files: files.collect(), ..Snapshot::default() };
        Self { folder, snapshot }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            memory_bytes: 1 << 30,
            threads: 2,
            temp_directory: self.folder.path().join("spill"),
            checks: Checks::Never,
            places: None,
            proxies: kforensic_query::proxies::Proxies::default(),
        }
    }

    pub(crate) fn session(&self) -> Session {
        self.select(&Selection::default()).unwrap()
    }

    pub(crate) fn select(&self, selection: &Selection) -> Result<Session, QueryError> {
        Session::open(&self.snapshot, selection, &self.limits())
    }

    /// Runs a query of the catalogue in a session made for it.
    pub(crate) fn ask(&self, name: &str, arguments: &[&str]) -> Vec<Value> {
        let query = canned(name);
        let parameters = parameters(&query, arguments);
        let session = self.select(&Selection::of(&query, &parameters)).unwrap();
        run(&session, &query, &parameters, None).unwrap().0
    }

    /// Runs one SELECT on the views.
    pub(crate) fn sql(&self, select: &str) -> Vec<Value> {
        run(&self.session(), &ad_hoc(select), &Parameters::new(), None).unwrap().0
    }
}

/// The query called `name`.
pub(crate) fn canned(name: &str) -> CannedQuery {
    Catalogue::embedded().unwrap().find(name).unwrap().clone()
}

/// A canned query around a SELECT of a test.
pub(crate) fn ad_hoc(select: &str) -> CannedQuery {
    const HEADER: &str = "-- title = \"T\"\n-- question = \"Q\"\n-- attack = []\n-- needs = \"n\"\n-- noise = \"n\"\n\
                          -- examples = [{ log = \"l\", rows = 0 }, { log = \"l\", rows = 1 }]\n";
    CannedQuery::parse("ad-hoc.sql", &format!("{HEADER}{select}")).unwrap()
}

/// The values of options as an example of a query gives them.
pub(crate) fn parameters(query: &CannedQuery, arguments: &[&str]) -> Parameters {
    let mut parameters = Parameters::new();
    for pair in arguments.chunks(2) {
        let [flag, text] = pair else { panic!("{arguments:?} are not pairs") };
        let (parameter, text) = match *flag {
            "--where" => {
                parameters.set_condition((*text).to_owned()).unwrap();
                continue;
            }
            "-p" => {
                let (name, text) = text.split_once('=').unwrap();
                (query.declared(name).unwrap(), text)
            }
            flag => (query.parameters.iter().find(|parameter| parameter.flag() == flag).expect(flag), *text),
        };
        parameters.set(&parameter.name, parameter.parse(text, 0, None).unwrap());
    }
    parameters
}

/// Rows as JSON objects, as the contract writes them.
pub(crate) fn run(
    session: &Session,
    query: &CannedQuery,
    parameters: &Parameters,
    limit: Option<usize>,
) -> Result<(Vec<Value>, RunSummary), QueryError> {
    let mut sink = Collected::default();
    let summary = session.run(query, parameters, limit, &mut sink)?;
    Ok((sink.rows, summary))
}

/// Collects rows, and sees to it that columns come first and once.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) schema: Option<SchemaRef>,
    pub(crate) rows: Vec<Value>,
}

impl RowSink for Collected {
    fn columns(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        assert!(self.schema.is_none(), "columns come once");
        for field in schema.fields() {
            let zoned = matches!(field.data_type(), DataType::Timestamp(_, Some(_)));
            assert!(!zoned, "`{}` is a TIMESTAMPTZ, on which DuckDB without ICU cannot compute", field.name());
        }
        self.schema = Some(schema.clone());
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        let schema = self.schema.as_ref().expect("columns come first");
        for row in 0..batch.num_rows() {
            let cells = schema.fields().iter().enumerate();
            let cells = cells.map(|(at, field)| (field.name().clone(), cell(batch.column(at), row)));
            self.rows.push(Value::Object(cells.collect::<Map<_, _>>()));
        }
        Ok(())
    }
}

fn cell(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Int32 => json!(array.as_primitive::<arrow::datatypes::Int32Type>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<arrow::datatypes::Int64Type>().value(row)),
        DataType::Float64 => json!(array.as_primitive::<arrow::datatypes::Float64Type>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Binary => json!(array.as_binary::<i32>().value(row)),
        DataType::Date32 => json!(time::render_day(array.as_primitive::<Date32Type>().value(row))),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            json!(time::render(array.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>().value(row);
            (0..list.len()).map(|at| cell(&list, at)).collect()
        }
        other => panic!("no rows of {other}"),
    }
}

fn write(root: &Path, (day, partition): Folder, rows: &RecordBatch) -> DataFile {
    let date = day.map_or("__HIVE_DEFAULT_PARTITION__".to_owned(), time::render_day);
    let name = format!("events/date={date}/resource_partition={partition}/rows.parquet");
    let path = root.join(&name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Several row groups a file, as in a large case.
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(1_000)).build();
    let file = fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, columns::schema(), Some(properties)).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    let (at, _) = columns::find("event_time").unwrap();
    let times = rows.column(at).as_primitive::<TimestampMicrosecondType>();
    let times = times.iter().flatten().collect::<Vec<_>>();
    let hash = sha256(&path);
    DataFile {
        size_bytes: fs::metadata(&path).unwrap().len(),
        path,
        name,
        sha256: hash,
        day,
        resource_partition: partition.to_owned(),
        stats: FileStats {
            rows: rows.num_rows() as u64,
            event_time: times.iter().min().copied().zip(times.iter().max().copied()),
        },
        memory_bytes: 0,
        columns: std::sync::Arc::from([]),
        seen: None,
        sent: None,
    }
}

pub(crate) fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if !bytes.starts_with(b"\x1f\x8b") {
        return bytes;
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text).unwrap();
    text
}

fn sha256(path: &Path) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(std::fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}
