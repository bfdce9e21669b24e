//! What a session needs around itself: a case, and folders of its own for all that it may write.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Ran, ingest, kforensic, logs};
use crate::terminal::Terminal;

/// A case with folders of its own for all that a session may write.
pub(crate) struct House {
    folder: TempDir,
}

impl House {
    /// A house with the logs of a capture.
    pub(crate) fn with(logs: &[String]) -> Self {
        let house = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["here", "home", "tmp"] {
            fs::create_dir(house.path(name)).unwrap();
        }
        ingest(&house.path("case"), logs);
        house
    }

    pub(crate) fn hardened() -> Self {
        Self::with(&logs("sample-logs/hardened"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self) -> Command {
        // Not the command of other tests, whose standard input is taken away: a terminal takes its place.
        let mut command = Command::new(kforensic().get_program());
        command
            .env_remove("KFORENSIC_CASE")
            .arg("--case")
            .arg(self.path("case"))
            .arg("repl")
            .current_dir(self.path("here"));
        command
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("TERM", "xterm")
            .env("NO_COLOR", "1");
        for variable in
            ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "PAGER", "VISUAL", "EDITOR", "KFORENSIC_QUERIES", "LINES", "COLUMNS"]
        {
            command.env_remove(variable);
        }
        command
    }

    /// Runs a script.
    pub(crate) fn script(&self, arguments: &[&str], script: &str) -> Ran {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// Sits down at a terminal.
    pub(crate) fn terminal(&self) -> Terminal {
        Terminal::start(&self.command())
    }

    /// Paths and contents of all files below a folder.
    pub(crate) fn files(&self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = walkdir::WalkDir::new(self.path(name)).sort_by_file_name().into_iter().map(Result::unwrap);
        // What is remembered of checks is no trace of what was asked.
        let files =
            entries.filter(|entry| entry.file_type().is_file() && !entry.path().starts_with(self.path("home/.cache")));
        files.map(|entry| (entry.path().to_owned(), fs::read(entry.path()).unwrap())).collect()
    }

    /// The entries of all journals.
    pub(crate) fn journal(&self) -> Vec<Value> {
        let journals =
            self.files("home").into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "jsonl"));
        let text: String = journals.map(|(_, content)| String::from_utf8(content).unwrap()).collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
