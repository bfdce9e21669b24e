//! Where an answer goes: standard output, or a file that appears when it is whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use kforensic_report::{Format, Layout};
use tempfile::NamedTempFile;

use crate::error::CliError;
use crate::terminal;

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
    File {
        file: BufWriter<NamedTempFile>,
        path: PathBuf,
    },
    /// A pipe or a device, which must not be replaced by a file.
    Device(BufWriter<File>),
}

impl Output {
    /// Opens the output; a file must not lie in the case at `case`.
    pub(crate) fn open(path: Option<&PathBuf>, format: Option<Format>, case: &Path) -> Result<Self, CliError> {
        let Some(path) = path else {
            let writer = Writer::Stdout(BufWriter::new(io::stdout().lock()));
            return Ok(Self { writer, format: format.unwrap_or(Format::Table), layout: terminal::stdout_layout() });
        };
        let failed = |source| CliError::Output { action: "write", path: path.clone(), source };
        if path.exists() && !path.is_file() {
            let device = File::options().write(true).open(path).map_err(failed)?;
            let (format, layout) = (format.unwrap_or(Format::Table), Layout::default());
            return Ok(Self { writer: Writer::Device(BufWriter::new(device)), format, layout });
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let folder = folder.canonicalize().map_err(failed)?;
        if case.canonicalize().is_ok_and(|case| folder.starts_with(case)) {
            return Err(CliError::OutputInCase { path: path.clone() });
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        let told = extension.and_then(|extension| extension.parse().ok());
        Ok(Self {
            writer: Writer::File {
                file: BufWriter::new(NamedTempFile::new_in(&folder).map_err(failed)?),
                path: path.clone(),
            },
            format: format.or(told).unwrap_or(Format::Table),
            layout: Layout::default(),
        })
    }

    /// Ends the output: only now the file appears under its name.
    pub(crate) fn finish(self) -> Result<(), CliError> {
        match self.writer {
            Writer::Stdout(mut out) => {
                out.flush().map_err(|source| CliError::Output { action: "write to", path: "-".into(), source })
            }
            Writer::Device(mut device) => {
                device.flush().map_err(|source| CliError::Output { action: "write", path: "-".into(), source })
            }
            Writer::File { file, path } => {
                let failed = |source| CliError::Output { action: "write", path: path.clone(), source };
                let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
                file.persist(&path).map_err(|error| failed(error.error))?;
                Ok(())
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Writer::Stdout(out) => out.write(bytes),
            Writer::File { file, .. } => file.write(bytes),
            Writer::Device(device) => device.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Writer::Stdout(out) => out.flush(),
            Writer::File { file, .. } => file.flush(),
            Writer::Device(device) => device.flush(),
        }
    }
}
