//! What a file tells of its answer besides the rows: which question, of which case, and how to ask again.

use std::path::Path;

use kforensic_lake::Snapshot;
use kforensic_query::{CannedQuery, Parameters, Window};
use kforensic_report::About;

use crate::answer;
use crate::checks;
use crate::command::{compact, query};
use crate::footnotes::Footnotes;
use crate::message;

/// What is known of any answer of a case, when it is what this command line asks for.
pub(crate) fn of_case(title: &str, case: &Path, snapshot: &Snapshot) -> About {
    let newest = snapshot.event_times().map(|(_, newest)| newest);
    About {
        title: title.to_owned(),
        case: Some(case.display().to_string()),
        fingerprint: Some(snapshot.fingerprint.clone()),
        newest: Some(answer::newest_event(newest).replacen("newest event ", "", 1)),
        command: Some(command()),
        notes: checks::reservation_of_all().map(str::to_owned).into_iter().collect(),
        ..About::default()
    }
}

/// The same of the answer of a canned query; its worth is added by [`with_worth`].
pub(crate) fn of_query(
    query: &CannedQuery,
    parameters: &Parameters,
    window: Window,
    case: &Path,
    snapshot: &Snapshot,
) -> About {
    About {
        question: Some(query.question.clone()),
        window: Some(query::window_text(window)),
        sql: Some(query.shown_sql(parameters)),
        ..of_case(&query.title, case, snapshot)
    }
}

/// Adds what an answer is worth, and what it leaves out.
pub(crate) fn with_worth(about: About, footnotes: &Footnotes, query: &CannedQuery) -> About {
    let noise = query.noise.split_whitespace().collect::<Vec<_>>().join(" ");
    let left_out = footnotes.words().into_iter().map(|words| format!("left out: {words}"));
    let notes = about
        .notes
        .iter()
        .cloned()
        .chain(left_out)
        .chain(footnotes.said())
        .chain([format!("noise: {noise}")])
        .collect();
    About { verdict: Some(footnotes.verdict()), is_reserved: footnotes.is_reserved(), notes, ..about }
}

/// The command line, as a shell takes it. The program's own path is nobody's business.
fn command() -> String {
    let words = compact::arguments().into_iter().skip(1).map(|word| message::quoted(&word));
    std::iter::once("kforensic".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
