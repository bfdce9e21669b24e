//! `kforensic`: forensics on Kubernetes audit logs. Parses the command line, runs the command, reports.
//!
//! Only this crate prints, exits, and reads the environment and the clock.

mod answer;
mod args;
mod command;
mod error;
mod interrupt;
mod message;
mod output;
mod progress;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Command, CommandLine};
use crate::command::Outcome;
use crate::error::CliError;
use crate::interrupt::Interrupt;

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let interrupt = Interrupt::listen();
    match run(&line, &interrupt) {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            let error = if interrupt.is_asked() { CliError::Interrupted } else { error };
            message::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(line: &CommandLine, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let case = line.case.as_ref();
    match &line.command {
        Command::Ingest(args) => command::ingest::run(case, args, interrupt),
        Command::Query(args) => command::query::run(case, args, interrupt),
        Command::Sql(args) => command::sql::run(case, args, interrupt),
        Command::Status(args) => command::status::run(case, args),
        Command::Show(args) => command::show::run(case, args),
        Command::Verify(args) => command::verify::run(case, args),
        Command::Compact(args) => command::compact::run(case, args, interrupt),
        Command::Describe(args) => command::describe::run(args),
        Command::Completions(args) => command::completions::completions(args),
        Command::Man(args) => command::completions::man(args),
        Command::Prune(args) => command::prune::run(case, args, interrupt),
    }
}
