//! Column names that a program can tell apart.

use std::collections::HashSet;

use arrow::datatypes::Schema;

/// The names of the columns, where a repeated name gets `_1`, `_2`… as DuckDB does in a subquery.
///
/// SQL allows `SELECT a.name, b.name`; in a JSON object most parsers would keep only the last of the two, and
/// Python's `csv.DictReader` does the same: evidence would vanish without a word.
pub(crate) fn distinct(schema: &Schema) -> Vec<String> {
    let mut taken: HashSet<&str> = HashSet::new();
    let repeated: Vec<bool> = schema.fields().iter().map(|field| !taken.insert(field.name())).collect();
    let mut taken: HashSet<String> = taken.into_iter().map(str::to_owned).collect();
    let mut names = Vec::with_capacity(repeated.len());
    for (field, repeated) in schema.fields().iter().zip(repeated) {
        let mut name = field.name().clone();
        let mut number = 0_usize;
        while repeated && !taken.insert(name.clone()) {
            number += 1;
            name = format!("{}_{number}", field.name());
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{DataType, Field};

    #[test]
    fn repeated_names_get_a_number_that_nobody_has() {
        let field = |name: &str| Field::new(name, DataType::Utf8, true);
        let schema = Schema::new(["name", "verb", "name", "name_1", "name"].map(field).to_vec());
        assert_eq!(distinct(&schema), ["name", "verb", "name_2", "name_1", "name_3"]);
    }
}
