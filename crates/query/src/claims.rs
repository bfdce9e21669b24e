//! Addresses that somebody says: what rests on `X-Forwarded-For` and `X-Real-Ip`, which a client writes as it likes.

use std::collections::BTreeSet;

use duckdb::{params_from_iter, types};
use kforensic_lake::seen::Sent;

use crate::catalogue::Parameters;
use crate::catalogue::{COMMON, CannedQuery, Test, Value};
use crate::error::QueryError;
use crate::session::Session;
use crate::sql::literals;
use crate::stream::Bound;

/// Peers that are named.
const PEERS_MAX: usize = 3;

/// Users who are no part of the cluster, of whom a load balancer has at least so many.
const USERS_MIN: usize = 2;

/// What of an answer rests on an address that was only claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// The address or network that was asked for.
    pub address: String,
    /// Rows that are there only because of such requests.
    pub rows: u64,
    /// Requests that name the address and came from another.
    pub requests: u64,
    /// From whom they came, with how many requests; those with most first.
    pub peers: Vec<(String, u64)>,
}

/// An address that carries what many send, each from an address of its own, as it says: a load balancer, or a client that
/// forges the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balancer {
    /// The address.
    pub source_ip: String,
    /// Requests of users who are no part of the cluster.
    pub requests: u64,
    /// Of so many in all.
    pub all_requests: u64,
    /// How many users.
    pub users: u64,
    /// How many addresses it says that they come from.
    pub addresses: u64,
}

