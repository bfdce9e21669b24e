//! Where an address is, and whose: by MaxMind DB files of the user's own, which are read before DuckDB is restricted.
//!
//! The SQL functions `ip_country`, `ip_as_number` and `ip_organisation` take an address as text, and `ip_info` is all three.
//! Without a file they say what is missing. What such a file says is a claim of its vendor at the time when it was
//! made, and no evidence: who shows it, shows the file's hash.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use duckdb::Connection;
use duckdb::vscalar::arrow::{ArrowFunctionSignature, VArrowScalar};
use maxminddb::{MaxMindDbError, Reader};
use serde_json::Value;
use thiserror::Error;

/// What is known of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Code of the country: two letters.
    pub country: Option<String>,
    /// Number of the autonomous system.
    pub as_number: Option<i64>,
    /// Who runs it.
    pub organisation: Option<String>,
}

/// Why a file cannot be used, or turned out to be damaged.
#[derive(Debug, Error)]
#[error("`{file}` cannot be used to look up addresses: {source}")]
pub struct PlacesError {
    /// Its name.
    pub file: String,
    /// What is wrong with it.
    #[source]
    pub source: Box<MaxMindDbError>,
}

/// Files that tell where an address is. Of several, the first that knows something is believed.
pub struct Places {
    files: Vec<(String, Reader<Vec<u8>>)>,
}

impl Places {
    /// Takes up files, each with its name.
    ///
    /// # Errors
    /// When one is no MaxMind DB.
    pub fn read(files: Vec<(String, Vec<u8>)>) -> Result<Self, PlacesError> {
        let open = |(file, bytes): (String, Vec<u8>)| match Reader::from_source(bytes) {
            Ok(reader) => Ok((file, reader)),
            Err(source) => Err(PlacesError { file, source: Box::new(source) }),
        };
        Ok(Self { files: files.into_iter().map(open).collect::<Result<_, _>>()? })
    }

    /// What kind of data a file has, as it says itself, by its place in the list.
    pub fn kind(&self, at: usize) -> &str {
        self.files.get(at).map_or("", |(_, reader)| reader.metadata().database_type.as_str())
    }

    /// What is known of an address; nothing, when it is none.
    ///
    /// # Errors
    /// When a file is damaged where the address stands.
    pub fn of(&self, address: &str) -> Result<Place, PlacesError> {
        let mut place = Place::default();
        let Ok(address) = address.trim().parse::<IpAddr>() else { return Ok(place) };
        // As dual-stack servers log an IPv4 address.
        let address = address.to_canonical();
        for (file, reader) in &self.files {
            if address.is_ipv6() && reader.metadata().ip_version == 4 {
                continue;
            }
            let record = reader.lookup(address).and_then(|found| found.decode::<Value>());
            let damaged = |source| PlacesError { file: file.clone(), source: Box::new(source) };
            let Some(record) = record.map_err(damaged)? else { continue };
            place.country = place.country.or_else(|| country(&record));
            place.as_number = place.as_number.or_else(|| as_number(&record));
            place.organisation = place.organisation.or_else(|| organisation(&record));
        }
        Ok(place)
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_list().entries(self.files.iter().map(|(file, _)| file)).finish()
    }
}

/// The first text at one of the paths: vendors name the same thing differently.
fn first(record: &Value, paths: &[&str]) -> Option<String> {
    let texts = paths.iter().filter_map(|path| record.pointer(path).and_then(Value::as_str));
    texts.map(str::to_owned).find(|text| !text.is_empty())
}

fn country(record: &Value) -> Option<String> {
    first(record, &["/country/iso_code", "/registered_country/iso_code", "/country_code", "/country"])
}

fn as_number(record: &Value) -> Option<i64> {
    let number = record.get("autonomous_system_number").or_else(|| record.get("asn"))?;
    let text = || number.as_str().map(|text| text.trim_start_matches(['A', 'S', 'a', 's']));
    number.as_i64().or_else(|| text()?.parse().ok())
}

fn organisation(record: &Value) -> Option<String> {
    first(record, &["/autonomous_system_organization", "/as_name", "/organization", "/traits/organization"])
}

/// What the functions are made with.
#[derive(Clone, Default)]
pub(crate) struct Known(pub(crate) Option<Arc<Places>>);

