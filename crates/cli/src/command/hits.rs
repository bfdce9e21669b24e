//! `kforensic query --hits`: the catalogue with what each query has in the case.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use kforensic_lake::Case;
use kforensic_query::Catalogue;
use kforensic_query::coverage::Finding;

use crate::args::QueryArgs;
use crate::command::query::{ingest_first, values, window_text};
use crate::command::{Outcome, case_folder, catalogue};
use crate::error::CliError;
use crate::findings::{self, Hits};
use crate::interrupt::Interrupt;
use crate::message;
use crate::output::Output;

/// Users that are named for a query; the others are counted.
const USERS_MAX: usize = 3;

/// Lists the queries with the rows that each has, those without any folded into a line.
pub(crate) fn list(
    case: Option<&PathBuf>,
    all: &Catalogue,
    args: &QueryArgs,
    interrupt: &Interrupt,
) -> Result<Outcome, CliError> {
    let (temporary, ingested) = ingest_first(case, &args.from, &args.reading, interrupt)?;
    let folder = temporary.as_ref().map_or_else(|| case_folder(case), |folder| folder.path().join("case"));
    let snapshot = Case::open(&folder)?.snapshot()?;
    let clock = chrono::Utc::now().timestamp_micros();
    let newest = snapshot.event_times().map(|(_, newest)| newest);
    let (window, _) = args.filter.window(clock, newest)?;
    let mut queries = match args.search.as_deref() {
        Some(words) => all.about(words),
        None => all.iter().collect(),
    };
    // What is the account of one needs to be told of whom.
    queries.retain(|query| query.value.is_none());
    if let (Some(words), true) = (&args.search, queries.is_empty()) {
        return Err(CliError::NoQueryAbout { word: words.clone() });
    }
    let mut output = Output::open(&args.output, &folder)?.paged(interrupt);
    let asked = queries.into_iter().map(|query| Ok((query, values(query, &[], args, clock, newest)?.0)));
    let asked = asked.collect::<Result<Vec<_>, CliError>>()?;
    let hits = findings::hits(&snapshot, &asked, USERS_MAX, interrupt)?;
    let (found, empty): (Vec<&Hits>, Vec<&Hits>) = hits.iter().partition(|hits| hits.tally.rows > 0);
    let numbers: Int64Array = found.iter().map(|hits| i64::try_from(hits.tally.rows).ok()).collect();
    let texts = |of: fn(&Hits) -> String| -> ArrayRef {
        let texts = found.iter().map(|hits| Some(of(hits)).filter(|text| !text.is_empty()));
        Arc::new(texts.collect::<StringArray>())
    };
    let columns = [
        ("about", texts(|hits| hits.query.group.name().to_owned())),
        ("query", texts(|hits| hits.query.name.clone())),
        ("severity", texts(|hits| hits.query.severity.name().to_owned())),
        ("rows", Arc::new(numbers) as ArrayRef),
        ("most_of", texts(whose)),
        ("title", texts(|hits| hits.query.title.clone())),
    ];
    catalogue::write_columns(columns, "What each query has", &mut output)?;
    output.finish()?;
    let is_blind = |hits: &&&Hits| matches!(hits.verdict, Finding::NotObservable | Finding::Untold);
    let names = |hits: Vec<&&Hits>| hits.iter().map(|hits| hits.query.name.as_str()).collect::<Vec<_>>().join(", ");
    let (blind, none): (Vec<&&Hits>, Vec<&&Hits>) = empty.iter().partition(is_blind);
    message::plain(&format!("{} of {} queries have rows; {}", found.len(), hits.len(), window_text(window)));
    if !none.is_empty() {
        message::note(&format!("nothing from {}: {}", none.len(), names(none)));
    }
    if !blind.is_empty() {
        message::warning(&format!("this log cannot answer {}: {}", blind.len(), names(blind)));
    }
    let of_one = all.iter().filter(|query| query.value.is_some()).map(|query| query.name.as_str());
    message::note(&format!("about one of your choice: {}", of_one.collect::<Vec<_>>().join(", ")));
    Ok(ingested)
}

/// Whose rows they are: the users with the most.
fn whose(hits: &Hits) -> String {
    let users = hits.tally.users.iter().map(|(user, rows)| format!("{user} {rows}"));
    users.collect::<Vec<_>>().join(", ")
}
