//! Running the binary, and what it prints.

#![allow(dead_code, reason = "every test binary uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..").join(path).canonicalize().unwrap()
}

/// The binary under test, in an environment without surprises.
pub(crate) fn kforensic() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kforensic"));
    command.env_remove("KFORENSIC_CASE").env_remove("NO_COLOR").stdin(Stdio::null());
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// The command as it begins once its terminal has these columns and lines: the size of one is set when something runs on it,
/// and who starts faster takes the default for it.
pub(crate) fn when_sized(command: &Command, (columns, lines): (u16, u16)) -> Command {
    // With the usual tools, whatever is to be found later.
    let wait = format!(
        "path=$PATH; PATH=/usr/bin:/bin; until [ \"$(stty size)\" = '{lines} {columns}' ]; do sleep 0.01; done; \
         PATH=$path; exec \"$@\""
    );
    let mut waiting = Command::new("/bin/sh");
    waiting.args(["-c", &wait, "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => waiting.env(name, value),
            None => waiting.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        waiting.current_dir(folder);
    }
    waiting
}

/// Longer than any run takes, even on a machine that is busy with other things. What takes longer hangs.
const LIMIT: Duration = Duration::from_secs(300);

/// A command that is not waited for without an end.
pub(crate) trait Bounded {
    /// As `spawn`, in a process group of its own, so that [`finish`] can end all of it.
    fn start(&mut self) -> std::io::Result<Child>;

    /// As `output`; what takes longer than [`LIMIT`] is killed, together with what it started.
    fn bounded_output(&mut self) -> std::io::Result<Output>;
}

impl Bounded for Command {
    fn start(&mut self) -> std::io::Result<Child> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(self, 0);
        self.spawn()
    }

    fn bounded_output(&mut self) -> std::io::Result<Output> {
        let command = self.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(bounded(command.start()?, Child::wait_with_output))
    }
}

/// What is left to be said by a child that was made with [`Bounded::start`].
pub(crate) fn finish(child: Child) -> Output {
    bounded(child, Child::wait_with_output)
}

/// Does something with a child, which is killed when that takes too long.
fn bounded(child: Child, wait: impl FnOnce(Child) -> std::io::Result<Output>) -> Output {
    let (group, (done, waiting)) = (format!("-{}", child.id()), mpsc::channel::<()>());
    let guard = std::thread::spawn(move || {
        let hangs = waiting.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout);
        if hangs {
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        }
        hangs
    });
    let output = wait(child).unwrap();
    drop(done);
    assert!(!guard.join().unwrap(), "killed after {LIMIT:?}: {output:?}");
    output
}

/// What a run printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard output as JSON lines.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs the binary on a case.
pub(crate) fn run(case: &Path, arguments: &[&str]) -> Ran {
    kforensic().arg("--case").arg(case).args(arguments).bounded_output().unwrap().into()
}

/// The same with standard input.
pub(crate) fn run_with_input(case: &Path, arguments: &[&str], input: &[u8]) -> Ran {
    let mut command = kforensic();
    command.arg("--case").arg(case).args(arguments).stdin(Stdio::piped());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).start().unwrap();
    let give = |mut child: Child| {
        child.stdin.take().unwrap().write_all(input)?;
        child.wait_with_output()
    };
    bounded(child, give).into()
}

/// The rotated files of a capture, as arguments.
pub(crate) fn logs(folder: &str) -> Vec<String> {
    let mut logs: Vec<String> = std::fs::read_dir(repository(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().contains(".log"))
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    logs.sort();
    logs
}

/// Ingests logs and returns the accounts.
pub(crate) fn ingest(case: &Path, logs: &[String]) -> Value {
    let mut arguments = vec!["ingest", "--format", "json"];
    arguments.extend(logs.iter().map(String::as_str));
    let ran = run(case, &arguments);
    let accounts = ran.json();
    let rejected = accounts["rejected"].as_u64().unwrap();
    assert_eq!(ran.code, Some(i32::from(rejected > 0)), "{ran:?}");
    accounts
}

/// Runs a canned query and returns its rows.
pub(crate) fn query(case: &Path, arguments: &[&str]) -> Vec<Value> {
    let ran = run(case, &[&["query"], arguments, &["--format", "jsonl"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.lines()
}

/// The expected rows that the oracle wrote.
pub(crate) fn expected(folder: &str, question: &str) -> Vec<Value> {
    let path = repository(&format!("tests/expected/{folder}/{question}.jsonl"));
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The content of the logs of a capture, cut at line ends into as many files.
pub(crate) fn pieces(folder: &Path, capture: &str, count: usize) -> Vec<String> {
    let mut text = Vec::new();
    for log in logs(capture) {
        let file = std::fs::File::open(&log).unwrap();
        let mut content: Box<dyn Read> = match log.ends_with(".gz") {
            true => Box::new(flate2::read::MultiGzDecoder::new(file)),
            false => Box::new(file),
        };
        content.read_to_end(&mut text).unwrap();
    }
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let pieces = lines.chunks(lines.len().div_ceil(count)).enumerate().map(|(number, lines)| {
        let path = folder.join(format!("piece-{number:02}.log"));
        std::fs::write(&path, lines.concat()).unwrap();
        path.to_str().unwrap().to_owned()
    });
    pieces.collect()
}
