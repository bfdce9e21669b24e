//! What a session is asked: canned queries, statements of the user, and how many rows they have.

use crate::catalogue::{CannedQuery, OWN, Parameters, Value, own_count, own_mark, statement};
use crate::error::QueryError;
use crate::gate::Statement;
use crate::problem::Problem;
use crate::stream::{Bound, RowSink, Rows, RunSummary, Wanted, stream};
use crate::trouble::Author;
use crate::trust::Sieve;
use crate::views::Provided;

use super::Session;
use super::tally::{Count, Tally, Tallying};

/// What is wanted of a run of a canned query.
#[derive(Debug)]
pub struct RunOptions<'s> {
    /// The newest rows are passed on, at most so many: the last ones in the order of the query.
    pub limit: Option<usize>,
    /// Keeps back what is trusted, and counts it. Such rows count neither for the limit nor in the summary.
    pub sieve: &'s mut Sieve,
    /// Whether the summary is to tell how many rows of the cluster's own work were left out, where one run can tell it: they
    /// are computed for that, and counted.
    pub counts_own: bool,
}

/// What an answer left out because it is the cluster's own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnWork {
    /// Rows that the answer would have more.
    Rows(u64),
    /// Requests that its accounts would be made of as well: there need not be a row more, and every number may be another.
    Requests(u64),
}

impl Session {
    /// Runs a canned query and hands its rows to `sink`, oldest first.
    ///
    /// With a `limit` only the newest rows are passed on: the last ones in the order of the query. Memory
    /// does not grow with the result then, and the summary tells how many rows there were.
    ///
    /// # Errors
    /// When a value is given that the query does not take, when the session leaves out what the query
    /// asks for, when a file turns out to be damaged, when the sink gives up, or on an interrupt. Rows
    /// that were passed on before an error are not the whole answer.
    pub fn run(
        &self,
        query: &CannedQuery,
        parameters: &Parameters,
        limit: Option<usize>,
        sink: &mut dyn RowSink,
    ) -> Result<RunSummary, QueryError> {
        let options = RunOptions { limit, sieve: &mut Sieve::default(), counts_own: false };
        self.run_as(query, parameters, options, sink)
    }

    /// The same for who wants more, or less, than its rows.
    ///
    /// # Errors
    /// As for [`Session::run`].
    pub fn run_as(
        &self,
        query: &CannedQuery,
        parameters: &Parameters,
        options: RunOptions<'_>,
        sink: &mut dyn RowSink,
    ) -> Result<RunSummary, QueryError> {
        let RunOptions { limit, sieve, counts_own } = options;
        let mut bound = self.bound(query, parameters)?;
        let marked = counts_own.then(|| own_mark::marked(query, parameters)).flatten();
        let wanted = Wanted {
            rows: limit.map_or(Rows::All, Rows::Last),
            asserted: self.asserted()?,
            sieve: Some(sieve),
            is_own_marked: marked.is_some(),
        };
        bound.sql = marked.unwrap_or(bound.sql);
        let done = stream(&self.engine, bound, wanted, &self.interrupt, sink);
        done.map_err(|error| self.explain_asked(error, query, parameters))
    }

