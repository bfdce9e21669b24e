//! Where an answer goes: standard output, or a file that appears when it is whole.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kforensic_lake::Case;
use kforensic_report::{CellText, Format, Layout, RowLayout};
use tempfile::NamedTempFile;

use crate::args::OutputArgs;
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::message;
use crate::pager::{Leaving, Pager};
use crate::terminal;

/// The format that is asked for: by its name, else by that of the output file.
///
/// # Errors
/// When the name asks for something that nobody can write here, when an option was given that makes no difference to the
/// format, or when Timesketch would refuse the file by its name.
pub(crate) fn format_of(args: &OutputArgs) -> Result<Format, CliError> {
    let extension = args.output.as_deref().and_then(extension_of);
    let told = extension.as_deref().and_then(Format::of_extension);
    let format = match (args.format, &args.output, &extension) {
        (Some(Format::Timesketch), ..) if told == Some(Format::Csv) => Format::TimesketchCsv,
        (Some(format), ..) => format,
        // A table in a file that is called a spreadsheet would be found out by whoever it was sent to.
        (None, Some(path), Some(extension)) if told.is_none() && !is_device(path) => {
            return Err(CliError::UnknownExtension { path: path.clone(), extension: extension.clone() });
        }
        (None, ..) => told.unwrap_or(Format::Table),
    };
    let wanted = match format {
        Format::Timesketch => "jsonl",
        Format::TimesketchCsv => "csv",
        _ => "",
    };
    if let Some(path) = args.output.as_ref().filter(|path| !wanted.is_empty() && !is_device(path))
        && extension.as_deref() != Some(wanted)
    {
        return Err(CliError::TimesketchName { path: path.clone(), extension: wanted });
    }
    let options = [
        ("--wide", args.wide, format.is_table(), "the table"),
        ("--vertical", args.vertical, format.is_table(), "the table"),
        ("--raw-cells", args.raw_cells, format.is_delimited(), "CSV and TSV"),
    ];
    match options.into_iter().find(|(_, is_given, fits, _)| *is_given && !fits) {
        Some((option, .., wanted)) => Err(CliError::NotForFormat { option, wanted, format }),
        None => Ok(format),
    }
}

/// The ending of a file's name, in lower case and without the dot.
pub(crate) fn extension_of(path: &Path) -> Option<String> {
    Some(path.extension()?.to_string_lossy().to_ascii_lowercase())
}

/// Says when a file is not what its name says: the format that is given counts, as with other programs, and whoever
/// gets the file will be surprised.
fn note_other_name(args: &OutputArgs) {
    let (Some(path), Some(format)) = (&args.output, args.format) else { return };
    let told = extension_of(path).and_then(|extension| Format::of_extension(&extension));
    let is_timesketch = matches!(format, Format::Timesketch | Format::TimesketchCsv);
    if let Some(told) = told.filter(|told| *told != format && !is_timesketch) {
        let name = path.display();
        message::note(&format!("`{name}` is written as {format}, as `--format` says, although its name says {told}"));
    }
}

/// Where an answer goes, and in which form.
pub(crate) struct Output {
    writer: Writer,
    /// Form of the answer.
    pub(crate) format: Format,
    /// Room on what it is written to.
    pub(crate) layout: Layout,
}

enum Writer {
    Stdout(BufWriter<io::StdoutLock<'static>>),
    /// A screen, which long answers are turned over on.
    Screen(Pager),
    File {
        file: BufWriter<NamedTempFile>,
        path: PathBuf,
        /// What has that name already is replaced.
        replaces: bool,
    },
    /// A pipe or a device, which must not be replaced by a file.
    Device(BufWriter<File>),
}

impl Output {
    /// Opens the output that is asked for; a file must neither lie in the case at `case` nor be one of its sources.
    pub(crate) fn open(args: &OutputArgs, case: &Path) -> Result<Self, CliError> {
        let format = format_of(args)?;
        note_other_name(args);
        let (writer, mut layout) = match &args.output {
            Some(path) => Writer::open(path, case, args.force)?,
            None => (Writer::Stdout(BufWriter::new(io::stdout().lock())), terminal::stdout_layout()),
        };
        if format.is_binary() && writer.is_terminal() {
            return Err(CliError::BinaryOnTerminal { format });
        }
        if args.wide {
            layout.width = None;
        }
        layout.rows = if args.vertical { RowLayout::Cards } else { RowLayout::Lines };
        if args.raw_cells {
            layout.cells = CellText::Raw;
        }
        Ok(Self { writer, format, layout })
    }

    /// Has somebody at a terminal turn the pages of a long answer.
    pub(crate) fn paged(self, interrupt: &Interrupt) -> Self {
        let writer = match self.writer {
            Writer::Stdout(_) if io::stdout().is_terminal() => Writer::Screen(Pager::new(Leaving::GoesOn, interrupt)),
            writer => writer,
        };
        Self { writer, ..self }
    }

