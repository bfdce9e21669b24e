//! Failures of the machine: a full disk, a second writer. The old case stays, and the next run completes it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it skips")]

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{Bounded, finish, ingest, kforensic, logs, run};
use serde_json::Value;

/// Fills a small disk at `$1` with the help of `$2`: the log `$3` fits, the others do not, until it is made larger.
///
/// The disk exists for this shell alone, so everything happens in it. It prints the status of the case before, how
/// the ingest ended, the status then, and the status after the rerun.
const FILL_THE_DISK: &str = r#"
disk=$1 program=$2 small=$3
shift 3
mount -t tmpfs -o size=300k tmpfs "$disk" || exit 99
on_case() { "$program" --case "$disk/case" "$@"; }
status() { on_case status --format json | tr -d '\n'; echo; }
on_case ingest "$small" >&2 || exit 98
status
on_case ingest --keep-originals "$@" >&2
echo "$?"
status
on_case verify >&2 || exit 97
mount -o remount,size=64m "$disk"
on_case ingest --keep-originals "$@" >&2 || exit 96
on_case verify >&2 || exit 95
status
"#;

#[test]
fn a_disk_that_is_full_leaves_the_old_case_and_the_rerun_completes_it() {
    let folder = tempfile::tempdir().unwrap();
    let (small, large) = (logs("sample-logs/hardened")[4].clone(), &logs("sample-logs/hardened")[..4]);
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", FILL_THE_DISK, "sh"]).arg(folder.path()).arg(kforensic().get_program());
    let output = match command.arg(&small).args(large).env_remove("KFORENSIC_CASE").bounded_output() {
        Ok(output) => output,
        Err(error) => return println!("skipped: there is no `unshare` here: {error}"),
    };
    let stderr = String::from_utf8(output.stderr).unwrap();
    if output.status.code() == Some(99) || stderr.starts_with("unshare: ") {
        return println!("skipped: nothing can be mounted here: {stderr}");
    }
    assert!(output.status.success(), "{stderr}");
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [before, code, then, after] = lines.as_slice() else { panic!("{said}") };
    assert_eq!((code, before), (&3.into(), then), "{stderr}");
    assert!(stderr.contains("No space left on device"), "{stderr}");
    assert_eq!((&before["events"], &after["events"]), (&69.into(), &8_973.into()));
    assert_eq!((&after["rejects"], &after["originals"]["files"]), (&0.into(), &4.into()));
}

#[test]
fn a_second_writer_is_told_who_the_first_one_is_and_readers_need_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let logs = logs("sample-logs/hardened");
    ingest(&case, &logs[4..]);
    // It has the case locked for as long as its pipe is open.
    let mut first = kforensic();
    first.arg("--case").arg(&case).args(["ingest", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut first = first.stderr(Stdio::null()).start().unwrap();
    let mut pipe = first.stdin.take().unwrap();
    pipe.write_all(b"\n").unwrap();
    // It writes its name after it has the lock.
    let locked =
        || std::fs::read_to_string(case.join("LOCK")).is_ok_and(|holder| holder.contains(&first.id().to_string()));
    for _ in 0..6_000 {
        if locked() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(locked(), "the first writer never took the lock");
    let second = run(&case, &["ingest", &logs[0]]);
    assert_eq!((second.code, second.stdout.as_str()), (Some(2), ""));
    let holder = format!("error: another process is writing to the case: process {} since 20", first.id());
    assert!(second.stderr.starts_with(&holder), "{}", second.stderr);
    assert!(second.stderr.ends_with("hint: wait for it to end; queries need not wait\n"), "{}", second.stderr);
    assert_eq!(run(&case, &["query", "secret-reads"]).code, Some(0));
    assert_eq!(run(&case, &["verify"]).code, Some(0));
    drop(pipe);
    assert!(finish(first).status.success());
    assert_eq!(ingest(&case, &logs[..1])["events"], 1_947);
}
