//! Proxies in front of the API server that the user names: behind one, the address that it passes on counts as source.
//!
//! The API server lists the addresses of `X-Forwarded-For`, then that of `X-Real-Ip` when it is another, then the peer of the
//! connection. A client writes both headers as it likes; what a proxy makes of them is its own business: one that appends
//! puts the client's address last, one that adds a second header line is not heard at all (the server reads the first). So
//! what a proxy says is its assertion and no proof: it is marked, and never makes a request the cluster's own work.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use duckdb::Connection;
use duckdb::vscalar::arrow::{ArrowFunctionSignature, VArrowScalar};
use ipnet::IpNet;
use thiserror::Error;

use crate::argument::texts;
use crate::network::{contains, parse_network};

/// What is no address or network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is neither an address nor a network")]
pub struct NoNetwork {
    /// As given.
    pub text: String,
}

/// The addresses of proxies whose word is taken for where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Takes up addresses and networks.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse(texts: &[String]) -> Result<Self, NoNetwork> {
        let network = |text: &String| parse_network(text).ok_or_else(|| NoNetwork { text: text.clone() });
        Ok(Self(texts.iter().map(network).collect::<Result<_, _>>()?))
    }

    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their networks, as people write them.
    pub fn names(&self) -> Vec<String> {
        let name = |network: &IpNet| match network.prefix_len() == network.max_prefix_len() {
            true => network.addr().to_string(),
            false => network.trunc().to_string(),
        };
        self.0.iter().map(name).collect()
    }

    fn hold(&self, address: &str) -> bool {
        self.0.iter().any(|network| contains(*network, address))
    }

    /// Where a request came from whose addresses are these, parted by [`SEPARATOR`], the peer last.
    ///
    /// The right-most one that is no proxy: what stands before it was told to the first proxy by somebody that nobody
    /// knows. When all are proxies it is the first of them, which then asked for itself.
    fn source<'a>(&self, addresses: &'a str) -> &'a str {
        let mut source = None;
        for address in addresses.rsplit(SEPARATOR) {
            source = Some(address);
            if !self.hold(address) {
                break;
            }
        }
        source.unwrap_or(addresses)
    }
}

/// Stands between addresses that are handed over as one text; no address holds it.
const SEPARATOR: char = ',';

/// SQL for the source of a request, in the place of the column `source_ip` of a file.
pub(crate) const SOURCE: &str =
    "CASE WHEN len(source_ips) > 1 THEN source_behind(array_to_string(source_ips, ',')) ELSE source_ip END";

/// Makes `source_behind(VARCHAR) -> VARCHAR`, and `names_network(VARCHAR, VARCHAR) -> BOOLEAN`: whether one of the
/// addresses, which stand in one text, lies in a network.
pub(crate) fn register(connection: &Connection, proxies: &Proxies) -> duckdb::Result<()> {
    connection.register_scalar_function_with_state::<SourceBehind>("source_behind", &Arc::new(proxies.clone()))?;
    connection.register_scalar_function::<NamesNetwork>("names_network")
}

struct SourceBehind;

impl VArrowScalar for SourceBehind {
    type State = Arc<Proxies>;

    fn invoke(proxies: &Self::State, input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        // Few chains of addresses are different.
        let mut known: BTreeMap<&str, &str> = BTreeMap::new();
        let chains = texts(&input, 0)?;
        let sources = chains.iter().map(|chain| {
            let chain = chain?;
            Some(*known.entry(chain).or_insert_with(|| proxies.source(chain)))
        });
        Ok(Arc::new(sources.collect::<StringArray>()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], DataType::Utf8)]
    }
}

struct NamesNetwork;

impl VArrowScalar for NamesNetwork {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let (chains, networks) = (texts(&input, 0)?, texts(&input, 1)?);
        let mut last: Option<(&str, Option<IpNet>)> = None;
        let answers = chains.iter().zip(networks.iter()).map(|pair| {
            let (Some(chain), Some(network)) = pair else { return None };
            let parsed = match last {
                Some((text, parsed)) if text == network => parsed,
                _ => parse_network(network),
            };
            last = Some((network, parsed));
            let lies = |address: &str| {
                address.trim().parse::<IpAddr>().is_ok() && parsed.is_some_and(|net| contains(net, address))
            };
            Some(chain.split(SEPARATOR).any(lies))
        });
        Ok(Arc::new(answers.collect::<BooleanArray>()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8, DataType::Utf8], DataType::Boolean)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_most_address_that_is_no_proxy_is_the_source() {
        let proxies = Proxies::parse(&["172.31.0.0/16".to_owned(), "10.0.0.5".to_owned()]).unwrap();
        for (chain, source) in [
            ("203.0.113.9,172.31.0.4", "203.0.113.9"),
            // What the client told the proxy itself is not heard.
            ("192.0.2.1,203.0.113.9,172.31.0.4", "203.0.113.9"),
            ("192.0.2.1,172.31.0.9,203.0.113.9,10.0.0.5,172.31.0.4", "203.0.113.9"),
            // Nor what somebody says who is no proxy.
            ("192.0.2.1,203.0.113.9", "203.0.113.9"),
            ("172.31.0.9,203.0.113.9", "203.0.113.9"),
            ("203.0.113.9,::ffff:172.31.0.4", "203.0.113.9"),
            ("172.31.0.4", "172.31.0.4"),
            ("172.31.0.7,172.31.0.4", "172.31.0.7"),
            ("10.0.0.50,10.0.0.5", "10.0.0.50"),
            ("no address,10.0.0.5", "no address"),
        ] {
            assert_eq!(proxies.source(chain), source, "{chain}");
        }
        assert_eq!(proxies.names(), ["172.31.0.0/16", "10.0.0.5"]);
        assert_eq!(Proxies::parse(&["10.0.0.0/99".to_owned()]).unwrap_err().text, "10.0.0.0/99");
    }
}
