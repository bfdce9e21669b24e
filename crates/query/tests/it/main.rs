//! The queries on real logs, against an independent oracle, through Parquet files that ingest had no part in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and may show what it measured"
)]

mod attack;
mod bursts;
mod cases;
mod catalogue;
mod changed;
mod clusters;
mod commands;
mod conflicts;
mod counts;
mod coverage;
mod elsewhere;
mod filters;
mod fixture;
mod groups;
mod guards;
mod impact;
mod inquiries;
mod limits;
mod lockdown;
mod many;
mod oracle;
mod own;
mod peers;
mod proxies;
mod rbac;
mod requests;
mod sources;
mod spread;
mod sql;
mod trouble;
mod wide;
mod worth;
