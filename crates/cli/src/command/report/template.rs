//! Templates: what a report is made of, in TOML.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kforensic_report::incident::section;
use serde::Deserialize;

use crate::error::CliError;

/// Templates that the program brings.
const TEMPLATES: [(&str, &str); 2] = [
    ("incident", include_str!("../../templates/incident.toml")),
    ("daily", include_str!("../../templates/daily.toml")),
];

/// Rows of a finding that a document can bear: of 60 findings with so many each, it has 5 MB.
const ROWS_MAX: usize = 1_000;

/// What a report is made of.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Template {
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) organisation: String,
    #[serde(default)]
    pub(crate) classification: String,
    #[serde(default)]
    pub(crate) since: String,
    #[serde(default)]
    pub(crate) until: String,
    #[serde(default)]
    pub(crate) baseline: String,
    #[serde(default)]
    pub(crate) queries: Vec<String>,
    #[serde(default = "rows")]
    pub(crate) rows: usize,
    #[serde(default = "people")]
    pub(crate) people: usize,
    #[serde(default = "deeds")]
    pub(crate) deeds: usize,
    pub(crate) sections: Vec<String>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, BTreeMap<String, String>>,
}

fn rows() -> usize {
    20
}

fn people() -> usize {
    8
}

fn deeds() -> usize {
    60
}

/// The text of a template that the program brings.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    TEMPLATES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The template of that name, or in that file; with the name by which reports of it follow one another.
pub(crate) fn load(name: &str) -> Result<(Template, String), CliError> {
    let (text, known_as) = match text(name) {
        Some(text) => (text.to_owned(), name.to_owned()),
        None => {
            let path = PathBuf::from(name);
            let text =
                std::fs::read_to_string(&path).map_err(|source| CliError::Input { path: path.clone(), source })?;
            let known_as = path.file_stem().map_or_else(|| name.to_owned(), |stem| stem.to_string_lossy().into_owned());
            (text, known_as)
        }
    };
    let problem = |problem: String| CliError::Template { name: name.to_owned(), problem };
    let template: Template = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        problem(format!("line {line}: {}", error.message()))
    })?;
    if let Some(unknown) = template.sections.iter().find(|name| section::find(name).is_none()) {
        return Err(problem(format!("there is no section `{unknown}`")));
    }
    let mut once = std::collections::BTreeSet::new();
    if let Some(twice) = template.sections.iter().find(|name| !once.insert(*name)) {
        return Err(problem(format!("the section `{twice}` is named twice")));
    }
    if template.rows > ROWS_MAX {
        return Err(problem(format!("`rows` is more than {ROWS_MAX}: `--data DIR` writes all rows as CSV")));
    }
    Ok((template, known_as))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_of_the_program_are_right() {
        for (name, _) in TEMPLATES {
            let (template, known_as) = load(name).unwrap();
            assert_eq!(known_as, name);
            assert!(!template.sections.is_empty() && !template.title.is_empty());
        }
        let (incident, _) = load("incident").unwrap();
        let all: Vec<&str> = section::SECTIONS.iter().map(|entry| entry.name).collect();
        assert_eq!(incident.sections, all);
    }

    #[test]
    fn what_is_wrong_with_a_template_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let problem = |text: &str| {
            let path = folder.path().join("t.toml");
            std::fs::write(&path, text).unwrap();
            load(path.to_str().unwrap()).unwrap_err().to_string()
        };
        assert!(problem("title = \"x\"\nsections = [\"nosuch\"]").contains("there is no section `nosuch`"));
        assert!(problem("title = \"x\"\nsections = [\"scope\", \"scope\"]").contains("named twice"));
        assert!(problem("title = \"x\"\nsections = []\ncolour = 1").contains("line 3"));
        assert!(problem("title = \"x\"\nsections = []\nrows = 100000").contains("--data DIR"));
    }
}
