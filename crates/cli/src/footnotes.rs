//! What stands under an answer besides its rows: what it is worth, and what it leaves out. For people on standard error,
//! for programs in an envelope around the rows.

use std::path::{Path, PathBuf};

use anstyle::AnsiColor;
use kforensic_event::time;
use kforensic_lake::Snapshot;
use kforensic_query::coverage::{Finding, LeftOut, Observed, Scope, Unseen, Verdict, judge};
use kforensic_query::trust::{Entry, Sieve, Trusted};
use kforensic_query::{
    Balancer, CannedQuery, Catalogue, Claims, Limits, OwnWork, Parameters, QueryError, RunSummary, Session,
};
use serde_json::{Value as Json, json};

use crate::answer;
use crate::error::CliError;
use crate::message;
use crate::{places, proxies};

/// The list of what is trusted that lies in a case.
const TRUSTED: &str = "trusted.toml";

/// What stands under an answer.
pub(crate) struct Footnotes {
    verdict: Verdict,
    left_out: LeftOut,
    /// What was left out of the cluster's own work; `None` when the query leaves out none.
    own: Option<OwnWork>,
    /// What was trusted, and by which file.
    sieve: Sieve,
    trusted: Option<PathBuf>,
    names_cluster: bool,
    said: Said,
}

/// What of an answer rests on somebody's word.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Of an answer about one address: what only claims it.
    claims: Option<Claims>,
    /// Addresses that carry what many send.
    balancers: Vec<Balancer>,
    /// Requests whose source is a proxy's word.
    asserted: Option<u64>,
}

impl Said {
    /// Looks for it behind an answer with so many rows; `has_claims` when one of them tells of a claimed address.
    pub(crate) fn of(
        session: &Session,
        query: &CannedQuery,
        parameters: &Parameters,
        rows: u64,
        has_claims: bool,
    ) -> Result<Self, QueryError> {
        Ok(Self {
            claims: session.claims(query, parameters, rows)?,
            balancers: if has_claims { session.balancers(query)? } else { Vec::new() },
            asserted: session.asserted()?.map(|asserted| asserted.count),
        })
    }

    fn tell(&self) {
        for words in self.in_words() {
            message::note(&visible(&words));
        }
        if !self.balancers.is_empty() {
            message::hint("when it is yours, name it: `kforensic --proxy ADDRESS …` takes the address before it");
        }
    }

    fn in_words(&self) -> Vec<String> {
        let claimed = self.claims.iter().map(|Claims { address, rows, requests, peers }| {
            let peers = peers.iter().map(|(peer, requests)| format!("`{peer}` ({requests})"));
            let peers = peers.collect::<Vec<_>>().join(", ");
            let shown = match rows {
                0 => String::new(),
                1 => "; 1 row is here for that alone".to_owned(),
                rows => format!("; {rows} rows are here for that alone"),
            };
            let claims = if *requests == 1 { "request merely claims" } else { "requests merely claim" };
            format!(
                "{requests} {claims} to be from `{address}` (`forwarded_for`, which a client can forge), and came from {peers}{shown}"
            )
        });
        let balancers = self.balancers.iter().map(balancer_in_words);
        let asserted = self.asserted.iter().filter_map(|requests| {
            Some(format!("{}: {} here", proxies::in_words()?, answer::count_of(*requests, "request")))
        });
        claimed.chain(balancers).chain(asserted).collect()
    }

    fn to_json(&self) -> Json {
        let claims = self.claims.as_ref().map(|Claims { address, rows, requests, peers }| {
            json!({"address": address, "rows": rows, "requests": requests, "peers": peers})
        });
        let balancer = |balancer: &Balancer| {
            json!({
                "source_ip": balancer.source_ip, "requests": balancer.requests, "of": balancer.all_requests,
                "users": balancer.users, "addresses": balancer.addresses,
            })
        };
        json!({
            "claims": claims, "balancers": self.balancers.iter().map(balancer).collect::<Vec<_>>(),
            "proxies": proxies::to_json(), "asserted_requests": self.asserted,
        })
    }
}

/// An address that many seem to come through.
pub(crate) fn balancer_in_words(balancer: &Balancer) -> String {
    let Balancer { source_ip, requests, all_requests, users, addresses } = balancer;
    format!(
        "`{source_ip}` sent {requests} of {all_requests} requests of users outside of the cluster, for {users} of them and from \
         {addresses} addresses as it says (`forwarded_for`): a load balancer, or one client that forges the header"
    )
}

