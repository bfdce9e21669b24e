//! Who may read and write the files of a case, and a case that nobody can write to.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it skips")]

mod common;

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Bounded, Ran, ingest, kforensic, logs, run};

/// A user without rights, for tests that run as root, whom no mode of a file stops.
const NOBODY: u32 = 65_534;

/// Mode of everything below a folder, with the folder itself.
fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    entries.map(|entry| (entry.path().to_owned(), entry.metadata().unwrap().permissions().mode() & 0o7777)).collect()
}

#[test]
fn only_the_owner_enters_the_case_and_nobody_rewrites_it_whatever_the_umask() {
    let log = &logs("sample-logs/hardened")[4];
    for umask in ["000", "022", "077", "027"] {
        let folder = tempfile::tempdir().unwrap();
        let case = folder.path().join("new/case");
        let binary = kforensic().get_program().to_owned();
        let script = format!("umask {umask}; exec \"$@\"");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, "sh"]).arg(binary).arg("--case").arg(&case);
        assert!(shell.args(["ingest", "--keep-originals", log]).bounded_output().unwrap().status.success());
        let mut files = 0;
        for (path, mode) in modes(&folder.path().join("new")) {
            let expected = match () {
                () if path.is_dir() => 0o700,
                () if path.ends_with("LOCK") || path.ends_with("redaction.key") => 0o600,
                () => 0o444,
            };
            files += usize::from(expected == 0o444);
            assert_eq!(mode, expected, "{} under umask {umask}", path.display());
        }
        // Commit, data files, a kept original.
        assert!(files > 3, "{files}");
    }
}

/// Runs the commands that only read, on a case that cannot be written to, and an ingest, which must refuse.
fn check_read_only(case: &Path, log: &Path, run: &dyn Fn(&[&str]) -> Ran) {
    let status = run(&["status", "--format", "json"]).json();
    assert_eq!(status["events"], 69);
    assert_eq!(run(&["query", "secret-reads"]).code, Some(0));
    assert_eq!(run(&["verify"]).code, Some(0));
    let rows = run(&["query", "failed-auth", "--format", "json"]);
    assert!(rows.json().is_array(), "{rows:?}");
    let first = std::fs::read_to_string(log).unwrap();
    let event: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    let id = event["auditID"].as_str().unwrap();
    assert_eq!(run(&["show", id, "--stage", event["stage"].as_str().unwrap(), "--raw"]).json(), event);
    let refused = run(&["ingest", log.to_str().unwrap()]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{refused:?}");
    let message = format!("error: the case `{}` cannot be written: ", case.display());
    assert!(
        refused.stderr.starts_with(&message) && refused.stderr.contains("\n\nhint: copy the case to"),
        "{refused:?}"
    );
    assert_eq!(run(&["status", "--format", "json"]).json(), status);
}

#[test]
fn a_case_without_the_right_to_write_is_read_and_ingest_names_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (case, log) = (at("case"), at("audit.log"));
    std::fs::copy(&logs("sample-logs/hardened")[4], &log).unwrap();
    ingest(&case, &[log.to_str().unwrap().to_owned()]);
    // Where the user without rights can reach it.
    let binary = at("kforensic");
    std::fs::copy(kforensic().get_program(), &binary).unwrap();
    let is_root = folder.path().metadata().unwrap().uid() == 0;
    for (path, mode) in modes(&case).into_iter().chain([(log.clone(), 0), (folder.path().to_owned(), 0o700)]) {
        if is_root {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        if mode > 0 {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode & !0o222)).unwrap();
        }
    }
    let as_user = |case: &Path, arguments: &[&str]| -> Ran {
        let mut command = Command::new(&binary);
        command.env_remove("KFORENSIC_CASE").arg("--case").arg(case).args(arguments);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.bounded_output().unwrap().into()
    };
    check_read_only(&case, &log, &|arguments| as_user(&case, arguments));
    // Neither can a new case be made in such a folder.
    let new = at("new-case");
    let refused = as_user(&new, &["ingest", log.to_str().unwrap()]);
    let message = format!("error: the case `{}` cannot be written: Permission denied (os error 13)\n", new.display());
    assert!(refused.code == Some(2) && refused.stderr.starts_with(&message), "{refused:?}");
    // What may not be looked into is not missing.
    std::fs::set_permissions(&case, std::fs::Permissions::from_mode(0o0)).unwrap();
    let refused = as_user(&case, &["status"]);
    let message = format!("error: the case `{}` cannot be read: Permission denied (os error 13)\n", case.display());
    assert!(refused.code == Some(2) && refused.stderr.starts_with(&message), "{refused:?}");
    std::fs::set_permissions(&case, std::fs::Permissions::from_mode(0o500)).unwrap();
    for (path, mode) in modes(&case).into_iter().chain([(folder.path().to_owned(), 0o500)]) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode | 0o200)).unwrap();
    }
}

#[test]
fn a_case_on_a_read_only_medium_is_read_and_ingest_names_the_folder() {
    /// Mounts the folder `$1` on itself, without the right to write, for the rest of the command line alone.
    const READ_ONLY: &str = "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\" && shift && exec \"$@\"";
    let folder = tempfile::tempdir().unwrap();
    let (case, log) = (folder.path().join("case"), logs("sample-logs/hardened")[4].clone());
    ingest(&case, std::slice::from_ref(&log));
    let read_only = |program: &std::ffi::OsStr, arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", READ_ONLY, "sh"]).arg(&case).arg(program).args(arguments);
        command.env_remove("KFORENSIC_CASE").bounded_output()
    };
    match read_only("true".as_ref(), &[]) {
        Ok(output) if output.status.success() => (),
        other => return println!("skipped: nothing can be mounted here: {other:?}"),
    }
    let binary = kforensic().get_program().to_owned();
    let path = case.to_str().unwrap();
    check_read_only(&case, log.as_ref(), &|arguments| {
        read_only(&binary, &[&["--case", path], arguments].concat()).unwrap().into()
    });
    // Nothing was written on the way: the next ingest finds the case as it was.
    assert_eq!(run(&case, &["verify"]).code, Some(0));
    assert_eq!(ingest(&case, &[log])["records"], 0);
}
