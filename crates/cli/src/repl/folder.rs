//! Folders of the user: where history and journals lie, and where queries of their own do.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::error::ReplError;

/// What the folder of this program is called in those of the user.
const NAME: &str = "kforensic";

/// A folder that only its owner may enter, made when it was not there.
#[derive(Debug, Clone)]
pub(super) struct StateFolder {
    path: PathBuf,
}

impl StateFolder {
    /// `$XDG_STATE_HOME/kforensic`, else `~/.local/state/kforensic`; never in the case at `case`.
    ///
    /// # Errors
    /// When no folder is named, it lies in the case, or it cannot be made.
    pub(super) fn open(case: &Path) -> Result<Self, ReplError> {
        let path = user_folder("STATE", ".local/state").ok_or(ReplError::NoHome { variable: "STATE" })?;
        // What it will lie in is there already, or is made; either tells whether that is the case.
        let nearest = path.ancestors().find(|folder| folder.exists()).and_then(|folder| folder.canonicalize().ok());
        if nearest.zip(case.canonicalize().ok()).is_some_and(|(nearest, case)| nearest.starts_with(case)) {
            return Err(ReplError::StateInCase { path });
        }
        make(&path).map_err(|source| ReplError::File { action: "make the folder", path: path.clone(), source })?;
        Ok(Self { path })
    }

    /// A file in it that only its owner may read, made when it was not there.
    ///
    /// # Errors
    /// When it cannot be made or written to.
    pub(super) fn file(&self, name: &str) -> Result<(PathBuf, File), ReplError> {
        let path = self.path.join(name);
        let opened = private_file(&path);
        let file = opened.map_err(|source| ReplError::File { action: "write", path: path.clone(), source })?;
        Ok((path, file))
    }
}

/// The folder with the user's own queries: `$XDG_CONFIG_HOME/kforensic/queries`, else in `~/.config`.
pub(super) fn queries() -> Option<PathBuf> {
    Some(user_folder("CONFIG", ".config")?.join("queries"))
}

/// Makes a folder, and those that it lies in, for the owner alone.
///
/// # Errors
/// When it cannot be made.
pub(super) fn make(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)?;
    restrict(path, 0o700)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    restrict(path, 0o600)?;
    Ok(file)
}

/// What was there before with more rights loses them.
#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(path: &Path, _: u32) -> io::Result<()> {
    fs::metadata(path).map(drop)
}

/// A folder for this program by the rules of XDG, where a path that is not absolute does not count.
pub(crate) fn user_folder(variable: &str, otherwise: &str) -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = named(&format!("XDG_{variable}_HOME")).or_else(|| Some(named("HOME")?.join(otherwise)))?;
    Some(base.join(NAME))
}
