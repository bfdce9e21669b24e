//! `kforensic tag`

use std::path::{Path, PathBuf};

use chrono::Utc;
use kforensic_lake::{Case, Said, Snapshot};

use crate::answer;
use crate::args::TagArgs;
use crate::command::report::tags;
use crate::command::{Outcome, case_folder, compact, show, table_of_texts};
use crate::error::CliError;
use crate::message;

/// Puts a word on events, or lists what was put on them.
pub(crate) fn run(case: Option<&PathBuf>, args: &TagArgs) -> Result<Outcome, CliError> {
    let folder = case_folder(case);
    match &args.tag {
        None => list(&folder, &args.audit_ids).map(|()| Outcome::Done),
        Some(_) if args.audit_ids.is_empty() => Err(CliError::NothingToTag),
        Some(tag) => {
            let author = args.author.clone().or_else(|| std::env::var("USER").ok().filter(|name| !name.is_empty()));
            let said = write(&folder, &args.audit_ids, tag, args.note.as_deref(), author)?;
            message::plain(&said);
            Ok(Outcome::Done)
        }
    }
}

/// Writes a note; says in words what was done.
///
/// # Errors
/// When the case has no event with one of the ids, its notes have been altered, or it cannot be written to.
pub(crate) fn write(
    folder: &Path,
    audit_ids: &[String],
    tag: &str,
    note: Option<&str>,
    author: Option<String>,
) -> Result<String, CliError> {
    // Looked for first, because opening a writer makes a case where there is none.
    let snapshot = Case::open(folder)?.snapshot()?;
    let audit_ids = show::whole_ids(&snapshot, audit_ids)?;
    let now = Utc::now();
    let writer = compact::writer(folder, now)?;
    let said = Said::Tag { audit_ids: audit_ids.clone(), tag: tag.to_owned(), note: note.map(str::to_owned), author };
    let written = writer.note(said, now.timestamp_millis())?;
    let events = answer::count_of(audit_ids.len() as u64, "event");
    Ok(format!("note {} in `{}`: {tag} on {events}", written.number, folder.display()))
}

/// What is wrong with the notes of a case.
pub(crate) fn problem(snapshot: &Snapshot) -> Option<String> {
    let problem = snapshot.notes.problem.as_ref()?;
    Some(format!(
        "the notes of the case end where they have been altered, and the last of them may be altered too: the file {problem}"
    ))
}

fn list(folder: &Path, audit_ids: &[String]) -> Result<(), CliError> {
    let snapshot = Case::open(folder)?.snapshot()?;
    problem(&snapshot).iter().for_each(|problem| message::warning(problem));
    let mut all = tags(&snapshot);
    all.retain(|tag| audit_ids.is_empty() || audit_ids.iter().any(|id| tag.audit_id.starts_with(id)));
    table_of_texts(vec![
        ("audit_id", all.iter().map(|tag| Some(tag.audit_id.clone())).collect()),
        ("tag", all.iter().map(|tag| Some(tag.tag.clone())).collect()),
        ("note", all.iter().map(|tag| tag.note.clone()).collect()),
        ("author", all.iter().map(|tag| tag.author.clone()).collect()),
        ("tagged_at", all.iter().map(|tag| Some(message::time(&tag.at))).collect()),
    ])
}
