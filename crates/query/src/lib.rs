//! Questions to a case: a DuckDB session over its files, the views, and the catalogue of canned queries.
//!
//! This crate is the only one that knows DuckDB. It never prints, and it writes nothing but what
//! DuckDB spills into the folder that it is given. It answers exactly or not at all: a file that the
//! case lists and that cannot be read is an error, a value that a query would ignore is an error, and
//! so is a query that asks for more than the session was opened for.

pub mod catalogue;
pub mod describe;
mod embedded;
mod engine;
mod error;
pub mod gate;
mod ledger;
mod lookup;
mod network;
mod parameters;
mod problem;
mod protection;
mod selection;
mod session;
mod sql;
mod statement;
mod status;
mod stream;
mod trouble;
mod views;
pub mod window;

pub use catalogue::{CannedQuery, Catalogue, CatalogueError, FolderError, Group, UnknownQuery};
pub use error::{QueryError, SinkError};
pub use gate::{Refusal, Statement};
pub use parameters::Parameters;
pub use problem::Problem;
pub use protection::Protection;
pub use selection::Selection;
pub use session::{Interrupt, Limits, Session};
pub use status::Counts;
pub use stream::{RowSink, RunSummary};
pub use window::{TimeError, Window};