    /// Opens a file for text of our own, or standard output; it must not lie in the case at `case`.
    pub(crate) fn open_text(path: Option<&Path>, case: &Path, replaces: bool) -> Result<Self, CliError> {
        match path {
            Some(path) => {
                let (writer, layout) = Writer::open(path, case, replaces)?;
                Ok(Self { writer, format: Format::Table, layout })
            }
            None => {
                let writer = Writer::Stdout(BufWriter::new(io::stdout().lock()));
                Ok(Self { writer, format: Format::Table, layout: terminal::stdout_layout() })
            }
        }
    }

    /// Ends the output: only now the file appears under its name. How long it waited for somebody to turn pages.
    pub(crate) fn finish(self) -> Result<Duration, CliError> {
        let ended = match self.writer {
            Writer::Stdout(mut out) => {
                out.flush().map_err(|source| CliError::Output { action: "write to", path: "-".into(), source })
            }
            Writer::Screen(pager) => {
                let failed = |source| CliError::Output { action: "write to", path: "-".into(), source };
                return pager.finish().map_err(failed);
            }
            Writer::Device(mut device) => {
                device.flush().map_err(|source| CliError::Output { action: "write", path: "-".into(), source })
            }
            Writer::File { file, path, replaces } => {
                let failed = |source: io::Error| match source.kind() {
                    io::ErrorKind::AlreadyExists => CliError::OutputExists { path: path.clone() },
                    _ => CliError::Output { action: "write", path: path.clone(), source },
                };
                let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
                // It was not there when the question was asked, but may be by now.
                let persisted = if replaces { file.persist(&path) } else { file.persist_noclobber(&path) };
                persisted.map(drop).map_err(|error| failed(error.error))
            }
        };
        ended.map(|()| Duration::ZERO)
    }
}

impl Writer {
    fn open(path: &Path, case: &Path, replaces: bool) -> Result<(Self, Layout), CliError> {
        let failed = |source| CliError::Output { action: "write", path: path.to_owned(), source };
        if is_device(path) {
            let device = File::options().write(true).open(path).map_err(failed)?;
            let layout = Layout { cells: terminal::cells(device.is_terminal()), ..Layout::default() };
            return Ok((Self::Device(BufWriter::new(device)), layout));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let folder = folder.canonicalize().map_err(failed)?;
        if case.canonicalize().is_ok_and(|case| folder.starts_with(case)) {
            return Err(CliError::OutputInCase { path: path.to_owned() });
        }
        if path.symlink_metadata().is_ok() {
            if !replaces {
                return Err(CliError::OutputExists { path: path.to_owned() });
            }
            refuse_source(path, case)?;
        }
        let file = BufWriter::new(NamedTempFile::new_in(&folder).map_err(failed)?);
        Ok((Self::File { file, path: path.to_owned(), replaces }, Layout::default()))
    }

    fn is_terminal(&self) -> bool {
        match self {
            Self::Stdout(_) | Self::Screen(_) => io::stdout().is_terminal(),
            Self::File { .. } => false,
            Self::Device(device) => device.get_ref().is_terminal(),
        }
    }
}

/// A file with all rows of a finding, which appears when it is whole.
pub(crate) struct DataFile {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl DataFile {
    /// Begins the file; its folder is there.
    pub(crate) fn create(path: &Path) -> Result<Self, CliError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let failed = |source| CliError::Output { action: "write", path: path.to_owned(), source };
        Ok(Self { file: BufWriter::new(NamedTempFile::new_in(folder).map_err(failed)?), path: path.to_owned() })
    }

    /// Writes some of it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        let failed = |source| CliError::Output { action: "write", path: self.path.clone(), source };
        self.file.write_all(bytes).map_err(failed)
    }

    /// Ends it: only now it appears under its name.
    pub(crate) fn finish(self) -> Result<(), CliError> {
        let failed = |source| CliError::Output { action: "write", path: self.path.clone(), source };
        let file = self.file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.persist_noclobber(&self.path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

/// Fails when the file at `path` is a source of the case at `case`, by its name or by what it holds.
fn refuse_source(path: &Path, case: &Path) -> Result<(), CliError> {
    // Where there is no case, there are no sources of it.
    let Ok(snapshot) = Case::open(case).and_then(|case| case.snapshot()) else { return Ok(()) };
    match kforensic_lake::source_at(&snapshot, path)? {
        Some(source) => Err(CliError::OutputIsSource { path: path.to_owned(), source_name: source.name.clone() }),
        None => Ok(()),
    }
}

/// Whether `path` is something else than a file, to be written to and not replaced.
fn is_device(path: &Path) -> bool {
    path.exists() && !path.is_file()
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Writer::Stdout(out) => out.write(bytes),
            Writer::Screen(pager) => pager.write(bytes),
            Writer::File { file, .. } => file.write(bytes),
            Writer::Device(device) => device.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Writer::Stdout(out) => out.flush(),
            Writer::Screen(pager) => pager.flush(),
            Writer::File { file, .. } => file.flush(),
            Writer::Device(device) => device.flush(),
        }
    }
}
