//! Texts as SQL writes them. For our own values only: what users give is bound.

/// A string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A list of string literals, without brackets.
pub(crate) fn literals<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(literal).collect::<Vec<_>>().join(", ")
}

/// A list of texts. A long one is a single literal that DuckDB splits: each literal costs its parser about 10 µs, which was a
/// quarter of a small question to a case of 400 files.
pub(crate) fn list(texts: &[String]) -> String {
    const FEW: usize = 4;
    const SEPARATOR: char = '\n';
    if texts.len() <= FEW || texts.iter().any(|text| text.contains(SEPARATOR)) {
        return format!("[{}]", literals(texts.iter().map(String::as_str)));
    }
    format!("string_split({}, chr({}))", literal(&texts.join("\n")), u32::from(SEPARATOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(literals(["it's", r"back\slash", ""]), r"'it''s', 'back\slash', ''");
        assert_eq!(literals([]), "");
    }

    #[test]
    fn a_list_is_the_same_however_it_is_written() {
        let connection = duckdb::Connection::open_in_memory().unwrap();
        let few: Vec<String> = ["it's", "", "a\nb", r"back\slash"].map(str::to_owned).to_vec();
        let many: Vec<String> = (0..9).map(|at| format!("{at}'s, \t\u{1}")).chain([String::new()]).collect();
        let broken: Vec<String> = many.iter().cloned().chain(["x\ny".to_owned()]).collect();
        for texts in [few, many, broken, Vec::new()] {
            let sql = format!("SELECT unnest({}::VARCHAR[])", list(&texts));
            let mut statement = connection.prepare(&sql).unwrap();
            let read = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
            assert_eq!(read.collect::<duckdb::Result<Vec<_>>>().unwrap(), texts, "{sql}");
        }
    }
}
