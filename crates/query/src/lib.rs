//! Questions to a case: a DuckDB session over its files, the views, and the catalogue of canned queries.
//!
//! This crate is the only one that knows DuckDB. It never prints, and it writes nothing but what
//! DuckDB spills into the folder that it is given. It answers exactly or not at all: a file that the
//! case lists and that cannot be read is an error, a value that a query would ignore is an error, and
//! so is a query that asks for more than the session was opened for.
//!
//! # SQL of the user
//! ```no_run
//! # use kforensic_query::{Gate, Limits, RowSink, Session};
//! # fn ask(snapshot: &kforensic_lake::Snapshot, limits: &Limits, rows: &mut dyn RowSink) -> Result<(), Box<dyn std::error::Error>> {
//! let gate = Gate::new()?; // or `gate::check` for one statement
//! let statement = gate.check("SELECT verb, count(*) FROM requests GROUP BY ALL")?; // a `Refusal`: message, hint, position
//! // For this statement alone; `Selection::default()` for a session that answers any.
//! let session = Session::open(snapshot, statement.selection(), limits)?;
//! let summary = session.sql(&statement, Some(100), rows)?; // `QueryError::Statement`: message, hint, position
//! assert!(summary.rows <= 100 && session.protection().is_in_force());
//! # Ok(())
//! # }
//! ```

mod argument;
mod asserted;
mod body;
pub mod catalogue;
mod claims;
pub mod coverage;
pub mod describe;
pub mod doubt;
mod elsewhere;
mod embedded;
mod engine;
mod error;
pub mod gate;
pub mod inquiry;
mod json;
mod kept;
mod kinds;
mod ledger;
pub mod library;
mod lookup;
mod network;
mod own;
pub mod places;
pub mod policy;
mod problem;
mod progress;
mod protection;
pub mod proxies;
mod reach;
pub mod resources;
pub mod scanner;
mod selection;
mod session;
mod sql;
mod starting;
mod status;
mod stream;
mod trouble;
pub mod trust;
mod views;
pub mod window;
mod working_copy;

pub use asserted::Asserted;
pub use catalogue::{
    CannedQuery, Catalogue, CatalogueError, FolderError, Group, Parameters, QueryKind, Severity, UnknownQuery,
};
pub use claims::{Balancer, Claims};
pub use elsewhere::Elsewhere;
pub use error::{QueryError, SinkError};
pub use gate::{Gate, Refusal, Statement};
pub use kept::{Kept, RESULTS_MAX, result_name};
pub use kforensic_lake::Checks;
pub use problem::Problem;
pub use progress::Progress;
pub use protection::Protection;
pub use selection::{Extent, Selection};
pub use session::{Interrupt, Limits, OwnWork, RunOptions, Session, Tally, check};
pub use starting::Starting;
pub use status::Counts;
pub use stream::{RowSink, RunSummary};
pub use window::{TimeError, Window};
