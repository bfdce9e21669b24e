//! How whole the log of each host is: pauses, seams between files, steps of its clock, requests without an end.

use crate::error::QueryError;
use crate::session::Session;

/// The log of one host. Times are in microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAccount {
    /// Host; empty when nobody knows it.
    pub host: String,
    /// Cluster; empty when nobody knows it.
    pub cluster: String,
    /// Time of its first event.
    pub first: i64,
    /// Time of its last event.
    pub last: i64,
    /// Events.
    pub events: u64,
    /// Events whose bodies the server dropped.
    pub truncated: u64,
    /// The longest pause that is usual: 99 of 100 are shorter.
    pub usual_pause: i64,
    /// Pauses that are long, and longer than ten times what is usual.
    pub pauses: Vec<(i64, i64)>,
    /// Files behind one another that do not meet: the sources, and the times of the last and the first event.
    pub seams: Vec<Seam>,
    /// Where its clock went back.
    pub steps: Vec<Step>,
    /// Requests without their end, by why that may be.
    pub unfinished: Vec<(String, u64)>,
}

/// Two files of a host with a pause between them that none of its others is as long as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seam {
    /// The source that ends.
    pub before: String,
    /// The source that begins.
    pub after: String,
    /// Its last event.
    pub ends: i64,
    /// The first event of the other.
    pub begins: i64,
}

/// A line that was written before the one that stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The source.
    pub source: String,
    /// The line.
    pub line: i64,
    /// Time of the line before.
    pub from: i64,
    /// Time of the line.
    pub to: i64,
}

/// By how much a clock must go back to be told, in microseconds: requests that run side by side are written within it.
const STEP: i64 = 5_000_000;

/// Things of a kind that are told of a host.
const TOLD_AT_MOST: usize = 100;

/// Host and cluster, as the rows of all statements begin.
const HOST: &str = "coalesce(host, '') AS host, coalesce(cluster, '') AS cluster";

type Key = (String, String);

