//! `kforensic query --hits`: the catalogue with what each query has in the case.

use std::path::PathBuf;

use kforensic_lake::Case;
use kforensic_query::coverage::Finding;
use kforensic_query::{CannedQuery, Catalogue, Window, window};

use crate::args::QueryArgs;
use crate::command::query::{ingest_first, window_text};
use crate::command::{case_folder, table_of_texts};
use crate::error::CliError;
use crate::findings::{self, Hits, Inquiry};
use crate::interrupt::Interrupt;
use crate::message;

/// Users that are named for a query; the others are counted.
const USERS_MAX: usize = 3;

/// Lists the queries with the rows that each has, those without any folded into a line.
pub(crate) fn list(
    case: Option<&PathBuf>,
    catalogue: &Catalogue,
    args: &QueryArgs,
    interrupt: &Interrupt,
) -> Result<(), CliError> {
    let (temporary, _) = ingest_first(case, &args.from, &args.reading, interrupt)?;
    let folder = temporary.as_ref().map_or_else(|| case_folder(case), |folder| folder.path().join("case"));
    let snapshot = Case::open(&folder)?.snapshot()?;
    let clock = chrono::Utc::now().timestamp_micros();
    let newest = snapshot.event_times().map(|(_, newest)| newest);
    let filter = &args.filter;
    let now = filter.now.as_deref().map_or(Ok(clock), |now| window::parse_now(now, clock, newest))?;
    let window = Window::parse(filter.since.as_deref(), filter.until.as_deref(), now, newest)?;
    let labels = filter.given().filter(|(name, _)| !["since", "until"].contains(name));
    let labels = labels.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    let inquiry = Inquiry { window, now, labels, is_watched: true, ..Inquiry::default() };
    let word = args.search.as_deref();
    // What is the account of one needs to be told of whom.
    let asked = |query: &&CannedQuery| query.value.is_none() && word.is_none_or(|word| query.is_about(word));
    let queries: Vec<&CannedQuery> = catalogue.iter().filter(asked).collect();
    if let (Some(word), true) = (word, queries.is_empty()) {
        return Err(CliError::NoQueryAbout { word: word.to_owned() });
    }
    let hits = findings::hits(&snapshot, &queries, &inquiry, USERS_MAX, interrupt)?;
    let (found, empty): (Vec<&Hits>, Vec<&Hits>) = hits.iter().partition(|hits| hits.tally.rows > 0);
    let texts =
        |of: fn(&Hits) -> String| found.iter().map(|hits| Some(of(hits)).filter(|text| !text.is_empty())).collect();
    table_of_texts(vec![
        ("about", texts(|hits| hits.query.group.name().to_owned())),
        ("query", texts(|hits| hits.query.name.clone())),
        ("severity", texts(|hits| hits.query.severity.name().to_owned())),
        ("rows", texts(|hits| hits.tally.rows.to_string())),
        ("most of", texts(whose)),
        ("title", texts(|hits| hits.query.title.clone())),
    ])?;
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
    let of_one = catalogue.iter().filter(|query| query.value.is_some()).map(|query| query.name.as_str());
    message::note(&format!("about one of your choice: {}", of_one.collect::<Vec<_>>().join(", ")));
    Ok(())
}

/// Whose rows they are: the users with the most.
fn whose(hits: &Hits) -> String {
    let users = hits.tally.users.iter().map(|(user, rows)| format!("{user} {rows}"));
    users.collect::<Vec<_>>().join(", ")
}
