//! The kinds that hold templates of pods, which several queries read: one list, in the view that tells them.

use std::sync::LazyLock;

use crate::embedded;

/// How a header names the kinds of a list, which is the one of the macro that is called so.
static WORDS: [(&str, LazyLock<Vec<String>>); 2] =
    [("makes_pods()", LazyLock::new(|| names("makes_pods("))), ("runs_jobs()", LazyLock::new(|| names("runs_jobs(")))];

/// The names of the first list behind the head of a macro.
fn names(head: &str) -> Vec<String> {
    let file = embedded::VIEWS.iter().find(|file| file.path.ends_with("pod_makers.sql"));
    let list = file.and_then(|file| file.text.split_once(head)?.1.split_once("resource IN (")?.1.split_once(')'));
    // Every other piece between quotation marks is a name.
    list.map(|(list, _)| list.split('\'').skip(1).step_by(2).map(str::to_owned).collect()).unwrap_or_default()
}

/// The resources that a header says, with the list where it names one.
pub(super) fn expanded(resources: Vec<String>) -> Vec<String> {
    let list =
        |name: &str| WORDS.iter().find(|(word, _)| *word == name).map(|(_, names)| LazyLock::force(names).clone());
    resources.into_iter().flat_map(|name| list(&name).unwrap_or_else(|| vec![name])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_stands_for_the_list_of_the_view() {
        let names = expanded(vec!["makes_pods()".to_owned(), "nodes".to_owned()]);
        for name in ["pods", "cronjobs", "workflows", "virtualmachines", "objects", "nodes"] {
            assert!(names.iter().any(|other| other == name), "{name}");
        }
        let jobs = expanded(vec!["runs_jobs()".to_owned()]);
        assert!(jobs.contains(&"cronworkflows".to_owned()) && jobs.iter().all(|name| names.contains(name)), "{jobs:?}");
        let are_names = |name: &String| name.bytes().all(|byte| byte.is_ascii_lowercase());
        assert!(names.len() > 60 && names.iter().all(are_names), "{names:?}");
    }
}