impl Session {
    /// The account of every host, by cluster and name. Pauses are at least `gap` long, in microseconds.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn hosts(&self, gap: i64) -> Result<Vec<HostAccount>, QueryError> {
        let accounts = format!(
            "SELECT {HOST}, epoch_us(min(event_time)), epoch_us(max(event_time)), count(*)::UBIGINT, \
             count(*) FILTER (truncated)::UBIGINT FROM events GROUP BY ALL ORDER BY 2, 1"
        );
        let mut hosts = self.collect(&accounts, |row| {
            Ok(HostAccount {
                host: row.get(0)?,
                cluster: row.get(1)?,
                first: row.get(2)?,
                last: row.get(3)?,
                events: row.get(4)?,
                truncated: row.get(5)?,
                usual_pause: 0,
                pauses: Vec::new(),
                seams: Vec::new(),
                steps: Vec::new(),
                unfinished: Vec::new(),
            })
        })?;
        let mut of = |key: Key, change: &mut dyn FnMut(&mut HostAccount)| {
            hosts.iter_mut().filter(|host| (&host.host, &host.cluster) == (&key.0, &key.1)).for_each(change);
        };
        for (key, usual, from, to) in self.pauses_of_hosts(gap)? {
            of(key, &mut |host| {
                host.usual_pause = usual;
                host.pauses.extend(from.zip(to));
            });
        }
        for (key, seam) in self.seams()? {
            // A seam is one when the host is not as silent at other times.
            of(key, &mut |host| {
                if seam.begins - seam.ends > (host.usual_pause * 10).max(STEP) {
                    host.seams.push(seam.clone());
                }
            });
        }
        for (key, step) in self.steps()? {
            of(key, &mut |host| host.steps.push(step.clone()));
        }
        let unfinished =
            format!("SELECT {HOST}, kind, count(*)::UBIGINT FROM incomplete_requests GROUP BY ALL ORDER BY 3");
        for (key, kind, requests) in
            self.collect(&unfinished, |row| Ok((key(row)?, row.get::<_, String>(2)?, row.get::<_, u64>(3)?)))?
        {
            of(key, &mut |host| host.unfinished.push((kind.clone(), requests)));
        }
        Ok(hosts)
    }

    /// The usual pause of every host, and its long ones, each in a row.
    #[expect(clippy::type_complexity, reason = "rows of one statement, taken apart by its only caller")]
    fn pauses_of_hosts(&self, gap: i64) -> Result<Vec<(Key, i64, Option<i64>, Option<i64>)>, QueryError> {
        let sql = format!(
            "WITH lines AS (SELECT {HOST}, epoch_us(event_time) AS moment FROM events), \
             pauses AS (SELECT host, cluster, moment, lag(moment) OVER (PARTITION BY host, cluster ORDER BY moment) AS before FROM lines), \
             usual AS (SELECT host, cluster, quantile_disc(moment - before, 0.99) AS usual FROM pauses \
                 WHERE before IS NOT NULL GROUP BY host, cluster) \
             SELECT usual.host, usual.cluster, usual::BIGINT, before, moment FROM usual LEFT JOIN pauses \
                 ON usual.host = pauses.host AND usual.cluster = pauses.cluster \
                 AND moment - before >= {gap} AND moment - before > 10 * usual \
             ORDER BY 2, 1, 4"
        );
        self.collect(&sql, |row| Ok((key(row)?, row.get(2)?, row.get(3)?, row.get(4)?)))
    }

    /// The files of every host behind one another, where they do not overlap.
    fn seams(&self) -> Result<Vec<(Key, Seam)>, QueryError> {
        let sql = format!(
            "WITH files AS (SELECT {HOST}, source_id, epoch_us(min(coalesce(stage_time, event_time))) AS begins, \
                 epoch_us(max(coalesce(stage_time, event_time))) AS ends FROM events GROUP BY ALL), \
             seams AS (SELECT host, cluster, lag(source_id) OVER files_of_host AS before, source_id, \
                 max(ends) OVER (files_of_host ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ends, begins \
                 FROM files WINDOW files_of_host AS (PARTITION BY host, cluster ORDER BY begins, source_id)) \
             SELECT host, cluster, before, source_id, ends, begins FROM seams \
             WHERE before IS NOT NULL AND begins > ends ORDER BY 2, 1, 6"
        );
        self.collect(&sql, |row| {
            let seam = Seam { before: row.get(2)?, after: row.get(3)?, ends: row.get(4)?, begins: row.get(5)? };
            Ok((key(row)?, seam))
        })
    }

    /// Lines from before the line that stands before them, in files that are written in the order of time.
    fn steps(&self) -> Result<Vec<(Key, Step)>, QueryError> {
        // An export that is sorted otherwise goes back all the time; that is no clock.
        let sql = format!(
            "WITH lines AS (SELECT {HOST}, source_id, line_number, epoch_us(stage_time) AS moment, \
                 lag(epoch_us(stage_time)) OVER (PARTITION BY source_id ORDER BY byte_offset) AS before FROM events \
                 WHERE stage_time IS NOT NULL), \
             written AS (SELECT source_id FROM lines GROUP BY source_id \
                 HAVING count(*) FILTER (moment < before - {STEP}) <= 3 + count(*) // 100) \
             SELECT host, cluster, source_id, line_number, before, moment FROM lines SEMI JOIN written USING (source_id) \
             WHERE moment < before - {STEP} ORDER BY 2, 1, moment, source_id, line_number LIMIT {TOLD_AT_MOST}"
        );
        self.collect(&sql, |row| {
            let step = Step { source: row.get(2)?, line: row.get(3)?, from: row.get(4)?, to: row.get(5)? };
            Ok((key(row)?, step))
        })
    }
}

fn key(row: &duckdb::Row<'_>) -> duckdb::Result<Key> {
    Ok((row.get(0)?, row.get(1)?))
}
