//! Keys as collectors leave them: how they are compared, and the way back where dots became underscores:
//! `authorization_k8s_io/decision`.
//!
//! The part of such a key before the slash is a DNS name, which cannot hold an underscore. So the way back is not a guess.

use crate::json::{self, Rewrite};

/// Nesting of a body that is looked into.
const MAX_DEPTH: usize = 64;

/// The letters and digits of a key in lower case: collectors write the same name in many ways.
pub(crate) fn plain(key: &str) -> String {
    key.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// The key as it was, when its dots were replaced.
pub(crate) fn restored(key: &str) -> Option<String> {
    let (domain, name) = key.split_once('/')?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_replaced = domain.contains('_') && domain.bytes().all(is_name);
    is_replaced.then(|| format!("{}/{name}", domain.replace('_', ".")))
}

/// An object with dots in its keys; `None` when no key needs any.
pub(crate) fn with_dots(object: &str) -> Option<String> {
    within(object, 1)
}

/// The same for all objects in a body.
pub(crate) fn with_dots_everywhere(body: &str) -> Option<String> {
    within(body, MAX_DEPTH)
}

fn within(value: &str, levels: usize) -> Option<String> {
    // Nearly every object passes here: those of the server hold no such key.
    memchr::memchr(b'_', value.as_bytes())?;
    json::rewritten(value, levels, Dots)
}

#[derive(Clone, Copy)]
struct Dots;

impl Rewrite for Dots {
    fn key(self, key: &str) -> Option<String> {
        restored(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_come_back_where_only_a_dns_name_can_stand() {
        assert_eq!(restored("authorization_k8s_io/decision").as_deref(), Some("authorization.k8s.io/decision"));
        for other in ["authorization.k8s.io/decision", "my_key", "a/b_c", "a.b_c/d", "/x", "a b_c/d"] {
            assert_eq!(restored(other), None, "{other}");
        }
        let object = r#"{"a_b/c":{"d_e/f":[ 1]},"g":"x_y/z"}"#;
        assert_eq!(with_dots(object).as_deref(), Some(r#"{"a.b/c":{"d_e/f":[ 1]},"g":"x_y/z"}"#));
        let everywhere = with_dots_everywhere(r#"[{"m":[{"a_b/c":1}]},{"g":"x_y/z"}]"#);
        assert_eq!(everywhere.as_deref(), Some(r#"[{"m":[{"a.b/c":1}]},{"g":"x_y/z"}]"#));
        assert_eq!((with_dots("{}"), with_dots("[]"), with_dots_everywhere("7")), (None, None, None));
    }
}