impl Claims {
    /// The address that `query` is asked for, when it is asked for one.
    pub(crate) fn address(parameters: &Parameters) -> Option<&str> {
        ["source_ip", "address"].into_iter().find_map(|name| match parameters.get(name)? {
            Value::Network(text) | Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

/// The given filters that compare a column with a value, as conditions on `requests`. Those about addresses and people are
/// left out: here they are what is asked.
pub(crate) fn common_conditions(parameters: &Parameters) -> Vec<String> {
    let given = COMMON.iter().filter(|common| parameters.get(common.name).is_some());
    let conditions = given.filter_map(|common| {
        let operator = match common.test {
            Test::Is(operator) => operator,
            Test::IsOrCovers => "=",
            Test::SentOrClaimed | Test::Person => return None,
        };
        Some(format!("{} {operator} ${}", common.column, common.name))
    });
    conditions.collect()
}

/// The same as the SQL of `counted_balancers`, of what the log tells about each file.
fn balancers_in(told: Vec<Sent>) -> Vec<Balancer> {
    let mut sent = Sent::default();
    told.into_iter().for_each(|file| sent.merge(file));
    let all_requests: u64 = sent.from.values().sum();
    let balancer = |(source_ip, requests): (&String, &u64)| {
        let ways = || sent.passed_on.iter().filter(|((source, ..), _)| source == source_ip);
        let passed_on: u64 = ways().map(|(_, requests)| requests).sum();
        let users: BTreeSet<&String> = ways().map(|((_, user, _), _)| user).collect();
        let addresses: BTreeSet<&String> = ways().map(|((.., named), _)| named).collect();
        let is_one = users.len() >= USERS_MIN && addresses.len() >= 2 && passed_on * 2 > *requests;
        (is_one && requests * 2 > all_requests).then(|| Balancer {
            source_ip: source_ip.clone(),
            requests: *requests,
            all_requests,
            users: users.len() as u64,
            addresses: addresses.len() as u64,
        })
    };
    sent.from.iter().filter_map(balancer).collect()
}

impl Session {
    /// What of an answer with so many rows rests on a claimed address; `None` when it asks for none, or nothing does.
    ///
    /// # Errors
    /// As for [`Session::run`].
    pub fn claims(
        &self,
        query: &CannedQuery,
        parameters: &Parameters,
        rows: u64,
    ) -> Result<Option<Claims>, QueryError> {
        let Some(address) = Claims::address(parameters).map(str::to_owned) else { return Ok(None) };
        let peers = self.claiming_peers(query, parameters, &address)?;
        let requests = peers.iter().map(|(_, requests)| requests).sum();
        if requests == 0 {
            return Ok(None);
        }
        let direct = match parameters.get("source_ip") {
            Some(_) => self.count(query, &parameters.without_claims())?,
            None => rows,
        };
        let rows = rows.saturating_sub(direct);
        if rows == 0 && query.lists_requests() {
            return Ok(None);
        }
        Ok(Some(Claims { address, rows, requests, peers: peers.into_iter().take(PEERS_MAX).collect() }))
    }

    /// From whom the requests came that name the address, and do not come from it. A condition in SQL is left out: it may be
    /// about columns that only the query has.
    fn claiming_peers(
        &self,
        query: &CannedQuery,
        parameters: &Parameters,
        address: &str,
    ) -> Result<Vec<(String, u64)>, QueryError> {
        let mut conditions = vec![
            "len(source_ips) > 1".to_owned(),
            "NOT coalesce(in_network(source_ip, $address) OR in_network(source_ips[-1], $address), false)".to_owned(),
            "names_network(array_to_string(source_ips, ','), $address)".to_owned(),
        ];
        for (column, names) in [("resource", &query.resources), ("api_group", &query.groups)] {
            if let Some(names) = names {
                conditions.push(format!("{column} IN ({})", literals(names.iter().map(String::as_str))));
            }
        }
        conditions.extend(common_conditions(parameters));
        let sql = format!(
            "SELECT coalesce(source_ips[-1], ''), count(*)::UBIGINT FROM {} WHERE {} GROUP BY 1 ORDER BY 2 DESC, 1",
            if query.refusals { "auth_failures" } else { "requests" },
            conditions.join(" AND ")
        );
        self.requests_by("look for claimed addresses", sql, (query, parameters), address)
    }

    /// The rows of a statement of ours that counts requests by a text, about `$address` and with the filters of a query.
    pub(crate) fn requests_by(
        &self,
        action: &'static str,
        sql: String,
        (query, parameters): (&CannedQuery, &Parameters),
        address: &str,
    ) -> Result<Vec<(String, u64)>, QueryError> {
        self.provide(|provided| provided.for_statement(&sql))?;
        let (query, parameters, address) = (query.clone(), parameters.clone(), address.to_owned());
        let value = move |name: &str| match name {
            "address" => types::Value::Text(address.clone()),
            name => parameters.bound(&query, name),
        };
        let bound = Bound { sql, value: Box::new(value) };
        self.ask(action, move |connection| {
            let mut statement = connection.prepare(&bound.sql)?;
            let values = bound.values(&statement)?;
            statement.query_map(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// The addresses that carry most of what people send, who come from several addresses as these say. Asked for answers
    /// that are about addresses alone.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn balancers(&self, query: &CannedQuery) -> Result<Vec<Balancer>, QueryError> {
        if query.claimed.is_none() {
            return Ok(Vec::new());
        }
        let told = self.sent.as_ref().and_then(|tags| tags.iter().map(|tag| Sent::from_tag(tag)).collect());
        told.map_or_else(|| self.counted_balancers(), |told| Ok(balancers_in(told)))
    }

    /// The same from the requests themselves.
    fn counted_balancers(&self) -> Result<Vec<Balancer>, QueryError> {
        // Users of the cluster's own come from everywhere; those without a name have nothing in common. One who is
        // named as a proxy is not the source of what it passes on.
        const SQL: &str = "WITH sent AS (
                SELECT source_ip, user_name, source_ips[-2] AS forwarded, count(*) AS requests
                FROM requests
                WHERE user_name IS NOT NULL AND NOT starts_with(user_name, 'system:') AND source_ip = source_ips[-1]
                GROUP BY ALL
            ),
            summed AS (
                SELECT source_ip, sum(requests) AS requests, coalesce(sum(requests) FILTER (forwarded IS NOT NULL), 0) AS passed_on,
                    count(DISTINCT user_name) FILTER (forwarded IS NOT NULL) AS users, count(DISTINCT forwarded) AS addresses
                FROM sent GROUP BY source_ip
            )
            SELECT source_ip, requests::UBIGINT, (SELECT sum(requests) FROM sent)::UBIGINT, users::UBIGINT, addresses::UBIGINT
            FROM summed
            WHERE users >= ? AND addresses >= 2 AND passed_on * 2 > requests
                AND requests * 2 > (SELECT sum(requests) FROM sent)
            ORDER BY source_ip";
        self.provide(|provided| provided.for_statement(SQL))?;
        self.ask("look for load balancers", |connection| {
            let mut statement = connection.prepare(SQL)?;
            let rows = statement.query_map([USERS_MIN as u64], |row| {
                Ok(Balancer {
                    source_ip: row.get(0)?,
                    requests: row.get(1)?,
                    all_requests: row.get(2)?,
                    users: row.get(3)?,
                    addresses: row.get(4)?,
                })
            })?;
            rows.collect()
        })
    }
}
