//! The queries on real logs, against an independent oracle, through Parquet files that ingest had no part in.

mod counts;
mod fixture;
mod limits;
mod lockdown;
mod oracle;
mod requests;
mod trouble;
