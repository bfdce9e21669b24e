//! The column that marks addresses which are a proxy's word, on rows on their way to the reader.
//!
//! Queries know nothing of it: it is made from the address of a row, and where that came in several ways, from the request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};

use crate::error::QueryError;
use crate::session::Session;

/// The column that is looked up.
const ADDRESS: &str = "source_ip";

/// The column that says whose word it is; the last one, because names and order of the others are a contract.
pub(crate) const COLUMN: &str = "asserted_by";

/// What stands in it for an address that also came without a proxy.
const DIRECTLY: &str = "itself";

/// The addresses that proxies passed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asserted {
    /// By address, the peers that it came through; the address itself among them when it also came directly.
    pub(crate) peers: BTreeMap<String, BTreeSet<String>>,
    /// Of addresses that came in several ways: the peer, by audit id and time in microseconds.
    requests: BTreeMap<(String, i64), String>,
    /// Requests whose source is what a proxy says.
    pub count: u64,
}

impl Asserted {
    /// The columns with the mark behind them; `None` when there is nothing to mark.
    fn widened(schema: &SchemaRef) -> Option<SchemaRef> {
        let address = schema.index_of(ADDRESS).ok()?;
        if *schema.field(address).data_type() != DataType::Utf8 || schema.index_of(COLUMN).is_ok() {
            return None;
        }
        let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(COLUMN, DataType::Utf8, true)));
        Some(Arc::new(Schema::new(fields)))
    }

    /// The columns of an answer with the mark, where it has addresses.
    pub(crate) fn schema(&self, schema: SchemaRef) -> SchemaRef {
        Self::widened(&schema).unwrap_or(schema)
    }

    /// Its rows likewise.
    pub(crate) fn mark(&self, batch: RecordBatch) -> RecordBatch {
        let Some(schema) = Self::widened(batch.schema_ref()) else { return batch };
        let texts = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let Some(addresses) = texts(ADDRESS) else { return batch };
        let times = batch
            .column_by_name("event_time")
            .filter(|column| matches!(column.data_type(), DataType::Timestamp(TimeUnit::Microsecond, _)));
        let times = times.map(AsArray::as_primitive::<TimestampMicrosecondType>);
        let request = texts("audit_id").zip(times);
        let mark = |row: usize| {
            let address = addresses.is_valid(row).then(|| addresses.value(row))?;
            let peers = self.peers.get(address)?;
            let request = request.filter(|(ids, times)| ids.is_valid(row) && times.is_valid(row));
            let key = request.map(|(ids, times)| (ids.value(row).to_owned(), times.value(row)));
            match key.and_then(|key| self.requests.get(&key)) {
                Some(peer) => (peer != address).then(|| peer.clone()),
                None => Some(through(address, peers)),
            }
        };
        let marks: StringArray = (0..batch.num_rows()).map(mark).collect();
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(marks));
        match RecordBatch::try_new(schema, columns) {
            Ok(marked) => marked,
            Err(error) => unreachable!("a mark is made for every row: {error}"),
        }
    }
}

/// Through whom an address came.
fn through(address: &str, peers: &BTreeSet<String>) -> String {
    let name = |peer: &String| if peer == address { DIRECTLY.to_owned() } else { peer.clone() };
    peers.iter().map(name).collect::<Vec<_>>().join(", ")
}

impl Session {
    /// The addresses that named proxies passed on; `None` when no proxy is named.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn asserted(&self) -> Result<Option<Arc<Asserted>>, QueryError> {
        if !self.has_proxies {
            return Ok(None);
        }
        if let Some(known) = self.asserted.get() {
            return Ok(Some(Arc::clone(known)));
        }
        let asserted = Arc::new(self.look_for_asserted()?);
        Ok(Some(Arc::clone(self.asserted.get_or_init(|| asserted))))
    }

    fn look_for_asserted(&self) -> Result<Asserted, QueryError> {
        const PEERS: &str = "SELECT source_ip, peer, requests::UBIGINT FROM asserted_addresses ORDER BY ALL";
        const REQUESTS: &str = "SELECT audit_id, epoch_us(event_time), coalesce(source_ips[-1], source_ip) FROM requests \
                                WHERE audit_id IS NOT NULL AND event_time IS NOT NULL AND source_ip IN (\
                                SELECT source_ip FROM asserted_addresses GROUP BY source_ip HAVING count(*) > 1)";
        self.provide(|provided| provided.for_statement(&format!("{PEERS} {REQUESTS}")))?;
        self.ask("look for what proxies say", |connection| {
            let mut asserted = Asserted::default();
            let mut statement = connection.prepare(PEERS)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            for row in rows {
                let (address, peer, requests): (String, String, u64) = row?;
                asserted.count += if address == peer { 0 } else { requests };
                asserted.peers.entry(address).or_default().insert(peer);
            }
            if asserted.peers.values().any(|peers| peers.len() > 1) {
                let mut statement = connection.prepare(REQUESTS)?;
                let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
                asserted.requests = rows.collect::<duckdb::Result<_>>()?;
            }
            Ok(asserted)
        })
    }
}
