//! The SQL function `in_network(address, network)`: whether an address lies in a network, for IPv4 and IPv6.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::datatypes::DataType;
use duckdb::Connection;
use duckdb::vscalar::arrow::{ArrowFunctionSignature, VArrowScalar};
use ipnet::IpNet;

use crate::argument::texts;

/// Makes `in_network(VARCHAR, VARCHAR) -> BOOLEAN`: NULL when either is NULL, false when either is unreadable.
///
/// The network is in CIDR notation, or one address. An IPv4 address that is written as an IPv6 one
/// (`::ffff:10.0.0.1`, as dual-stack servers log it) is the same address.
pub(crate) fn register(connection: &Connection) -> duckdb::Result<()> {
    connection.register_scalar_function::<InNetwork>("in_network")
}

struct InNetwork;

impl VArrowScalar for InNetwork {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let (addresses, networks) = (texts(&input, 0)?, texts(&input, 1)?);
        // The network is nearly always one constant, and parsing it costs more than comparing.
        let mut last: Option<(&str, Option<IpNet>)> = None;
        let answers = addresses.iter().zip(networks.iter()).map(|pair| {
            let (Some(address), Some(network)) = pair else { return None };
            let parsed = match last {
                Some((text, parsed)) if text == network => parsed,
                _ => parse_network(network),
            };
            last = Some((network, parsed));
            Some(parsed.is_some_and(|network| contains(network, address)))
        });
        Ok(Arc::new(answers.collect::<BooleanArray>()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8, DataType::Utf8], DataType::Boolean)]
    }
}

/// A network in CIDR notation, or the one of a single address.
pub(crate) fn parse_network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IpNet::from(address.to_canonical()));
    }
    let network: IpNet = text.parse().ok()?;
    let IpNet::V6(wide) = network else { return Some(network) };
    // `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
    match (wide.addr().to_ipv4_mapped(), wide.prefix_len().checked_sub(96)) {
        (Some(address), Some(length)) => IpNet::new(address.into(), length).ok(),
        _ => Some(network),
    }
}

pub(crate) fn contains(network: IpNet, address: &str) -> bool {
    address.trim().parse::<IpAddr>().is_ok_and(|address| network.contains(&address.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_addresses_of_both_kinds() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let ask = |address: Option<&str>, network: Option<&str>| {
            let sql = "SELECT in_network(?::VARCHAR, ?::VARCHAR)";
            connection.query_row(sql, [address, network], |row| row.get::<_, Option<bool>>(0)).unwrap()
        };
        for (address, network, answer) in [
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("10.1.2.3", "::/0", false),
            ("10.1.2.3", "10.1.2.9/24", true),
            ("2001:db8::1", "2001:db8::/32", true),
            ("2001:DB8:0:0::1", "2001:db8::1", true),
            ("2001:db9::1", "2001:db8::/32", false),
            ("::ffff:10.1.2.3", "10.0.0.0/8", true),
            ("10.1.2.3", "::ffff:10.1.2.3", true),
            ("10.1.2.3", "::ffff:10.0.0.0/104", true),
            ("::1", "127.0.0.0/8", false),
            ("", "10.0.0.0/8", false),
            ("10.1.2.3, 10.9.9.9", "10.0.0.0/8", false),
            ("10.1.2.3", "10.0.0.0/33", false),
            ("10.1.2.3", "evil", false),
        ] {
            assert_eq!(ask(Some(address), Some(network)), Some(answer), "{address} in {network}");
        }
        assert_eq!(ask(None, Some("10.0.0.0/8")), None);
        assert_eq!(ask(Some("10.1.2.3"), None), None);
        let many = "SELECT count(*) FILTER (in_network(a, '10.0.0.0/30')), count(*) FILTER (in_network(a, n)), \
                    count(*) FILTER (in_network(a, NULL) IS NULL) FROM (SELECT '10.0.0.' || (i % 256) AS a, \
                    CASE WHEN i % 3 = 0 THEN '10.0.0.0/24' WHEN i % 3 = 1 THEN NULL ELSE 'x' END AS n FROM range(10_000) t(i))";
        let counts = connection.query_row(many, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        assert_eq!(counts, (160_i64, 3_334_i64, 10_000_i64));
    }
}