    /// What an answer left out of the cluster's own work: as its summary tells, or asked for now. Of `all_rows` rows, what is
    /// trusted among them. `None` when the query leaves out nothing of it.
    ///
    /// # Errors
    /// As for [`Session::run`].
    pub fn own_work(
        &self,
        query: &CannedQuery,
        parameters: &Parameters,
        run: &RunSummary,
        all_rows: u64,
    ) -> Result<Option<OwnWork>, QueryError> {
        if let Some(rows) = run.own_rows {
            return Ok(Some(OwnWork::Rows(rows)));
        }
        if !query.leaves_out_own_work(parameters) {
            return Ok(None);
        }
        if let Some(sql) = own_count::counted(query, parameters) {
            match self.counted(query, parameters, sql) {
                Ok(requests) => return Ok(Some(OwnWork::Requests(requests))),
                // The statement was made of a part of the query's text, which may need the rest. Whatever else is wrong is so
                // again.
                Err(QueryError::Engine { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let mut all = parameters.clone();
        all.set(OWN, Value::Boolean(true));
        Ok(Some(OwnWork::Rows(self.count(query, &all)?.saturating_sub(all_rows))))
    }

    /// How many rows a canned query has. DuckDB computes nothing for it that only stands in the rows.
    ///
    /// # Errors
    /// As for [`Session::run`].
    pub fn count(&self, query: &CannedQuery, parameters: &Parameters) -> Result<u64, QueryError> {
        let sql = format!("SELECT count(*) AS rows FROM (\n{}\n)", statement::bound(query, parameters));
        let what = || format!("count the rows of the query `{}`", query.name);
        self.counted(query, parameters, sql).map_err(|error| self.explain(error, &what(), Author::Program))
    }

    /// The one number that a statement gives, which was made of a canned query and needs no other views and values.
    fn counted(&self, query: &CannedQuery, parameters: &Parameters, sql: String) -> Result<u64, QueryError> {
        let bound = Bound { sql, ..self.bound(query, parameters)? };
        let mut count = Count(0);
        stream(&self.engine, bound, Wanted::of(Rows::All), &self.interrupt, &mut count)?;
        Ok(count.0)
    }

    /// How many rows a canned query has, and of whom: the users with the most, at most `users_max` of them. A query whose
    /// rows have no `user_name` has rows alone.
    ///
    /// # Errors
    /// As for [`Session::run`].
    pub fn tally(&self, query: &CannedQuery, parameters: &Parameters, users_max: usize) -> Result<Tally, QueryError> {
        let Bound { sql, value } = self.bound(query, parameters)?;
        let sql = format!(
            "SELECT count(*) AS rows, user_name FROM (\n{sql}\n) GROUP BY user_name ORDER BY rows DESC, user_name NULLS LAST"
        );
        let mut tally = Tallying { tally: Tally::default(), users_max };
        match stream(&self.engine, Bound { sql, value }, Wanted::of(Rows::All), &self.interrupt, &mut tally) {
            Ok(_) => Ok(tally.tally),
            // Its rows are of nobody in particular; whatever else was wrong is so again.
            Err(QueryError::Engine { .. }) => Ok(Tally { rows: self.count(query, parameters)?, users: Vec::new() }),
            Err(error) => {
                Err(self.explain(error, &format!("count the rows of the query `{}`", query.name), Author::Program))
            }
        }
    }

    /// Runs a statement of the user that has passed the gate, and hands its rows to `sink`, in its own order.
    ///
    /// With a `limit` only the first rows are passed on, and the statement ends there: the summary counts
    /// more rows than were passed on when there are more, but not how many.
    ///
    /// # Errors
    /// When the statement does not fit the views, fails, or asks for more than the session sees; and as for
    /// [`Session::run`].
    pub fn sql(
        &self,
        statement: &Statement,
        limit: Option<usize>,
        sink: &mut dyn RowSink,
    ) -> Result<RunSummary, QueryError> {
        self.run_statement(statement, |bound| {
            let rows = limit.map_or(Rows::All, Rows::First);
            stream(&self.engine, bound, Wanted::of(rows), &self.interrupt, sink)
        })
    }

    /// What DuckDB is given of a canned query, whose views are there then.
    pub(crate) fn bound(&self, query: &CannedQuery, parameters: &Parameters) -> Result<Bound, QueryError> {
        parameters.check(query)?;
        self.selection.check_covers(query, parameters)?;
        let sql = statement::bound(query, parameters);
        self.provide(|provided| provided.for_statement(&sql))?;
        let (query, parameters) = (query.clone(), parameters.clone());
        Ok(Bound { sql, value: Box::new(move |name: &str| parameters.bound(&query, name)) })
    }

    /// Has `run` run a statement of the user, whose views are there then.
    pub(crate) fn run_statement<T>(
        &self,
        statement: &Statement,
        mut run: impl FnMut(Bound) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        self.selection.check_covers_all_of("the statement", statement.selection())?;
        if statement.needs_protection() && !self.protection.is_in_force() {
            let what = format!("a PIVOT without a list of columns is refused: {}", self.protection);
            let hint = "list them: `PIVOT requests ON verb IN ('get', 'list') USING count(*)`";
            return Err(QueryError::Statement(Problem::new(what).with_hint(hint)));
        }
        self.provide(|provided| match statement.needs_all_views() {
            true => provided.for_all(),
            false => provided.for_statement(statement.sql()),
        })?;
        let mut run = || {
            let bound = Bound { sql: statement.sql().to_owned(), value: Box::new(|_| duckdb::types::Value::Null) };
            run(bound).map_err(|error| self.explain(error, "run the statement", Author::User))
        };
        match run() {
            // Before it has rows: the name may be nearly that of a view that nothing has needed yet.
            Err(QueryError::Statement(problem)) if problem.to_string().contains("does not exist") => {
                self.provide(Provided::for_all)?;
                run()
            }
            done => done,
        }
    }

    /// The same for a canned query: what is wrong with a condition of the user's is told as they wrote it.
    pub(crate) fn explain_asked(&self, error: QueryError, query: &CannedQuery, parameters: &Parameters) -> QueryError {
        let action = format!("run the query `{}`", query.name);
        let Some(condition) = parameters.condition() else { return self.explain(error, &action, Author::Program) };
        match self.explain(error, &action, Author::User) {
            QueryError::Statement(problem) => QueryError::Statement(problem.in_condition(condition)),
            error => error,
        }
    }
}