impl Footnotes {
    /// Judges an answer that is not there yet.
    pub(crate) fn of(
        query: &CannedQuery,
        parameters: &Parameters,
        snapshot: &Snapshot,
        limits: &Limits,
    ) -> Result<Self, CliError> {
        let observed = Observed::of(snapshot, limits)?;
        Ok(Self {
            verdict: judge(query, &observed, &Scope::of(parameters)),
            left_out: LeftOut::of(snapshot, &observed),
            own: None,
            sieve: Sieve::default(),
            trusted: None,
            names_cluster: parameters.get("cluster").is_some(),
            said: Said::default(),
        })
    }

    /// Adds what was left out of the rows.
    pub(crate) fn with_rows(
        self,
        run: RunSummary,
        own: Option<OwnWork>,
        sieve: Sieve,
        trusted: Option<PathBuf>,
    ) -> Self {
        let verdict = self.verdict.with_rows(run.total_rows + sieve.hidden());
        Self { verdict, own, sieve, trusted, ..self }
    }

    /// What rests on somebody's word, in sentences.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.in_words()
    }

    /// Adds what rests on somebody's word.
    pub(crate) fn with_said(self, said: Said) -> Self {
        Self { said, ..self }
    }

    /// Adds to the verdict on an answer without rows what the log has nothing of.
    pub(crate) fn with_unseen(self, unseen: &[Unseen]) -> Self {
        Self { verdict: self.verdict.without(unseen), ..self }
    }

    /// Tells people.
    pub(crate) fn tell(&self) {
        let colour = if self.is_reserved() { AnsiColor::Yellow } else { AnsiColor::Green };
        message::labelled("verdict", colour, &self.verdict());
        for words in self.words() {
            message::labelled("left out", AnsiColor::Cyan, &words);
        }
        self.said.tell();
        let path = self.trusted.as_deref().unwrap_or(Path::new(TRUSTED));
        for entry in &self.sieve.expired {
            tell_expired(entry, path);
        }
        if !self.left_out.clusters.is_empty() && !self.names_cluster {
            let clusters = self.left_out.clusters.iter().map(|name| match name.as_str() {
                "" => "logs without a name".to_owned(),
                name => format!("`{name}`"),
            });
            let clusters = clusters.collect::<Vec<_>>().join(", ");
            message::note(&visible(&format!(
                "the case holds several clusters ({clusters}), and this is about all of them"
            )));
            message::hint("narrow it with `--cluster NAME`; where rows have a column `cluster`, it tells them apart");
        }
    }

    /// The verdict in words.
    pub(crate) fn verdict(&self) -> String {
        let Verdict { finding, because, .. } = &self.verdict;
        let because = match because.as_slice() {
            [] => String::new(),
            reasons => format!(": {}", reasons.join("; ")),
        };
        format!("{}{because}", finding.name())
    }

    /// Whether the verdict takes something back from the rows.
    pub(crate) fn is_reserved(&self) -> bool {
        matches!(self.verdict.finding, Finding::Partly | Finding::NotObservable | Finding::Untold)
    }

    /// What is left out, each in a sentence.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let own = self.own.map(|own| match own {
            OwnWork::Rows(rows) => (rows, "row", "shows"),
            OwnWork::Requests(requests) => (requests, "request", "counts"),
        });
        if let Some((count, what, shows)) = own.filter(|(count, ..)| *count > 0) {
            let plural = if count == 1 { "" } else { "s" };
            words.push(format!("{count} {what}{plural} of the cluster's own work (`-p own=true` {shows} them)"));
        }
        for (entry, rows) in self.sieve.entries.iter().filter(|(_, rows)| *rows > 0) {
            let what = if *rows == 1 { "row" } else { "rows" };
            let (number, reason, author) = (entry.number, &entry.reason, &entry.author);
            words.push(format!(
                "{rows} {what} trusted by entry {number}, {author}: {reason} (`--show-trusted` shows them)"
            ));
        }
        words.extend(self.left_out.in_words());
        words
    }

    /// The members of an envelope behind its rows, as text.
    pub(crate) fn to_json(&self, run: RunSummary) -> String {
        let members = self.members(run).map(|(name, value)| format!(", \"{name}\": {value}"));
        members.concat() + "}\n"
    }

    /// The members of an envelope behind its rows.
    pub(crate) fn members(&self, run: RunSummary) -> [(&'static str, Json); 5] {
        let Verdict { finding, because, pauses } = &self.verdict;
        let pauses: Vec<_> = pauses
            .iter()
            .map(|pause| {
                json!({
                    "host": pause.host.0, "cluster": pause.host.1,
                    "from": time::render(pause.from), "to": time::render(pause.to),
                })
            })
            .collect();
        let entry = |entry: &Entry| {
            json!({
                "entry": entry.number, "reason": entry.reason, "author": entry.author,
                "until": time::render(entry.until),
            })
        };
        let trusted: Vec<_> = self
            .sieve
            .entries
            .iter()
            .map(|(which, rows)| {
                let mut told = entry(which);
                told["rows"] = json!(rows);
                told
            })
            .collect();
        let left = &self.left_out;
        let (own_rows, own_requests) = match self.own {
            None => (None, None),
            Some(OwnWork::Rows(rows)) => (Some(rows), None),
            Some(OwnWork::Requests(requests)) => (None, Some(requests)),
        };
        let verdict = json!({
            "verdict": finding.id(), "text": finding.name(), "because": because, "pauses": pauses,
        });
        let left_out = json!({
            "own": own_rows,
            "own_requests": own_requests,
            "trusted": trusted,
            "trusted_expired": self.sieve.expired.iter().map(entry).collect::<Vec<_>>(),
            "rejected": left.rejected,
            "cut": left.marked.cut,
            "salvaged": left.marked.salvaged,
            "assumed": left.marked.assumed,
            "truncated": left.marked.truncated,
            "copies": left.marked.copies,
            "withheld": left.marked.withheld,
            "parts": left.marked.parts,
            "not_exported": left.not_exported,
            "sources_left_out": left.sources_left_out,
            "pruned": left.pruned,
            "pruned_before": left.pruned_before,
            "rows_not_shown": run.total_rows - run.rows,
        });
        [
            ("verdict", verdict),
            ("left_out", left_out),
            ("clusters", json!(left.clusters)),
            ("addresses", self.said.to_json()),
            ("geoip", places::to_json()),
        ]
    }
}

