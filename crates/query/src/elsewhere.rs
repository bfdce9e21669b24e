//! Who of those that came from an address also came from others: where a search that began with the address goes on.

use crate::catalogue::CannedQuery;
use crate::catalogue::Parameters;
use crate::claims::{Claims, common_conditions};
use crate::error::QueryError;
use crate::session::Session;

/// Identities that are named; the others are counted.
const NAMED_MAX: usize = 5;

/// Identities of an answer about one address that also came from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// Some of them, with how many requests each sent from elsewhere; those with most first.
    pub named: Vec<(String, u64)>,
    /// How many more there are.
    pub others: u64,
}

impl Session {
    /// Who of the identities that an account of one address tells of came from elsewhere, in what the session sees; `None`
    /// when `query` is no such account, or is asked about no address.
    ///
    /// Who comes through a load balancer is here when the balancer says so, as in the account itself, and else elsewhere.
    ///
    /// # Errors
    /// As for [`Session::run`].
    pub fn elsewhere(&self, query: &CannedQuery, parameters: &Parameters) -> Result<Option<Elsewhere>, QueryError> {
        // What the account is about is its own parameter: the common filter `source_ip` narrows any question.
        let is_account = query.parameters.iter().any(|parameter| parameter.name == "address");
        let Some(address) = Claims::address(parameters).filter(|_| is_account).map(str::to_owned) else {
            return Ok(None);
        };
        let mut asked = common_conditions(parameters);
        asked.push("true".to_owned());
        // Whether an address lies in a network is asked once for each kind of request.
        let sql = format!(
            "WITH kinds AS (
                SELECT cluster, user_name, source_ip, CASE WHEN len(source_ips) > 1 THEN source_ips END AS claimed,
                    count(*) AS requests, count(*) FILTER ({}) AS asked
                FROM requests
                WHERE user_name <> '' AND user_name <> 'system:anonymous'
                GROUP BY ALL
            ),
            told AS (
                SELECT cluster, user_name, requests, asked,
                    coalesce(in_network(source_ip, $address), false)
                        OR coalesce(names_network(array_to_string(claimed, ','), $address), false) AS is_here
                FROM kinds
            ),
            summed AS (
                SELECT cluster, user_name, sum(requests) FILTER (NOT is_here) AS elsewhere
                FROM told GROUP BY cluster, user_name
                HAVING sum(asked) FILTER (is_here) > 0 AND elsewhere > 0
            )
            SELECT user_name, sum(elsewhere)::UBIGINT AS requests
            FROM summed GROUP BY user_name ORDER BY requests DESC, user_name",
            asked.join(" AND ")
        );
        let mut named = self.requests_by("look for who goes on elsewhere", sql, (query, parameters), &address)?;
        let others = named.split_off(named.len().min(NAMED_MAX)).len() as u64;
        Ok(Some(Elsewhere { named, others }))
    }
}
