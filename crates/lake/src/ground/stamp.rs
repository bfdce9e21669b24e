//! What changes with a file, so that what was found in it once need not be looked for again.
//!
//! Place on the disk, length, and the times of the last change of its content and of its entry. The last one (ctime) is set by
//! the kernel, and nobody but root can set it back.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// What changes with a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    /// In bytes.
    pub(crate) size: u64,
    /// Seconds and nanoseconds since 1970.
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Two changes of a file within this time can have the same stamp: kernels count it in ticks of up to 10 ms.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// The same where times have whole seconds only; FAT counts in twos.
const COARSE_TICK: Duration = Duration::from_secs(3);

impl Stamp {
    #[cfg(unix)]
    pub(crate) fn of(found: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }

    /// Where a file has no such times nothing is remembered.
    #[cfg(not(unix))]
    pub(crate) fn of(found: &fs::Metadata) -> Self {
        Self { device: 0, inode: 0, size: found.len(), modified: (0, 0), changed: (i64::MAX, 0) }
    }

    /// Whether a later change would give another stamp, when the file is read from `now` on.
    pub(crate) fn is_settled(&self, now: SystemTime) -> bool {
        let tick = if self.changed.1 == 0 && self.modified.1 == 0 { COARSE_TICK } else { TICK };
        let (Ok(seconds), Ok(nanos)) = (u64::try_from(self.changed.0), u32::try_from(self.changed.1)) else {
            return false;
        };
        let settled =
            UNIX_EPOCH.checked_add(Duration::new(seconds, nanos)).and_then(|changed| changed.checked_add(tick));
        settled.is_some_and(|settled| settled < now)
    }
}
