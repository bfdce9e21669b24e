//! Whether a file is changed while it is read, as far as that can be told from outside.
//!
//! A log may grow: what was read is its beginning. Anything else is said in the account of the source,
//! because its hash is then that of the bytes that were read, and perhaps of no file that ever was.
//! What was read is kept all the same: somebody may be destroying it at that moment.

use std::fs::{File, Metadata};
use std::path::Path;

use crate::ground::error::LakeError;

/// A file that is being read.
pub(crate) struct Watch {
    file: File,
    before: Metadata,
}

impl Watch {
    /// Begins to watch the file that was opened at `path`.
    pub(crate) fn begin(file: &File, path: &Path) -> Result<Self, LakeError> {
        let failed = LakeError::io("open", path);
        // The same open file, so that it is watched even when another one takes its name.
        let file = file.try_clone().map_err(failed)?;
        let before = file.metadata().map_err(LakeError::io("read", path))?;
        Ok(Self { file, before })
    }

    /// What happened to the file until all of it, `read` bytes, had been read; `None` when it may only have grown.
    pub(crate) fn end(self, read: u64) -> Option<String> {
        let after = match self.file.metadata() {
            Ok(after) => after,
            Err(error) => return Some(format!("cannot be looked at again: {error}")),
        };
        if after.len() < read {
            return Some(format!("{read} bytes were read, but only {} are left", after.len()));
        }
        let touched = || self.before.modified().ok() != after.modified().ok();
        (after.len() == self.before.len() && touched())
            .then(|| format!("its {read} bytes were written to without growing"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// What a watch says of a file of 10 bytes to which something is done.
    fn seen(change: impl FnOnce(&File)) -> Option<String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"0123456789").unwrap();
        let watch = Watch::begin(&File::open(file.path()).unwrap(), file.path()).unwrap();
        change(file.as_file());
        watch.end(10)
    }

    #[test]
    fn shrinking_and_overwriting_are_seen_and_growing_is_no_change() {
        assert_eq!(seen(|_| ()), None);
        assert_eq!(seen(|mut file| file.write_all(b"more").unwrap()), None);
        assert_eq!(seen(|file| file.set_len(4).unwrap()).unwrap(), "10 bytes were read, but only 4 are left");
        let later = SystemTime::now() + Duration::from_secs(5);
        let overwritten = seen(|file| file.set_modified(later).unwrap());
        assert_eq!(overwritten.unwrap(), "its 10 bytes were written to without growing");
    }
}
