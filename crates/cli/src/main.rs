//! `kforensic`: forensics on Kubernetes audit logs. Parses the command line, runs the command, reports.
//!
//! Only this crate prints, exits, and reads the environment and the clock.

mod about;
mod answer;
mod args;
mod checks;
mod command;
mod completion;
mod error;
mod findings;
mod footnotes;
mod inquiry;
mod interrupt;
mod mcp;
mod message;
mod output;
mod pager;
mod places;
mod progress;
mod proxies;
mod repl;
mod terminal;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use kforensic_lake::Case;

use crate::args::{Command, CommandLine, ReplArgs};
use crate::command::Outcome;
use crate::error::CliError;
use crate::inquiry::Inquiry;
use crate::interrupt::Interrupt;

fn main() -> ExitCode {
    completion::act();
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return command::unknown(&error),
    };
    checks::skip(line.no_check);
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
    if line.version {
        return command::version::run(line.verbose);
    }
    places::take(&line.geoip)?;
    proxies::take(&line.proxy)?;
    let case = line.case.as_ref();
    let Some(command) = &line.command else { return without_command(case, interrupt) };
    match command {
        Command::Ingest(args) => command::ingest::run(case, args, interrupt),
        Command::Query(args) => command::query::run(case, args, interrupt),
        Command::Sql(args) => command::sql::run(case, args, interrupt),
        Command::Triage(args) => command::triage::run(case, args, interrupt),
        Command::Report(args) => command::report::run(case, args, interrupt),
        Command::Tag(args) => command::tag::run(case, args),
        Command::Status(args) => command::status::run(case, args),
        Command::Coverage(args) => command::coverage::run(case, args, interrupt),
        Command::Show(args) => command::show::run(case, args),
        Command::Verify(args) => command::verify::run(case, args),
        Command::Compact(args) => command::compact::run(case, args, interrupt),
        Command::Repl(args) => repl::run(case, args, interrupt),
        Command::Describe(args) => command::describe::run(args),
        Command::Mcp(args) => mcp::run(case, args, interrupt),
        Command::Completions(args) => command::completions::completions(args),
        Command::Man(args) => command::completions::man(args),
        Command::Prune(args) => command::prune::run(case, args, interrupt),
        Command::Spread(args) => inquiry::run(case, &Inquiry::Spread(args.clone()), interrupt),
        Command::Rotate(args) => inquiry::run(case, &Inquiry::Rotate(args.clone()), interrupt),
        Command::Rbac(args) => inquiry::run(case, &Inquiry::Rbac(args.clone()), interrupt),
        Command::WhoCan(args) => inquiry::run(case, &Inquiry::WhoCan(args.clone()), interrupt),
        Command::Can(args) => inquiry::run(case, &Inquiry::Can(args.clone()), interrupt),
        Command::Sweep(args) => inquiry::run(case, &Inquiry::Sweep(args.clone()), interrupt),
        Command::ObjectHistory(args) => inquiry::run(case, &Inquiry::History(args.clone()), interrupt),
    }
}

/// Without a command: the prompt, when there is a case and somebody at a terminal, else the help.
fn without_command(case: Option<&PathBuf>, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let is_at_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if is_at_terminal && Case::is_case(&command::case_folder(case)) {
        return repl::run(case, &ReplArgs::default(), interrupt);
    }
    let help = CommandLine::command().render_help();
    message::plain(help.to_string().trim_end());
    Ok(Outcome::Failed { exit_code: 2 })
}
