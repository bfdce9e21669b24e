//! The kinds that hold templates of pods, which several queries read: one list, in the view that tells them.

use std::sync::LazyLock;

use crate::embedded;

/// How a header names all of them.
const WORD: &str = "makes_pods()";

/// The names of the list, which is the first one in the view.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let file = embedded::VIEWS.iter().find(|file| file.path.ends_with("pod_makers.sql"));
    let list = file.and_then(|file| file.text.split_once("resource IN (")?.1.split_once(')'));
    // Every other piece between quotation marks is a name.
    list.map(|(list, _)| list.split('\'').skip(1).step_by(2).map(str::to_owned).collect()).unwrap_or_default()
});

/// The resources that a header says, with the list where it names that.
pub(super) fn expanded(resources: Vec<String>) -> Vec<String> {
    let each = resources.into_iter().flat_map(|name| if name == WORD { NAMES.clone() } else { vec![name] });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_stands_for_the_list_of_the_view() {
        let names = expanded(vec![WORD.to_owned(), "nodes".to_owned()]);
        for name in ["pods", "cronjobs", "workflows", "virtualmachines", "objects", "nodes"] {
            assert!(names.iter().any(|other| other == name), "{name}");
        }
        let are_names = |name: &String| name.bytes().all(|byte| byte.is_ascii_lowercase());
        assert!(names.len() > 60 && names.iter().all(are_names), "{names:?}");
    }
}
