//! `kforensic completions` and `kforensic man`: both are made from the command line's own table.

use std::path::Path;

use clap::CommandFactory;

use crate::args::{CommandLine, CompletionsArgs, ManArgs};
use crate::command::Outcome;
use crate::completion;
use crate::error::CliError;
use crate::message;

/// Prints the completions of a shell.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<Outcome, CliError> {
    message::print_bytes(&completion::registration(args.shell)?)?;
    Ok(Outcome::Done)
}

/// Prints the manual page, or writes the pages of all commands into a folder.
pub(crate) fn man(args: &ManArgs) -> Result<Outcome, CliError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| CliError::Output { action: "write", path, source }
    };
    match &args.folder {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(failed(folder))?;
            clap_mangen::generate_to(CommandLine::command(), folder).map_err(failed(folder))?;
        }
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(CommandLine::command()).render(&mut text).map_err(failed("-".as_ref()))?;
            message::print_bytes(&text)?;
        }
    }
    Ok(Outcome::Done)
}
