//! How answers look, and where they go.

use std::path::{Path, PathBuf};

use kforensic_report::{CellText, Format, Layout, RowLayout};

use super::commands::VERTICAL;
use super::error::ReplError;
use crate::args::OutputArgs;
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::output::{self, Output};
use crate::pager::{Leaving, Pager};
use crate::terminal;

/// The width that tables are fitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// That of the screen; elsewhere none.
    Auto,
    /// A row stays on a line.
    Full,
    Columns(usize),
}

/// How answers look.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) format: Format,
    rows: RowLayout,
    width: Width,
    /// CSV and TSV: texts as they are, also where a spreadsheet would run them.
    has_raw_cells: bool,
    pub(super) is_timed: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { format: Format::Table, rows: RowLayout::Lines, width: Width::Auto, has_raw_cells: false, is_timed: true }
    }
}

impl Look {
    /// Reads `.mode`.
    pub(super) fn set_mode(&mut self, mode: &str) -> Result<(), ReplError> {
        let names = || {
            let names: Vec<String> = Format::ALL.iter().map(|format| format!("`{format}`")).collect();
            format!("{}, `{VERTICAL}`", names.join(", "))
        };
        (self.format, self.rows) = match mode.parse() {
            Ok(format) => (format, RowLayout::Lines),
            Err(_) if mode == VERTICAL => (Format::Table, RowLayout::Cards),
            Err(_) => return Err(ReplError::NotOneOf { given: mode.to_owned(), expected: names() }),
        };
        Ok(())
    }

    /// Reads `.width`.
    pub(super) fn set_width(&mut self, width: &str) -> Result<(), ReplError> {
        let expected = || "`auto`, `full`, and the numbers from 20 on".to_owned();
        self.width = match (width, width.parse::<usize>()) {
            ("auto", _) => Width::Auto,
            ("full", _) => Width::Full,
            (_, Ok(columns)) if columns >= 20 => Width::Columns(columns),
            _ => return Err(ReplError::NotOneOf { given: width.to_owned(), expected: expected() }),
        };
        Ok(())
    }

    /// The same with what the options of one answer ask for.
    pub(super) fn with(&self, args: &OutputArgs) -> Self {
        let mut look = self.clone();
        if let Some(format) = args.format {
            (look.format, look.rows) = (format, RowLayout::Lines);
        }
        if args.wide {
            look.width = Width::Full;
        }
        if args.vertical {
            look.rows = RowLayout::Cards;
        }
        look.has_raw_cells |= args.raw_cells;
        look
    }

    /// The mode and the width in words.
    pub(super) fn mode(&self) -> String {
        if self.rows == RowLayout::Cards { VERTICAL.to_owned() } else { self.format.to_string() }
    }

    pub(super) fn width(&self) -> String {
        match self.width {
            Width::Auto => "auto".to_owned(),
            Width::Full => "full".to_owned(),
            Width::Columns(columns) => columns.to_string(),
        }
    }

    /// The same for lists of ours, which wrap: nothing of them is cut.
    pub(super) fn wrapping(&self) -> Self {
        let rows = if self.rows == RowLayout::Lines { RowLayout::Fitted } else { self.rows };
        Self { rows, ..self.clone() }
    }

    /// The same for an output whose layout is `layout`.
    fn lay_out(&self, layout: &mut Layout) {
        layout.rows = self.rows;
        if self.has_raw_cells {
            layout.cells = CellText::Raw;
        }
        match self.width {
            Width::Auto => (),
            Width::Full => layout.width = None,
            Width::Columns(columns) => layout.width = Some(columns),
        }
    }

    /// The screen, with this look.
    pub(super) fn screen(&self, interrupt: &Interrupt) -> (Pager, Layout) {
        let mut layout = terminal::stdout_layout();
        self.lay_out(&mut layout);
        (Pager::new(Leaving::Ends, interrupt), layout)
    }

    /// A file for answers, outside of the case at `case`. Its form is the one that is asked for, else the one that its
    /// name tells; a name without an ending gets that of the screen.
    ///
    /// # Errors
    /// When it cannot be made, is there already without `force`, or lies in the case.
    pub(super) fn file(
        &self,
        path: &Path,
        asked: Option<Format>,
        force: bool,
        case: &Path,
    ) -> Result<Output, CliError> {
        let args = OutputArgs {
            format: asked.or(if output::extension_of(path).is_none() { Some(self.format) } else { None }),
            output: Some(path.to_owned()),
            force,
            wide: false,
            vertical: false,
            raw_cells: false,
        };
        let mut output = Output::open(&args, case)?;
        self.lay_out(&mut output.layout);
        Ok(output)
    }
}

/// Where answers go.
pub(super) enum Target {
    Screen,
    /// The next one to a file, then to the screen again.
    Once {
        path: PathBuf,
        format: Option<Format>,
        /// A file that is there already is replaced.
        force: bool,
    },
    /// All to a file, until further notice.
    File {
        output: Box<Output>,
        has_answer: bool,
    },
}

impl Target {
    /// Ends what was written to, so that a file appears under its name.
    pub(super) fn finish(&mut self) -> Result<(), CliError> {
        match std::mem::replace(self, Self::Screen) {
            Self::File { output, .. } => output.finish().map(drop),
            Self::Screen | Self::Once { .. } => Ok(()),
        }
    }
}
