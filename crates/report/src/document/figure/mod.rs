//! Pictures, drawn here as SVG: nothing is loaded, and a reader who cannot see them gets the same numbers as a table.
//!
//! Colours come from the page's classes, so that they are right in the dark and on paper; an inline style would not pass
//! the page's own Content-Security-Policy.

mod bars;
mod graph;
mod heat;
mod lanes;
mod scale;
mod stack;
mod tactics;

use maud::Markup;

pub use bars::{Bar, Bars};
pub use graph::{Edge, Graph, Node};
pub use heat::Heat;
pub use lanes::{Lane, Lanes, Mark};
pub use stack::{Series, Stack};
pub use tactics::{Tactic, Tactics, Technique};

use super::table::Table;

/// A picture with its title.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Name of its place, as for a section.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// What it tells, for those who cannot see it.
    pub description: String,
    /// What is drawn.
    pub chart: Chart,
}

/// Makes the enum and what it can do of one list, so that a kind of picture is one file and one line.
macro_rules! charts {
    ($($chart:ident, $name:literal, $module:ident, $meaning:literal;)+) => {
        /// What is drawn.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Chart {
            $(#[doc = $meaning] $chart($chart),)+
        }

        impl Chart {
            /// What kind of picture it is, in JSON.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$chart(_) => $name,)+
                }
            }

            /// The picture as SVG.
            pub(super) fn svg(&self, title: &str, description: &str) -> Markup {
                match self {
                    $(Self::$chart(chart) => $module::svg(chart, title, description),)+
                }
            }

            /// The numbers that it shows.
            #[must_use]
            pub fn table(&self, id: &str, caption: &str) -> Table {
                match self {
                    $(Self::$chart(chart) => $module::table(chart, id, caption),)+
                }
            }
        }
    };
}

#[rustfmt::skip]
charts! {
    Lanes, "lanes", lanes, "Who did what when: a lane for each, a mark for each deed.";
    Stack, "stack", stack, "How many over time, by kind.";
    Heat, "heat", heat, "How many in each cell of a grid.";
    Bars, "bars", bars, "How many of each, the most first.";
    Graph, "graph", graph, "What leads to what: boxes in columns, and lines between them.";
    Tactics, "tactics", tactics, "ATT&CK techniques below their tactics.";
}
