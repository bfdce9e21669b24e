//! Names of files as text. A name is bytes, and need not be UTF-8: two such names must not become one.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A path as text, as it is when it is UTF-8; else every byte that is no text is shown as `\xff`.
pub(crate) fn shown(path: &Path) -> String {
    path.to_str().map_or_else(|| shown_bytes(path.as_os_str().as_encoded_bytes()), str::to_owned)
}

/// The same for a name that comes as bytes.
pub(crate) fn shown_bytes(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing into a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The bytes of a path that is not UTF-8, in hex.
pub(crate) fn bytes_of(path: &Path) -> Option<String> {
    let hex = || crate::ground::hash::hex(path.as_os_str().as_encoded_bytes());
    path.to_str().is_none().then(hex)
}

/// The path that [`bytes_of`] gave.
pub(crate) fn path_of(hex: &str) -> Option<PathBuf> {
    let digits: Vec<u32> = hex.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    path_of_bytes(bytes.collect::<Option<_>>()?)
}

#[cfg(unix)]
fn path_of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    Some(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn path_of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_text_stay_apart_and_are_found_again() {
        let paths: Vec<PathBuf> = [b"a-\xff.log".as_slice(), b"a-\xfe.log", b"a-\xe9.log"]
            .map(|name| path_of_bytes(name.to_vec()).unwrap())
            .into();
        let shown: Vec<String> = paths.iter().map(|path| super::shown(path)).collect();
        assert_eq!(shown, [r"a-\xff.log", r"a-\xfe.log", r"a-\xe9.log"]);
        for path in &paths {
            assert_eq!(path_of(&bytes_of(path).unwrap()).as_ref(), Some(path));
        }
        assert_eq!((super::shown(Path::new("é\\x")), bytes_of(Path::new("é"))), ("é\\x".to_owned(), None));
        assert_eq!((path_of("f"), path_of("zz")), (None, None));
    }
}
