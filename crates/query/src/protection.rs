//! What the kernel keeps a thread from doing, whatever DuckDB is made to try: Landlock, on Linux.
//!
//! Landlock binds the thread that asks for it and the threads that this one starts afterwards, for ever. So
//! the thread of a session can open nothing but the files of its case and its temporary folder, while the
//! rest of the program still writes answers where the user wants them.

use std::fmt;
use std::path::{Path, PathBuf};

/// What the kernel holds the thread of a session to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protection {
    /// Reading the files of the case and writing the temporary folder is all that can be done: no other
    /// file, no TCP connection.
    InForce {
        /// Version of the kernel's interface (4 is the first that knows about the network).
        abi: i32,
    },
    /// No other file can be reached, but the kernel is too old to keep the thread from the network, from
    /// cutting off files, or both.
    Partly {
        /// Version of the kernel's interface.
        abi: i32,
    },
    /// The kernel holds it to nothing; what is left is the gate and DuckDB's own configuration.
    Missing {
        /// Why.
        reason: String,
    },
}

/// The first version of Landlock that knows about TCP, and about cutting off files (3).
const COMPLETE_ABI: i32 = 4;

impl Protection {
    /// Whether the kernel keeps the thread from all files but those of the case.
    pub fn is_in_force(&self) -> bool {
        matches!(self, Self::InForce { .. } | Self::Partly { .. })
    }

    /// In force, or partly, by the version of the interface.
    #[cfg(target_os = "linux")]
    fn of_abi(abi: i32) -> Self {
        if abi >= COMPLETE_ABI { Self::InForce { abi } } else { Self::Partly { abi } }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InForce { abi } => write!(f, "Landlock in force (ABI {abi})"),
            Self::Partly { abi } => write!(f, "Landlock partly in force (ABI {abi}; TCP needs {COMPLETE_ABI})"),
            Self::Missing { reason } => write!(f, "Landlock not in force: {reason}"),
        }
    }
}

/// What a thread may still reach.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// Files that it may read.
    pub(crate) files: Vec<PathBuf>,
    /// A folder in which it may read, write, make and remove files; it must exist.
    pub(crate) folder: Option<PathBuf>,
}

impl Protection {
    /// What would hold a session: tried on a thread that ends with it.
    pub fn probe() -> Self {
        let reach = Reach { files: Vec::new(), folder: None };
        std::thread::spawn(move || restrict(&reach)).join().unwrap_or_else(|_| missing("it could not be tried"))
    }
}

/// Holds this thread, and those that it starts from now on, to `reach`. There is no way back.
#[cfg(target_os = "linux")]
pub(crate) fn restrict(reach: &Reach) -> Protection {
    use landlock::{LandlockStatus, RulesetStatus};
    match linux::restrict(reach) {
        Ok(status) => match (status.ruleset, status.landlock) {
            (
                RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced,
                LandlockStatus::Available { effective_abi, kernel_abi },
            ) => Protection::of_abi(kernel_abi.unwrap_or(effective_abi as i32)),
            (_, LandlockStatus::NotEnabled) => missing("it is switched off in this kernel"),
            (_, LandlockStatus::NotImplemented) => missing("this kernel does not have it (Linux 5.13 does)"),
            (status, _) => missing(&format!("the kernel reports {status:?}")),
        },
        Err(error) => missing(&error.to_string()),
    }
}

/// Landlock is Linux's; elsewhere nothing is restricted.
#[cfg(not(target_os = "linux"))]
pub(crate) fn restrict(_: &Reach) -> Protection {
    missing("it exists on Linux only")
}

fn missing(reason: &str) -> Protection {
    Protection::Missing { reason: reason.to_owned() }
}

#[cfg(target_os = "linux")]
mod linux {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr,
        RulesetCreatedAttr, RulesetError, Scope,
    };

    use super::{Path, Reach};

    /// The newest version that was tried here; of an older kernel's, what it has is asked for.
    const NEWEST: ABI = ABI::V7;

    pub(super) fn restrict(reach: &Reach) -> Result<RestrictionStatus, RulesetError> {
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?;
        for file in &reach.files {
            if let Some(file) = open(file) {
                rules = rules.add_rule(PathBeneath::new(file, AccessFs::ReadFile))?;
            }
        }
        if let Some(folder) = reach.folder.as_deref().and_then(open) {
            let access = AccessFs::from_all(NEWEST)
                & !(AccessFs::Execute
                    | AccessFs::MakeChar
                    | AccessFs::MakeBlock
                    | AccessFs::MakeSock
                    | AccessFs::MakeSym);
            rules = rules.add_rule(PathBeneath::new(folder, access))?;
        }
        rules.restrict_self()
    }

    /// What is not there, or cannot be opened, needs no permission.
    fn open(path: impl AsRef<Path>) -> Option<PathFd> {
        PathFd::new(path).ok()
    }
}

#[cfg(test)]
mod tests;
