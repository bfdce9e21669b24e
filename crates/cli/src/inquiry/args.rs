//! Options of the commands that investigate.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use kforensic_report::Format;

use crate::args::{OutputArgs, TimesArgs};
use crate::completion;

/// Finds what else an intruder got into, from a clue.
///
/// A clue is `user:NAME`, `sa:NAMESPACE/NAME`, `node:NAME`, `pod:NAMESPACE/NAME`, `ip:ADDRESS`, `agent:NAME`,
/// `credential:ID`, `audit:ID`, or a file of indicators. What it leads to is *proved* (the log says so), *likely* (the same
/// credential in a new place) or *possible* (something shared: an address, a client, the moment). What many share is shown
/// and not crossed.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  kforensic spread user:bob\n  kforensic spread ip:203.0.113.9 --since 20:37 --show identities\n  kforensic spread indicators.txt -o spread.svg"
)]
pub(crate) struct SpreadArgs {
    #[command(flatten)]
    pub(crate) clue: ClueArgs,

    /// What to show: story, identities, nodes, edges or unknown [default: identities and story]
    #[arg(long, value_name = "PART", value_parser = ["story", "identities", "nodes", "edges", "unknown"])]
    pub(crate) show: Option<String>,

    #[command(flatten)]
    pub(crate) output: FormArgs,
}

/// The clue, and how far it is followed.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClueArgs {
    /// The clue: several, and files of indicators, are followed together
    #[arg(required = true, value_name = "SEED")]
    pub(crate) seeds: Vec<String>,

    /// Steps from the clue
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) depth: usize,

    /// Things to look at
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) nodes: usize,

    /// Cross this although many share it, written as a clue; can be given several times
    #[arg(long, value_name = "NODE")]
    pub(crate) through: Vec<String>,

    #[command(flatten)]
    pub(crate) times: TimesArgs,
}

/// Lists what is to be revoked, removed and replaced after a breach, and whether the log shows that it was done.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  kforensic rotate user:bob\n  kforensic rotate sa:dev/legacy-bot --through user:deployer\n  kforensic rotate user:bob -o rotate.csv"
)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) clue: ClueArgs,

    #[command(flatten)]
    pub(crate) output: FormArgs,
}

/// Who could do what at a time, by snapshots of the cluster, by writes, and by the authorizer's own words.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  kforensic rbac at last\n  kforensic rbac diff 2026-11-21T20:37:00Z last\n  kforensic rbac diff 2026-11-21T20:37:00Z last --format yaml"
)]
pub(crate) struct RbacArgs {
    #[command(subcommand)]
    pub(crate) what: RbacCommand,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RbacCommand {
    /// Every right that a binding gave to somebody at a time
    At {
        /// The time: RFC 3339, a date, or `last`
        time: String,
        #[command(flatten)]
        output: FormArgs,
    },
    /// What changed between two times; `--format yaml` is the way back, for `kubectl apply -f -`
    Diff {
        /// The earlier time
        from: String,
        /// The later time, or `last`
        to: String,
        #[command(flatten)]
        output: FormArgs,
    },
    /// Hold the replay against every decision of the authorizer in the log
    Check {
        #[command(flatten)]
        output: FormArgs,
    },
}

/// Lists who could do something at a time, and who could come to it: by impersonation, tokens, pods, or writing roles.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  kforensic who-can get secrets -n prod\n  kforensic who-can create pods/exec\n  kforensic who-can get secrets db-credentials -n prod --at 2026-11-21T20:37:00Z"
)]
pub(crate) struct WhoCanArgs {
    /// The verb, such as get
    pub(crate) verb: String,

    /// The resource in the plural, `pods/exec`, `deployments.apps`; or a path that begins with a slash
    pub(crate) resource: String,

    /// Name of the object
    pub(crate) name: Option<String>,

    /// The namespace [default: the whole cluster]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,

    /// When: RFC 3339, a date, an age, or `last` [default: last]
    #[arg(long, value_name = "TIME", default_value = "last", allow_hyphen_values = true)]
    pub(crate) at: String,

