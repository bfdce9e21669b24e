//! Snapshots of RBAC: kept in the case by `ingest --snapshot`, and read for every question about rights.

use std::fs;
use std::path::{Path, PathBuf};

use kforensic_event::time;
use kforensic_lake::{Case, NewDated, Snapshot, keep_dated, read_dated};
use kforensic_query::window;
use kforensic_trace::rbac;

use crate::command::compact;
use crate::error::CliError;
use crate::message;

/// Keeps files in the case; `taken` is when they were taken, else each is as old as its file.
pub(crate) fn keep(case: &Path, files: &[PathBuf], taken: Option<&str>) -> Result<(), CliError> {
    if files.is_empty() {
        return Ok(());
    }
    let now = chrono::Utc::now();
    let taken = taken.map(|text| window::parse(text, now.timestamp_micros())).transpose()?;
    let mut new = Vec::new();
    for path in files {
        let failed = |source| CliError::Input { path: path.clone(), source };
        let bytes = fs::read(path).map_err(failed)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let taken = match taken {
            Some(taken) => taken,
            None => {
                let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).map_err(failed)?;
                let micros = chrono::DateTime::<chrono::Utc>::from(modified).timestamp_micros();
                message::note(&format!(
                    "`{}` counts as taken at {}, when it was written",
                    path.display(),
                    time::render(micros)
                ));
                micros
            }
        };
        let wrong = |source| CliError::Snapshot { path: path.clone(), source };
        let read = rbac::Snapshot::read(&name, taken, &bytes).map_err(wrong)?;
        message::plain(&format!("{}: {} objects of {}", path.display(), read.len(), time::render(taken)));
        new.push(NewDated { name, taken: time::render(taken), bytes });
    }
    let writer = compact::writer(case, now)?;
    let (kept, fingerprint) = keep_dated(&writer, &new, compact::arguments(), now.timestamp_millis())?;
    match kept.len() {
        0 => message::plain("nothing new: the case has these snapshots"),
        kept => message::plain(&format!("kept {kept} in `{}`, fingerprint {fingerprint}", case.display())),
    }
    Ok(())
}

/// The snapshots of a case.
pub(crate) fn read(case: &Case, snapshot: &Snapshot) -> Result<Vec<rbac::Snapshot>, CliError> {
    let mut all = Vec::new();
    for file in snapshot.dated() {
        let bytes = read_dated(case.root(), file)?;
        let path = case.root().join(&file.path);
        let taken = time::parse(&file.taken).unwrap_or_default();
        let wrong = |source| CliError::Snapshot { path, source };
        all.push(rbac::Snapshot::read(&file.name, taken, &bytes).map_err(wrong)?);
    }
    Ok(all)
}
