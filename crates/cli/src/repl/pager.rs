//! Answers longer than the screen, a screenful at a time: in `$PAGER`, else in a simple pager of our own.
//!
//! The answer is kept as `last` anyway, so leaving the pager early loses nothing.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Cmd, Config, Editor, KeyCode, KeyEvent, Modifiers};

/// The screen that an answer is shown on.
pub(super) struct Pager {
    /// Lines that fit on the screen, with one left for the prompt.
    lines_max: usize,
    stage: Stage,
    /// Program to page with.
    program: Option<String>,
}

enum Stage {
    /// It may still fit on the screen.
    Waiting { text: Vec<u8>, lines: usize },
    /// In the program.
    Program(Child),
    /// In our own pager, with the lines on the screen.
    Own { lines: usize },
    /// All at once from here on.
    Through,
    /// The user has seen enough.
    Left,
}

impl Pager {
    /// A pager for a screen with so many lines; 0 lines never page.
    pub(super) fn new(screen_lines: usize, program: Option<String>) -> Self {
        let stage = match screen_lines {
            0 => Stage::Through,
            _ => Stage::Waiting { text: Vec::new(), lines: 0 },
        };
        Self { lines_max: screen_lines.saturating_sub(1).max(1), stage, program }
    }

    /// Whether long answers go to a program.
    pub(super) fn has_program(&self) -> bool {
        self.program.is_some()
    }

    /// Shows what is left, and waits until the user is done.
    ///
    /// # Errors
    /// When the screen cannot be written to.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.stage {
            Stage::Waiting { text, .. } => {
                let mut out = io::stdout().lock();
                out.write_all(&text)?;
                out.flush()
            }
            Stage::Program(mut child) => {
                drop(child.stdin.take());
                child.wait().map(drop)
            }
            Stage::Own { .. } | Stage::Through | Stage::Left => io::stdout().flush(),
        }
    }

    /// The answer is longer than the screen.
    fn begin_paging(&mut self, text: &[u8]) -> io::Result<()> {
        let started = self.program.as_ref().and_then(|program| {
            let mut command = Command::new("sh");
            command.args(["-c", program]).stdin(Stdio::piped());
            if std::env::var_os("LESS").is_none() {
                // Colours are shown, all else stays as it is; and what fits is left on the screen.
                command.env("LESS", "FRX");
            }
            command.spawn().ok()
        });
        self.stage = match started {
            Some(child) => Stage::Program(child),
            None => Stage::Own { lines: 0 },
        };
        self.pass(text)
    }

    fn pass(&mut self, text: &[u8]) -> io::Result<()> {
        match &mut self.stage {
            Stage::Program(child) => match &mut child.stdin {
                Some(stdin) => stdin.write_all(text),
                None => Ok(()),
            },
            Stage::Own { .. } => self.pass_by_lines(text),
            Stage::Through => io::stdout().lock().write_all(text),
            Stage::Left => Err(io::ErrorKind::BrokenPipe.into()),
            Stage::Waiting { .. } => Ok(()),
        }
    }

    fn pass_by_lines(&mut self, text: &[u8]) -> io::Result<()> {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if let Stage::Own { lines } = &mut self.stage {
                if *lines >= self.lines_max {
                    *lines = 0;
                    match ask()? {
                        Wish::More => (),
                        Wish::All => self.stage = Stage::Through,
                        Wish::Enough => {
                            self.stage = Stage::Left;
                            return Err(io::ErrorKind::BrokenPipe.into());
                        }
                    }
                }
                if let Stage::Own { lines } = &mut self.stage {
                    *lines += 1;
                }
            }
            io::stdout().lock().write_all(line)?;
        }
        Ok(())
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

/// What the user wants to see.
enum Wish {
    More,
    All,
    Enough,
}

/// Asks below a full screen, and takes the question away again.
fn ask() -> io::Result<Wish> {
    const QUESTION: &str = "-- more: Space; all: a; enough: q --";
    io::stdout().flush()?;
    let broken = |error: ReadlineError| io::Error::other(error.to_string());
    let mut keys: Editor<(), MemHistory> =
        Editor::with_history(Config::default(), MemHistory::new()).map_err(broken)?;
    for (key, command) in [
        (KeyCode::Char(' '), Cmd::AcceptLine),
        (KeyCode::PageDown, Cmd::AcceptLine),
        (KeyCode::Down, Cmd::AcceptLine),
        (KeyCode::Char('a'), Cmd::EndOfFile),
        (KeyCode::Char('q'), Cmd::Interrupt),
        (KeyCode::Esc, Cmd::Interrupt),
    ] {
        keys.bind_sequence(KeyEvent(key, Modifiers::NONE), command);
    }
    let wish = match keys.readline(QUESTION) {
        Ok(_) => Wish::More,
        Err(ReadlineError::Eof) => Wish::All,
        Err(ReadlineError::Interrupted) => Wish::Enough,
        Err(error) => return Err(broken(error)),
    };
    io::stdout().lock().write_all(b"\x1b[1A\x1b[2K")?;
    Ok(wish)
}