    #[command(flatten)]
    pub(crate) output: FormArgs,
}

/// Lists what a user could do at a time.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  kforensic can bob\n  kforensic can sa:dev/legacy-bot --at 2026-11-21T20:37:00Z\n  kforensic can bob --group system:masters"
)]
pub(crate) struct CanArgs {
    /// The user, whole, or `sa:NAMESPACE/NAME`
    pub(crate) user: String,

    /// A group of the user; can be given several times [default: those that the log gives the user]
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Vec<String>,

    /// When: RFC 3339, a date, an age, or `last` [default: last]
    #[arg(long, value_name = "TIME", default_value = "last", allow_hyphen_values = true)]
    pub(crate) at: String,

    #[command(flatten)]
    pub(crate) output: FormArgs,
}

/// Looks for indicators of compromise: addresses, networks, users, clients, images, digests, ids, objects.
///
/// Text with one on each line, CSV with a column `indicator` or `value`, or STIX 2.1. Those that are not found are listed
/// with what was searched.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  kforensic sweep indicators.txt\n  kforensic sweep stix.json --format jsonl\n  printf %s \"$TOKEN\" | kforensic sweep --value-from stdin"
)]
pub(crate) struct SweepArgs {
    /// The file; `-` is standard input
    #[arg(required_unless_present = "value_from", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Look for a secret value that standard input gives: by the keyed hash that stands in the case for it
    #[arg(long, value_name = "stdin", value_parser = ["stdin"])]
    pub(crate) value_from: Option<String>,

    #[command(flatten)]
    pub(crate) output: FormArgs,
}

/// Shows the states of an object in time: who changed what, as far as bodies tell.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  kforensic object-history ClusterRole wild\n  kforensic object-history deployments prod/web\n  kforensic object-history ConfigMap kube-system/coredns -o coredns.md"
)]
pub(crate) struct ObjectHistoryArgs {
    /// The kind, or the resource in the plural: `Deployment`, `clusterroles`
    pub(crate) kind: String,

    /// `NAMESPACE/NAME`, or a name alone for what is of the cluster
    pub(crate) object: String,

    #[command(flatten)]
    pub(crate) output: FormArgs,
}

/// Of which cluster an answer tells, where it goes and how it looks.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct FormArgs {
    /// Only logs of this cluster
    #[arg(long, value_name = "NAME", help_heading = "Window", add = ArgValueCompleter::new(completion::of_case("cluster")))]
    pub(crate) cluster: Option<String>,

    /// Form of the answer: those of `kforensic query`, and svg, dot and graph for `spread`, yaml for `rbac diff`
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,

    /// Write the answer to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Replace the output file when there is one
    #[arg(long, requires = "output")]
    pub(crate) force: bool,

    /// Table: every row on one line, however wide, instead of fitted to the terminal
    #[arg(long, conflicts_with = "vertical")]
    pub(crate) wide: bool,

    /// Table: every value on a line of its own
    #[arg(long)]
    pub(crate) vertical: bool,
}

/// Forms that are no tables.
const DRAWINGS: [&str; 4] = ["svg", "dot", "graph", "yaml"];

impl FormArgs {
    /// The form that is no table, when one is asked for, by name or by that of the file.
    pub(crate) fn drawing(&self) -> Option<&'static str> {
        let told = self.output.as_ref().and_then(|path| path.extension()).and_then(|extension| extension.to_str());
        let asked = self.format.as_deref().or(told)?;
        let asked = if asked == "yml" { "yaml" } else { asked };
        DRAWINGS.into_iter().find(|name| *name == asked)
    }

    /// The same as for a query.
    pub(crate) fn of_table(&self) -> Result<OutputArgs, kforensic_report::UnknownFormat> {
        let format = self.format.as_deref().filter(|_| self.drawing().is_none());
        Ok(OutputArgs {
            format: format.map(str::parse::<Format>).transpose()?,
            output: self.output.clone(),
            wide: self.wide,
            vertical: self.vertical,
            raw_cells: false,
            force: self.force,
        })
    }
}
