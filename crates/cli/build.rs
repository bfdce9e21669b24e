//! Tells the program what it is built from and for: the commit, and the target.
//!
//! The commit is `KFORENSIC_COMMIT`, as a packager sets it, or else what `.git` says: read as files, since git itself
//! need not be there. Without either the program says that it does not know. The same commit gives the same bytes.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const COMMIT: &str = "KFORENSIC_COMMIT";

fn main() -> io::Result<()> {
    let target = env::var("TARGET").map_err(io::Error::other)?;
    println!("cargo::rustc-env=KFORENSIC_TARGET={target}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={COMMIT}");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    let given = env::var(COMMIT).ok().filter(|commit| !commit.is_empty());
    if let Some(from) = given.or_else(|| checked_out(&root).map(|commit| format!("{commit}, or a change of it"))) {
        println!("cargo::rustc-env=KFORENSIC_BUILT_FROM={from}");
    }
    Ok(())
}

/// The commit that is checked out at `root`, whose changes have this script run again.
///
/// Whether files were changed since cannot be told without git.
fn checked_out(root: &Path) -> Option<String> {
    let dot_git = root.join(".git");
    // In a linked worktree, `.git` is a file that names the folder.
    let folder = match fs::read_to_string(&dot_git) {
        Ok(text) => root.join(text.strip_prefix("gitdir:")?.trim()),
        Err(_) => dot_git,
    };
    let head = read(&folder.join("HEAD"))?;
    let Some(name) = head.strip_prefix("ref:").map(str::trim) else { return is_commit(&head).then_some(head) };
    // Branches are the same for all worktrees.
    let common =
        fs::read_to_string(folder.join("commondir")).map_or_else(|_| folder.clone(), |at| folder.join(at.trim()));
    if let Some(commit) = read(&common.join(name)) {
        return is_commit(&commit).then_some(commit);
    }
    // A packed branch becomes a file with its next commit, which the reflog sees.
    watch(&folder.join("logs/HEAD"));
    let packed = read(&common.join("packed-refs"))?;
    let line = packed.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix(' '))?;
    is_commit(line).then(|| line.to_owned())
}

/// What stands in a file; this script runs again when it changes.
fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    watch(path);
    Some(text.trim().to_owned())
}

/// Has this script run again when the file changes. Naming one that is not there would have it run every time.
fn watch(path: &Path) {
    if path.is_file() {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// Whether this is the hash of a commit: what else stands in `.git` goes into no program.
fn is_commit(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
