//! Who a row of a detection is about: one, several together, nobody who was authenticated, or whoever it was.

use super::row::Row;
use crate::document::Text;

/// Who without credentials is to the server.
pub(crate) const ANONYMOUS: &str = "system:anonymous";

/// Who sent something, as far as a row tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sender {
    /// The row has no column that would tell.
    #[default]
    Untold,
    /// Nobody who was authenticated: the server took no credential, or none that it was sent.
    Nobody,
    /// This user.
    One(String),
    /// These users, in a row that counts what they did together, such as all from one address. Which of them did what it
    /// does not tell, so it is counted for none of them.
    Several(Vec<String>),
}

/// Users that a sentence names.
const NAMED_MAX: usize = 8;

impl Sender {
    pub(crate) fn of(row: Row<'_>) -> Self {
        match row.users().as_slice() {
            [] if row.tells_users() => Self::Nobody,
            [] => Self::Untold,
            [user] => Self::One((*user).to_owned()),
            users => Self::Several(users.iter().map(|user| (*user).to_owned()).collect()),
        }
    }

    /// The name of the one that it was.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::One(name) => Some(name),
            _ => None,
        }
    }

    /// Those of several.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::Several(names) => names,
            _ => &[],
        }
    }

    /// The subject of a sentence: a name, or words that stand for one.
    pub(crate) fn words(&self) -> Text {
        match self {
            Self::Untold => Text::plain("Somebody"),
            Self::Nobody => Text::plain("Somebody who was not authenticated"),
            Self::One(name) => Text::name(name),
            Self::Several(names) => Text::plain(format!("{} users", names.len())),
        }
    }

    /// Behind the subject and its address, who several were.
    pub(crate) fn list(&self) -> Text {
        let names = self.names();
        if names.is_empty() {
            return Text::default();
        }
        let text = Text::plain(" (").and_names(&names[..names.len().min(NAMED_MAX)]);
        match names.len().saturating_sub(NAMED_MAX) {
            0 => text.and(")"),
            more => text.and(format!(" and {more} more)")),
        }
    }

    /// As a column has room for.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Untold => "(not told)".to_owned(),
            Self::Nobody => "(unauthenticated)".to_owned(),
            Self::One(name) => name.clone(),
            Self::Several(names) => format!("{} users", names.len()),
        }
    }
}
