//! Texts as SQL writes them. For our own values only: what users give is bound.

/// A string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A list of string literals, without brackets.
pub(crate) fn literals<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(literal).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(literals(["it's", r"back\slash", ""]), r"'it''s', 'back\slash', ''");
        assert_eq!(literals([]), "");
    }
}
