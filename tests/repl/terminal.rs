//! A session at a terminal, as a person sees it.

use std::io::{ErrorKind, Write};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use expectrl::session::OsSession;

use crate::common::when_sized;

/// What the editor sends when it begins to read a line: the terminal shall mark what is pasted.
pub(crate) const READS: &str = "\x1b[?2004h";

/// Longest that anything may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal in which a session runs. Nothing waits for longer than [`PATIENCE`].
pub(crate) struct Terminal {
    session: OsSession,
    /// All that was shown.
    pub(crate) shown: String,
    /// What was looked at already.
    read: usize,
    raw: Vec<u8>,
}

impl Terminal {
    pub(crate) fn start(command: &Command) -> Self {
        let mut session = OsSession::spawn(when_sized(command, (120, 40))).unwrap();
        session.get_process_mut().set_window_size(120, 40).unwrap();
        let mut terminal = Self { session, shown: String::new(), read: 0, raw: Vec::new() };
        terminal.until(READS);
        terminal.until("kforensic> ");
        terminal
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.session.get_stream_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Types a line and waits for what follows; gives what was shown up to there.
    pub(crate) fn line(&mut self, line: &str, wanted: &str) -> String {
        self.type_in(&format!("{line}\r"));
        self.until(wanted)
    }

    /// Types a line, waits for what follows and for the next prompt; gives what was shown in between.
    pub(crate) fn ask(&mut self, line: &str, wanted: &str) -> String {
        let shown = self.line(line, wanted);
        self.until(READS);
        shown
    }

    /// Drops the line with Ctrl-C.
    pub(crate) fn drop_line(&mut self) {
        self.type_in("\x03");
        self.until(READS);
    }

    /// Takes what is shown now.
    pub(crate) fn look(&mut self) {
        let mut bytes = [0; 4096];
        loop {
            match self.session.try_read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => self.raw.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Linux says so when the program at the other end is gone.
                Err(_) => break,
            }
        }
        self.shown = String::from_utf8_lossy(&self.raw).into_owned();
    }

    /// Waits until `wanted` is shown behind what was looked at before.
    pub(crate) fn until(&mut self, wanted: &str) -> String {
        match self.within(PATIENCE, wanted) {
            Some(shown) => shown,
            None => panic!("`{wanted}` was not shown: {}", self.shown[self.read..].escape_debug()),
        }
    }

    pub(crate) fn within(&mut self, patience: Duration, wanted: &str) -> Option<String> {
        let deadline = Instant::now() + patience;
        loop {
            self.look();
            if let Some(at) = self.shown[self.read..].find(wanted) {
                let end = self.read + at + wanted.len();
                let shown = self.shown[self.read..end].to_owned();
                self.read = end;
                return Some(shown);
            }
            if Instant::now() > deadline {
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses Tab until `wanted` is there: values are read in the background.
    pub(crate) fn complete(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.type_in("\t");
            if let Some(shown) = self.within(Duration::from_millis(300), wanted) {
                return shown;
            }
        }
        panic!("`{wanted}` was not completed: {}", self.shown[self.read..].escape_debug());
    }

    /// Leaves with Ctrl-D, and waits until the program has ended.
    pub(crate) fn leave(self) -> String {
        self.leave_by("\x04")
    }

    /// Leaves with what is typed, and waits until the program has ended.
    pub(crate) fn leave_by(mut self, typed: &str) -> String {
        self.type_in(typed);
        let deadline = Instant::now() + PATIENCE;
        while self.session.get_process().is_alive().unwrap_or(false) {
            assert!(Instant::now() < deadline, "{typed:?} does not leave: {}", self.shown.escape_debug());
            self.look();
            thread::sleep(Duration::from_millis(20));
        }
        self.look();
        self.shown
    }
}
