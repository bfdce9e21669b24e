//! The crate as a caller sees it: batches in, bytes out.

mod cases;
mod errors;
mod hostile;
mod nested;
mod programs;
mod rows;
mod stream;
mod table;
mod types;
