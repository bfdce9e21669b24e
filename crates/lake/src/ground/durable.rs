//! Files and folders that survive a crash: made, moved and protected in the order that this takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::ground::error::LakeError;

/// Makes a folder that only its owner can enter: audit logs hold secrets.
pub(crate) fn create_dirs(dir: &Path) -> Result<(), LakeError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(LakeError::io("create", dir))
}

/// Makes a file that is not there yet and that only its owner may read; a link is not followed.
pub(crate) fn create_private(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes `temporary` appear as `target`, at once and whole, and never over another file.
pub(crate) fn put_if_absent(temporary: &Path, target: &Path) -> std::io::Result<()> {
    match fs::hard_link(temporary, target) {
        Ok(()) => fs::remove_file(temporary),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists || target.symlink_metadata().is_ok() => {
            Err(error)
        }
        // FAT and some network file systems have no hard links. The writer's lock keeps others out meanwhile.
        Err(_) => fs::rename(temporary, target),
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), LakeError> {
    let open = fs::File::open(dir).map_err(LakeError::io("open", dir))?;
    open.sync_all().map_err(LakeError::io("write", dir))
}

/// Files that are made durable at the same time. File systems with a journal write it once for all that wait for it.
const SYNCED_AT_ONCE: usize = 32;

/// Makes files, or the names in folders, durable; in any order.
pub(crate) fn sync_all(paths: &[PathBuf]) -> Result<(), LakeError> {
    let next = AtomicUsize::new(0);
    let sync = || {
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            sync_dir(path)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..SYNCED_AT_ONCE.min(paths.len())).map(|_| scope.spawn(sync)).collect();
        let gone = |_| Err(LakeError::Accounts { problem: "a file could not be made durable".to_owned() });
        others.into_iter().fold(sync(), |done, other| done.and(other.join().unwrap_or_else(gone)))
    })
}

/// Committed files are never rewritten: nobody gets the right to.
pub(crate) fn set_read_only(file: &fs::File, path: &Path) -> Result<(), LakeError> {
    let mut permissions = file.metadata().map_err(LakeError::io("read", path))?.permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o444);
    #[cfg(not(unix))]
    permissions.set_readonly(true);
    file.set_permissions(permissions).map_err(LakeError::io("protect", path))
}
