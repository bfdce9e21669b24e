//! The crate as a caller sees it: batches in, bytes out.

mod cases;
mod delimited;
mod errors;
mod hostile;
mod markdown;
mod nested;
mod page;
mod parquet;
mod programs;
mod rows;
mod stream;
mod table;
mod timesketch;
mod types;
mod xlsx;
