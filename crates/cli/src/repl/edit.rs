//! The editor of the user, for statements that outgrow a line.

use std::fs;
use std::io::Write;
use std::process::Command;

use super::error::ReplError;

/// What is used when neither VISUAL nor EDITOR is set.
const DEFAULT: &str = "vi";

/// Gives `text` to the user's editor, in a file for the owner alone outside of case and current folder, and takes back
/// what it became.
///
/// # Errors
/// When the editor cannot be started or fails, or the file cannot be used.
pub(super) fn edit(text: &str) -> Result<String, ReplError> {
    let named = |name: &str| std::env::var(name).ok().filter(|program| !program.trim().is_empty());
    let program = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| DEFAULT.to_owned());
    let path = std::env::temp_dir();
    let failed = |action| move |source| ReplError::File { action, path, source };
    let file = tempfile::Builder::new().prefix("kforensic-").suffix(".sql").tempfile();
    let mut file = file.map_err(failed.clone()("make a file in"))?;
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(failed.clone()("write a file in"))?;
    // As git and psql do: the variable may hold arguments, so a shell reads it. The path is an argument, not a part of it.
    let ended = Command::new("sh").args(["-c", &format!("{program} \"$1\""), "sh"]).arg(file.path()).status();
    let problem = match ended {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("failed: {status}")),
        Err(error) => Some(format!("cannot be started: {error}")),
    };
    if let Some(problem) = problem {
        return Err(ReplError::Editor { program, problem });
    }
    fs::read_to_string(file.path()).map_err(failed("read back the file in"))
}
