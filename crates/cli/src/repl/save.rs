//! Statements that are kept as canned queries, in the folder of the user's own.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use kforensic_query::scanner::{Kind, Token, tokens};
use kforensic_query::{CannedQuery, Catalogue};

use super::error::ReplError;
use super::folder;

/// Writes `sql` into the file of a new query, with a header to be filled in. Gives the file back.
///
/// # Errors
/// When the name is taken or none, when the statement would mean something else later, or when the file cannot be made.
pub(super) fn save(name: &str, sql: &str, catalogue: &Catalogue, into: &Path) -> Result<PathBuf, ReplError> {
    // A name is no path: `../x` would be a file elsewhere, with a good name.
    if name.contains(['/', '\\']) {
        return Err(ReplError::QueryName { name: name.to_owned() });
    }
    if catalogue.find(name).is_ok() {
        return Err(ReplError::QueryTaken { name: name.to_owned() });
    }
    let path = into.join(format!("{name}.sql"));
    let text = text(name, sql)?;
    let file_name = format!("{name}.sql");
    CannedQuery::parse(&file_name, &text).map_err(|error| match error.problem {
        kforensic_query::catalogue::Problem::Name => ReplError::QueryName { name: name.to_owned() },
        problem => ReplError::NotAQuery { problem: problem.to_string() },
    })?;
    let failed = |action| {
        let path = path.clone();
        move |source| ReplError::File { action, path, source }
    };
    folder::make(into).map_err(failed("make the folder of"))?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed("make"))?;
    file.write_all(text.as_bytes()).map_err(failed("write"))?;
    Ok(path)
}

/// The file: header and statement, in a total order.
fn text(name: &str, sql: &str) -> Result<String, ReplError> {
    let tokens = tokens(sql);
    let code: Vec<&Token> = tokens.iter().filter(|token| token.is_code()).collect();
    if let Some(result) = code.iter().find(|token| is_kept(token.text(sql))) {
        return Err(ReplError::NotLasting { name: result.text(sql).to_owned() });
    }
    let end = code.iter().rev().find(|token| token.kind != Kind::Semicolon).map_or(0, |token| token.range.end);
    let statement = sql[..end].trim_start();
    let is_ordered = code.windows(2).any(|two| two[0].is_word(sql, "ORDER") && two[1].is_word(sql, "BY"));
    let order = if is_ordered { "" } else { "\nORDER BY ALL" };
    let question = name.replace('-', " ");
    Ok(format!(
        "-- title = \"{question}\"\n\
         -- question = \"{question}?\"\n\
         -- kind = \"question\"\n\
         -- severity = \"info\"\n\
         -- attack = []\n\
         -- needs = \"level Metadata\"\n\
         -- noise = \"not known yet\"\n\
         {statement}{order}\n"
    ))
}

/// Whether a name is that of a result: `last`, `last2` to `last9`.
fn is_kept(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.strip_prefix("last").is_some_and(|number| matches!(number, "" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_becomes_a_query_that_the_catalogue_takes() {
        let folder = tempfile::tempdir().unwrap();
        let mut catalogue = Catalogue::embedded().unwrap();
        let path =
            save("bobs-secrets", "SELECT verb FROM requests WHERE user_name = 'bob'; -- x", &catalogue, folder.path());
        let text = std::fs::read_to_string(path.unwrap()).unwrap();
        assert!(text.ends_with("\nSELECT verb FROM requests WHERE user_name = 'bob'\nORDER BY ALL\n"), "{text}");
        catalogue.add_folder(folder.path()).unwrap();
        let error = |name: &str, sql: &str| save(name, sql, &catalogue, folder.path()).unwrap_err().to_string();
        assert_eq!(error("bobs-secrets", "SELECT 1"), "there is a query `bobs-secrets` already");
        assert!(error("Bob", "SELECT 1").contains("is no name of a query"));
        assert!(error("../x", "SELECT 1").contains("is no name of a query"));
        assert_eq!(error("x", "FROM last"), "the statement asks for `last`, which is gone when this session ends");
        assert!(error("x", "DESCRIBE events").contains("cannot be kept as a query"));
    }
}
