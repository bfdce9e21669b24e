//! `--geoip`: files of the user's own that tell where an address is, the columns that they add to answers, and what an
//! answer says of them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use kforensic_query::places::{Place, Places};
use kforensic_query::{RowSink, SinkError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::CliError;
use crate::message;

/// The column of an answer that is looked up.
const ADDRESS: &str = "source_ip";

/// The columns that stand behind it.
const COLUMNS: [(&str, DataType); 3] =
    [("country", DataType::Utf8), ("as_number", DataType::Int64), ("organisation", DataType::Utf8)];

/// Files that were read.
#[derive(Debug)]
struct Taken {
    places: Arc<Places>,
    /// Name, SHA-256 and kind of each.
    files: Vec<(String, String, String)>,
}

/// What `--geoip` gave: the command line is read once, and holds for every session of this run.
static TAKEN: OnceLock<Taken> = OnceLock::new();

/// Reads the files that the command line names.
pub(crate) fn take(paths: &[PathBuf]) -> Result<(), CliError> {
    if paths.is_empty() {
        return Ok(());
    }
    let read = |path: &Path| {
        let bytes = std::fs::read(path).map_err(|source| CliError::Input { path: path.to_owned(), source })?;
        Ok::<_, CliError>((path.display().to_string(), bytes))
    };
    let files = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let hash = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hashes: Vec<(String, String)> = files.iter().map(|(name, bytes)| (name.clone(), hash(bytes))).collect();
    let places = Places::read(files)?;
    let told = |(at, (name, hash)): (usize, (String, String))| (name, hash, places.kind(at).to_owned());
    let files = hashes.into_iter().enumerate().map(told).collect();
    // Only `main` does so, once.
    let _ = TAKEN.set(Taken { places: Arc::new(places), files });
    Ok(())
}

/// What sessions are opened with.
pub(crate) fn wanted() -> Option<Arc<Places>> {
    TAKEN.get().map(|taken| Arc::clone(&taken.places))
}

/// Says which files told where addresses are.
pub(crate) fn remark() {
    for (name, hash, kind) in TAKEN.get().iter().flat_map(|taken| &taken.files) {
        let told =
            format!("addresses looked up in `{name}` ({kind}), sha256 {hash}: what its vendor claims, no evidence");
        message::plain(&kforensic_report::escape(&told));
    }
}

/// The same for programs; `null` without a file.
pub(crate) fn to_json() -> Value {
    let Some(taken) = TAKEN.get() else { return Value::Null };
    let files = taken.files.iter().map(|(name, hash, kind)| json!({"file": name, "sha256": hash, "type": kind}));
    Value::Array(files.collect())
}

/// Adds columns to answers by address on their way to `rows`; without `--geoip`, none.
pub(crate) fn sink(rows: &mut dyn RowSink) -> WithPlaces<'_> {
    WithPlaces { rows, places: wanted(), wide: None }
}

/// Rows with where their addresses are.
pub(crate) struct WithPlaces<'r> {
    rows: &'r mut dyn RowSink,
    places: Option<Arc<Places>>,
    /// The columns with those that are added, and the place of the address; `None` when there is none.
    wide: Option<(SchemaRef, usize)>,
}

impl RowSink for WithPlaces<'_> {
    fn columns(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        let address = schema.index_of(ADDRESS).ok().filter(|at| *schema.field(*at).data_type() == DataType::Utf8);
        let is_free = COLUMNS.iter().all(|(name, _)| schema.index_of(name).is_err());
        let Some(at) = address.filter(|_| is_free && self.places.is_some()) else { return self.rows.columns(schema) };
        let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
        let added = COLUMNS.into_iter().map(|(name, kind)| Arc::new(Field::new(name, kind, true)));
        fields.splice(at + 1..at + 1, added);
        let wide = Arc::new(Schema::new(fields));
        self.rows.columns(&wide)?;
        self.wide = Some((wide, at));
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        let (Some((wide, at)), Some(places)) = (&self.wide, &self.places) else { return self.rows.rows(batch) };
        let mut found: Vec<Place> = Vec::with_capacity(batch.num_rows());
        let mut last: Option<(&str, Place)> = None;
        for address in batch.column(*at).as_string::<i32>() {
            let address = address.unwrap_or_default();
            let place = match &last {
                Some((known, place)) if *known == address => place.clone(),
                _ => places.of(address)?,
            };
            last = Some((address, place.clone()));
            found.push(place);
        }
        let texts = |part: fn(&Place) -> Option<&String>| -> ArrayRef {
            Arc::new(found.iter().map(part).collect::<StringArray>())
        };
        let added: [ArrayRef; 3] = [
            texts(|place| place.country.as_ref()),
            Arc::new(found.iter().map(|place| place.as_number).collect::<Int64Array>()),
            texts(|place| place.organisation.as_ref()),
        ];
        let mut columns = batch.columns().to_vec();
        columns.splice(at + 1..at + 1, added);
        self.rows.rows(&RecordBatch::try_new(Arc::clone(wide), columns)?)
    }
}
