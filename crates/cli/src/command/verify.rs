//! `kforensic verify`

use std::path::{Path, PathBuf};

use kforensic_lake::{Audited, Case, Snapshot, Verification};
use serde_json::json;

use crate::answer;
use crate::args::VerifyArgs;
use crate::command::report::sign;
use crate::command::{Outcome, case_folder, table_of_texts};
use crate::error::CliError;
use crate::message;
use crate::output::Output;

/// Checks the case, and its sources when they are given.
pub(crate) fn run(case: Option<&PathBuf>, args: &VerifyArgs) -> Result<Outcome, CliError> {
    let case = Case::open(&case_folder(case))?;
    let snapshot = case.snapshot()?;
    let found = kforensic_lake::verify(&case)?;
    let audited = match args.sources.is_empty() {
        true => None,
        false => Some(kforensic_lake::audit(&snapshot, &args.sources)?),
    };
    if let Some(path) = &args.manifest {
        write_manifest(path, &case, &snapshot, args.force)?;
    }
    let audit_passed = audited.as_ref().is_none_or(|audited| audited.iter().all(|source| source.fate.passes()));
    let report = match (&args.report, &args.key) {
        (Some(report), Some(key)) => Some(signed(report, key, &snapshot)?),
        _ => None,
    };
    let passed = found.problems.is_empty() && audit_passed && report.as_ref().is_none_or(|(passed, _)| *passed);
    match args.format.as_str() {
        "json" => {
            let report = report.map(|(passed, words)| json!({"passed": passed, "words": words}));
            message::print_json(&json!({"passed": passed, "case": found, "sources": audited, "report": report}))?;
        }
        _ => {
            print(&found, audited.as_deref())?;
            match report {
                Some((true, words)) => message::plain(&words),
                Some((false, words)) => message::warning(&words),
                None => (),
            }
        }
    }
    Ok(if passed { Outcome::Done } else { Outcome::EvidenceDiffers })
}

/// Whether the signature of a report is right and the report is about this case as it is or was, and what that means.
fn signed(report: &Path, key: &Path, snapshot: &Snapshot) -> Result<(bool, String), CliError> {
    let name = report.display();
    let Some(fingerprint) = sign::check(report, key)? else {
        return Ok((false, format!("`{name}` is not what was signed, or was signed with another key")));
    };
    let earlier = snapshot.operations.iter().enumerate().skip(1);
    let earlier = earlier.map(|(commit, operation)| (commit - 1, operation.previous_sha256.as_deref()));
    let mut all = earlier.chain([(snapshot.operations.len() - 1, Some(snapshot.fingerprint.as_str()))]);
    let commit = all.rfind(|(_, known)| *known == Some(&fingerprint)).map(|(commit, _)| commit);
    Ok(match commit {
        Some(commit) => (true, format!("`{name}` is as it was signed, and is about commit {commit} of this case")),
        None => (false, format!("`{name}` is as it was signed, but is about another case: fingerprint {fingerprint}")),
    })
}

fn write_manifest(path: &Path, case: &Case, snapshot: &Snapshot, replaces: bool) -> Result<(), CliError> {
    let mut output = Output::open_text(Some(path), case.root(), replaces)?;
    let manifest =
        kforensic_lake::manifest(snapshot).map_err(|name| CliError::ManifestName { name: name.to_owned() })?;
    let written = std::io::Write::write_all(&mut output, manifest.as_bytes());
    written.map_err(|source| CliError::Output { action: "write", path: path.to_owned(), source })?;
    output.finish().map(drop)
}

/// Files of a writer that are told one by one.
const MAX_LEFT_TOLD: usize = 10;

/// Says which files a writer left, or is about to commit: they are no part of the case, and no sign of tampering.
fn tell_left(found: &Verification) {
    let left = &found.crash_left;
    if left.is_empty() {
        return;
    }
    let files = answer::count_of(left.len() as u64, "file");
    if found.is_written_to {
        message::note(&format!("a writer is at work, with {files} that are not committed yet"));
        return;
    }
    let told: Vec<String> = left.iter().take(MAX_LEFT_TOLD).map(|name| format!("`{name}`")).collect();
    let more = if left.len() > told.len() { ", …" } else { "" };
    message::warning(&format!(
        "a crash left {files} in the case that no commit names: {}{more}; they are no part of it, and the next ingest, \
         compact or prune deletes them",
        told.join(", ")
    ));
}

fn print(found: &Verification, audited: Option<&[Audited]>) -> Result<(), CliError> {
    if !found.problems.is_empty() {
        let names = found.problems.iter().map(|problem| Some(problem.name.clone())).collect();
        let problems = found.problems.iter().map(|problem| Some(problem.problem.clone())).collect();
        table_of_texts(vec![("name", names), ("problem", problems)])?;
    }
    if let Some(audited) = audited {
        let texts = |of: fn(&Audited) -> Option<String>| audited.iter().map(of).collect();
        table_of_texts(vec![
            ("source", texts(|source| Some(source.name.clone()))),
            ("fate", texts(|source| Some(source.fate.name().to_owned()))),
            ("found_as", texts(|source| source.found_as.clone())),
            ("sha256", texts(|source| Some(source.sha256.clone()))),
        ])?;
        let failing = audited.iter().filter(|source| !source.fate.passes()).count();
        match failing {
            0 => message::plain(&format!("all {} sources are there and unchanged, and no others", audited.len())),
            _ => message::warning(&format!(
                "the audit fails: {failing} of {} sources and files do not fit",
                audited.len()
            )),
        }
    }
    let Verification { commits, files, bytes, rows, .. } = found;
    message::plain(&format!(
        "as written: {files} data files with {rows} rows and {bytes} bytes, in {commits} commit(s)"
    ));
    if found.originals > 0 {
        message::plain(&format!("kept originals: {} whole, and the sources come out of them", found.originals));
    }
    if found.pruned_events + found.pruned_rejects > 0 {
        message::plain(&format!(
            "pruned before, as the ledger says: {} events and {} rejects",
            found.pruned_events, found.pruned_rejects
        ));
    }
    if let Some(newest) = &found.newest_note_sha256 {
        message::plain(&format!("{} note(s) in one chain, the newest with SHA-256 {newest}", found.notes));
    }
    message::plain(&format!("fingerprint {}", found.fingerprint));
    tell_left(found);
    match found.problems.len() {
        0 => (),
        1 => message::warning("1 thing in the case is not what its ledger says"),
        many => message::warning(&format!("{many} things in the case are not what its ledger says")),
    }
    Ok(())
}
