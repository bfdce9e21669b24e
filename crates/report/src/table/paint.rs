//! The few colours of the table, as ANSI sequences.

use std::io::{self, Write};

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Names of columns.
    Bold,
    /// What is there but says little: NULL, rules, an unknown outcome.
    Dim,
    /// The request was allowed.
    Green,
    /// The request was denied, or it is bad.
    Red,
    /// The request failed for another reason, or it may be bad.
    Yellow,
}

impl Style {
    /// The colour of an outcome, or `None` for a word that is none.
    pub(crate) fn of_outcome(outcome: &str) -> Option<Self> {
        match outcome {
            "allowed" => Some(Self::Green),
            "denied" => Some(Self::Red),
            "failed" => Some(Self::Yellow),
            "unknown" => Some(Self::Dim),
            _ => None,
        }
    }

    /// The colour of a severity, or `None` for a word that is none, or that says little.
    pub(crate) fn of_severity(severity: &str) -> Option<Self> {
        match severity {
            "critical" | "high" => Some(Self::Red),
            "medium" => Some(Self::Yellow),
            "info" => Some(Self::Dim),
            _ => None,
        }
    }

    const fn sequence(self) -> &'static str {
        match self {
            Self::Bold => "\x1b[1m",
            Self::Dim => "\x1b[2m",
            Self::Red => "\x1b[31m",
            Self::Green => "\x1b[32m",
            Self::Yellow => "\x1b[33m",
        }
    }
}

/// Writes `text`, in `style` when there is one.
///
/// # Errors
/// When `out` fails.
pub(crate) fn write_painted(out: &mut impl Write, style: Option<Style>, text: &str) -> io::Result<()> {
    match style {
        Some(style) => write!(out, "{}{text}\x1b[0m", style.sequence()),
        None => out.write_all(text.as_bytes()),
    }
}

/// Writes `count` spaces.
///
/// # Errors
/// When `out` fails.
pub(crate) fn write_spaces(out: &mut impl Write, count: usize) -> io::Result<()> {
    // `{:count$}` would panic above 65,535, which a hostile cell in an unlimited table can reach.
    const SPACES: &[u8] = &[b' '; 64];
    let mut left = count;
    while left > 0 {
        let part = left.min(SPACES.len());
        out.write_all(&SPACES[..part])?;
        left -= part;
    }
    Ok(())
}
