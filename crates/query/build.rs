//! Embeds the canned queries and the views, so that dropping a file into their folder is all it takes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Folders whose `.sql` files are embedded: name of the constant, and the folder seen from this crate.
const FOLDERS: [(&str, &str); 2] = [("QUERIES", "../../queries"), ("VIEWS", "views")];

fn main() -> io::Result<()> {
    let missing = |name| io::Error::other(format!("cargo sets no {name}"));
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| missing("CARGO_MANIFEST_DIR"))?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| missing("OUT_DIR"))?);
    let mut code = String::new();
    for (constant, folder) in FOLDERS {
        code.push_str(&embed(constant, folder, &root)?);
        rerun_if_changed(folder);
    }
    rerun_if_changed("build.rs");
    fs::write(out.join("embedded.rs"), code)
}

/// A constant with path and text of every `.sql` file of `folder`, sorted by name.
fn embed(constant: &str, folder: &str, root: &Path) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let name = entry?.file_name();
        let name = name.to_str().ok_or_else(|| io::Error::other(format!("{folder}: {name:?} is not UTF-8")))?;
        if name.ends_with(".sql") {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    let mut code = format!("pub(crate) const {constant}: &[crate::embedded::File] = &[\n");
    for name in names {
        let path = format!("{}/{name}", folder.trim_start_matches("../"));
        // Writing into a string cannot fail.
        let _ = writeln!(
            code,
            "    crate::embedded::File {{ path: {path:?}, text: \
             include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{folder}/{name}\")) }},"
        );
    }
    code.push_str("];\n");
    Ok(code)
}

fn rerun_if_changed(path: &str) {
    println!("cargo::rerun-if-changed={path}");
}