/// Makes the functions.
pub(crate) fn register(connection: &Connection, known: &Known) -> duckdb::Result<()> {
    connection.register_scalar_function_with_state::<Country>("ip_country", known)?;
    connection.register_scalar_function_with_state::<AsNumber>("ip_as_number", known)?;
    connection.register_scalar_function_with_state::<Organisation>("ip_organisation", known)?;
    connection.execute_batch(
        "CREATE MACRO ip_info(address) AS {'country': ip_country(address), 'as_number': ip_as_number(address), \
         'organisation': ip_organisation(address)}",
    )
}

struct Country;
struct AsNumber;
struct Organisation;

/// Looks up a column of addresses, each once.
fn look_up<T: Clone>(
    known: &Known,
    input: &RecordBatch,
    part: fn(Place) -> Option<T>,
) -> Result<Vec<Option<T>>, Box<dyn Error>> {
    let Some(places) = &known.0 else {
        return Err("no file tells where an address is: name one with `--geoip FILE.mmdb`".into());
    };
    let addresses = input.column(0).as_string_opt::<i32>().ok_or("the address is no text")?;
    let mut seen: HashMap<&str, Option<T>> = HashMap::new();
    let mut answers = Vec::with_capacity(addresses.len());
    for address in addresses {
        let Some(address) = address else {
            answers.push(None);
            continue;
        };
        let answer = match seen.get(address) {
            Some(answer) => answer.clone(),
            None => {
                let answer = part(places.of(address)?);
                seen.insert(address, answer.clone());
                answer
            }
        };
        answers.push(answer);
    }
    Ok(answers)
}

fn takes_address(answer: DataType) -> Vec<ArrowFunctionSignature> {
    vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], answer)]
}

impl VArrowScalar for Country {
    type State = Known;

    fn invoke(known: &Known, input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        Ok(Arc::new(StringArray::from(look_up(known, &input, |place| place.country)?)))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        takes_address(DataType::Utf8)
    }
}

impl VArrowScalar for AsNumber {
    type State = Known;

    fn invoke(known: &Known, input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        Ok(Arc::new(Int64Array::from(look_up(known, &input, |place| place.as_number)?)))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        takes_address(DataType::Int64)
    }
}

impl VArrowScalar for Organisation {
    type State = Known;

    fn invoke(known: &Known, input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        Ok(Arc::new(StringArray::from(look_up(known, &input, |place| place.organisation)?)))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        takes_address(DataType::Utf8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Vec<u8> {
        std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/geoip/made.mmdb")).unwrap()
    }

    #[test]
    fn an_address_is_looked_up_however_its_members_are_named() {
        let places = Places::read(vec![("made.mmdb".to_owned(), made())]).unwrap();
        let of = |address: &str| places.of(address).unwrap();
        let place = |country: &str, number, organisation: Option<&str>| Place {
            country: Some(country.to_owned()),
            as_number: Some(number),
            organisation: organisation.map(str::to_owned),
        };
        assert_eq!(of("127.0.0.1"), place("DE", 64_500, Some("Made-up Hosting")));
        assert_eq!(of("::ffff:127.0.31.200"), place("AQ", 64_501, Some("<b>Intruder & Sons</b>")));
        assert_eq!(of(" 203.0.113.7 "), place("NZ", 64_502, Some("=1+1\u{202e}teN")));
        assert_eq!(of("2001:db8::1"), place("FR", 64_503, None));
        for unknown in ["127.0.0.2", "::1", "bob", ""] {
            assert_eq!(of(unknown), Place::default(), "{unknown}");
        }
        assert_eq!(places.kind(0), "Made-up");
    }

    #[test]
    fn a_damaged_file_is_an_error_and_no_answer() {
        assert!(Places::read(vec![("x".to_owned(), b"no such thing".to_vec())]).is_err());
        let whole = made();
        // Whatever byte is altered: an answer or an error, never a panic.
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            if let Ok(places) = Places::read(vec![("x".to_owned(), bytes)]) {
                for address in ["127.0.0.1", "127.0.31.9", "2001:db8::1", "203.0.113.9"] {
                    let _ = places.of(address);
                }
            }
        }
        let mut cut = whole.clone();
        let hole = whole.windows(7).position(|part| part == b"country").unwrap() - 2;
        cut[hole] = 0x00;
        let places = Places::read(vec![("cut.mmdb".to_owned(), cut)]).unwrap();
        let error = places.of("127.0.0.1").unwrap_err().to_string();
        assert!(error.starts_with("`cut.mmdb` cannot be used to look up addresses: "), "{error}");
    }
}