/// What is trusted: by the file that is named, else by the one in the case.
pub(crate) fn trusted(
    named: Option<&PathBuf>,
    case: &Path,
    catalogue: &Catalogue,
) -> Result<Option<(PathBuf, Trusted)>, CliError> {
    let own = case.join(TRUSTED);
    let path = match named {
        Some(path) => path.clone(),
        // A link in a case may lead anywhere.
        None if own.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) => own,
        None => {
            if own.symlink_metadata().is_ok() {
                message::warning(&format!("`{}` is no file of the case, so nothing is trusted by it", own.display()));
                message::hint("name the file with `--trusted FILE`");
            }
            return Ok(None);
        }
    };
    let text = std::fs::read_to_string(&path).map_err(|source| CliError::Input { path: path.clone(), source })?;
    let names: Vec<&str> = catalogue.iter().map(|query| query.name.as_str()).collect();
    let trusted = Trusted::parse(&path.display().to_string(), &text, &names)?;
    Ok(Some((path, trusted)))
}

/// Says which rows of an answer are trusted where they are shown all the same.
pub(crate) fn tell_trusted(sieve: &Sieve, path: &Path) {
    for (entry, rows) in sieve.entries.iter().filter(|(_, rows)| *rows > 0) {
        let (rows, number) = (answer::count(*rows), entry.number);
        message::note(&visible(&format!(
            "{rows} of these trusted by entry {number} of `{}`, {}: {}; the prompt shows them, `kforensic query` leaves them out",
            path.display(),
            entry.author,
            entry.reason
        )));
    }
    for entry in &sieve.expired {
        tell_expired(entry, path);
    }
}

fn tell_expired(entry: &Entry, path: &Path) {
    let (number, until) = (entry.number, message::time(&time::render(entry.until)));
    message::note(&visible(&format!(
        "entry {number} of `{}` ended at {until} UTC and hides nothing any more: {}",
        path.display(),
        entry.reason
    )));
}

/// Names and values of a log on a terminal, which they must not command.
pub(crate) fn visible(text: &str) -> String {
    kforensic_report::escape(text).into_owned()
}
