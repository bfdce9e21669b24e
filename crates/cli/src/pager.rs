//! Answers longer than the screen, a screenful at a time: in `$PAGER`, else in `less`, else in a pager that is built in and
//! goes back and searches as well.

use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::interrupt::{Interrupt, Manner};

/// Text that the pager that is built in keeps: what somebody may read, and no answer of a million rows.
const OWN_BYTES_MAX: usize = 64 << 20;

/// The id of the hook of the pager that is built in which ends the program.
const DEFAULT_HOOK: u64 = 1;

/// What happens to an answer when the reader leaves the pager before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// The rest is asked for, and not shown: its accounts stand below the answer.
    GoesOn,
    /// It ends, as a broken pipe: the rows are kept elsewhere.
    Ends,
}

/// The screen that an answer is shown on.
pub(crate) struct Pager {
    /// Lines that fit on the screen, with one left for the prompt.
    lines_max: usize,
    stage: Stage,
    /// Program to page with.
    program: Option<String>,
    leaving: Leaving,
    interrupt: Interrupt,
    /// How long somebody has turned pages: no time of the answer's.
    waited: Duration,
}

enum Stage {
    /// It may still fit on the screen.
    Waiting { text: Vec<u8>, lines: usize },
    /// In the program.
    Program(Child),
    /// For the pager that is built in, with the lines that it has no room for.
    Own { text: Vec<u8>, left_out: usize },
    /// All at once from here on.
    Through,
    /// The reader has seen enough.
    Left,
}

impl Pager {
    /// A pager for the screen that standard output is; where that is no terminal, or nobody can turn pages, everything goes
    /// through at once.
    pub(crate) fn new(leaving: Leaving, interrupt: &Interrupt) -> Self {
        let stdout = io::stdout();
        let lines = terminal_size::terminal_size_of(&stdout).map_or(0, |(_, height)| usize::from(height.0));
        let is_watched = stdout.is_terminal() && io::stdin().is_terminal();
        let stage = match lines {
            _ if !is_watched => Stage::Through,
            0 => Stage::Through,
            _ => Stage::Waiting { text: Vec::new(), lines: 0 },
        };
        let lines_max = lines.saturating_sub(1).max(1);
        Self { lines_max, stage, program: program(), leaving, interrupt: interrupt.clone(), waited: Duration::ZERO }
    }

    /// Shows what is left, and waits until the reader is done; how long the reader took, in all.
    ///
    /// # Errors
    /// When the screen cannot be written to.
    pub(crate) fn finish(mut self) -> io::Result<Duration> {
        let start = Instant::now();
        match std::mem::replace(&mut self.stage, Stage::Left) {
            Stage::Waiting { text, .. } => {
                let mut out = io::stdout().lock();
                out.write_all(&text)?;
                out.flush()?;
                return Ok(self.waited);
            }
            Stage::Program(child) => wait(child)?,
            Stage::Own { text, left_out } => turn_pages(&text, left_out)?,
            Stage::Through | Stage::Left => io::stdout().flush()?,
        }
        Ok(self.waited + start.elapsed())
    }

    /// The answer is longer than the screen.
    fn begin_paging(&mut self, text: &[u8]) -> io::Result<()> {
        let started = self.program.as_ref().and_then(|program| {
            let mut command = Command::new("sh");
            command.args(["-c", program]).stdin(Stdio::piped());
            if std::env::var_os("LESS").is_none() {
                // Colours are shown, lines are not wrapped, all else stays as it is, and what fits is left on the screen.
                command.env("LESS", "FRXS");
            }
            command.spawn().ok()
        });
        self.stage = match started {
            Some(child) => {
                // What a program on the screen does with Ctrl-C is its own business.
                self.interrupt.heed(Manner::Ignores);
                Stage::Program(child)
            }
            None => Stage::Own { text: Vec::new(), left_out: 0 },
        };
        self.pass(text)
    }

    fn pass(&mut self, text: &[u8]) -> io::Result<()> {
        let start = Instant::now();
        let passed = match &mut self.stage {
            Stage::Program(child) => {
                let passed = child.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(text));
                self.waited += start.elapsed();
                passed
            }
            Stage::Own { text: kept, left_out } => {
                if kept.len() + text.len() <= OWN_BYTES_MAX && *left_out == 0 {
                    kept.extend_from_slice(text);
                } else {
                    *left_out += text.iter().filter(|byte| **byte == b'\n').count();
                }
                Ok(())
            }
            Stage::Through => io::stdout().lock().write_all(text),
            Stage::Left => Ok(()),
            Stage::Waiting { .. } => Ok(()),
        };
        match passed {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && self.leaving == Leaving::GoesOn => {
                if let Stage::Program(child) = std::mem::replace(&mut self.stage, Stage::Left) {
                    wait(child)?;
                }
                Ok(())
            }
            passed => passed,
        }
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        // An error ended the answer: the program still has the terminal, and what it shows is the reader's to leave.
        if let Stage::Program(child) = std::mem::replace(&mut self.stage, Stage::Left) {
            let _ = wait(child);
        }
        self.interrupt.heed(Manner::Ends);
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Stage::Waiting { text, lines } = &mut self.stage {
            text.extend_from_slice(bytes);
            *lines += bytes.iter().filter(|byte| **byte == b'\n').count();
            if *lines > self.lines_max {
                let text = std::mem::take(text);
                self.begin_paging(&text)?;
            }
            return Ok(bytes.len());
        }
        self.pass(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The program that turns pages: `$PAGER`, else `less` where it is installed.
fn program() -> Option<String> {
    let named = std::env::var("PAGER").ok().filter(|program| !program.trim().is_empty());
    let is_there = |name: &str| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join(name).is_file()).map(|_| name.to_owned())
    };
    named.or_else(|| is_there("less"))
}

fn wait(mut child: Child) -> io::Result<()> {
    drop(child.stdin.take());
    child.wait().map(drop)
}

/// Has the pager that is built in show `text`.
fn turn_pages(text: &[u8], left_out: usize) -> io::Result<()> {
    let failed = |error: minus::MinusError| io::Error::other(error.to_string());
    let pager = minus::Pager::new();
    let mut text = String::from_utf8_lossy(text).into_owned();
    if left_out > 0 {
        text.push_str(&format!("… {left_out} more lines: `-o FILE` writes all of them\n"));
    }
    pager.set_text(text).map_err(failed)?;
    pager.set_prompt("Space: on; b: back; /: search; q: leave").map_err(failed)?;
    // Its first hook would end the program, whose accounts of the answer are still to come.
    pager.remove_hook(minus::hooks::Hook::PostPagerExit, DEFAULT_HOOK).map_err(failed)?;
    minus::page_all(pager).map_err(failed)
}
