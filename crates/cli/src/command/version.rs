//! `kforensic --version`: which build this is.

use kforensic_lake::FORMAT_VERSION;
use kforensic_query::library;

use crate::command::Outcome;
use crate::error::CliError;
use crate::message;

/// Prints the version; `verbose`, all that tells one build from another.
pub(crate) fn run(verbose: bool) -> Result<Outcome, CliError> {
    message::print(concat!("kforensic ", env!("CARGO_PKG_VERSION"), "\n"))?;
    if verbose {
        message::print(&details()?)?;
    }
    Ok(Outcome::Done)
}

/// One fact a line. DuckDB is asked: what is linked may be another one than what was compiled against.
fn details() -> Result<String, CliError> {
    let commit = option_env!("KFORENSIC_BUILT_FROM").unwrap_or("not known");
    let (origin, features) = match library::IS_BUNDLED {
        true => ("compiled in", "bundled"),
        false => ("the system's", "none"),
    };
    let facts = [
        ("commit", commit.to_owned()),
        ("DuckDB", format!("{}, {origin}", library::version()?)),
        ("case format", FORMAT_VERSION.to_string()),
        ("features", features.to_owned()),
        ("target", env!("KFORENSIC_TARGET").to_owned()),
    ];
    Ok(facts.iter().map(|(name, fact)| format!("{:13}{fact}\n", format!("{name}:"))).collect())
}
