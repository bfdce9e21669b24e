//! What a case can tell and what it cannot: what was logged, what stands between the log and the truth, and what an audit
//! policy would record.

mod groups;
mod hosts;
mod left_out;
mod observed;
mod traffic;
mod unseen;
mod verdict;
mod words;

pub(crate) use groups::{group_of, is_meant};
pub use hosts::{HostAccount, Seam, Step};
pub use left_out::LeftOut;
pub use observed::{Observed, Pause};
pub use unseen::Unseen;
pub use verdict::{Finding, Scope, Verdict, judge};
pub(crate) use words::few;
