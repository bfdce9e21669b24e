//! Keys whose dots a collector replaced by underscores: `authorization_k8s_io/decision`.
//!
//! The part of such a key before the slash is a DNS name, which cannot hold an underscore. So the way back is not a guess.

use serde_json::value::RawValue;

use crate::json;

/// Nesting of a body that is looked into.
const MAX_DEPTH: usize = 64;

/// The key as it was, when its dots were replaced.
pub(crate) fn restored(key: &str) -> Option<String> {
    let (domain, name) = key.split_once('/')?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_replaced = domain.contains('_') && domain.bytes().all(is_name);
    is_replaced.then(|| format!("{}/{name}", domain.replace('_', ".")))
}

/// An object with dots in its keys; `None` when no key needs any.
pub(crate) fn with_dots(object: &str) -> Option<String> {
    // Nearly every object passes here: those of the server hold no such key.
    memchr::memchr(b'_', object.as_bytes())?;
    let mut any = false;
    let _ = json::members(object, &mut |key, _| any |= restored(&key).is_some());
    if !any {
        return None;
    }
    let mut out = String::with_capacity(object.len());
    rewrite(object, &mut out, 0).then_some(out)
}

/// The same for all objects in a body.
pub(crate) fn with_dots_everywhere(body: &str) -> Option<String> {
    let mut out = String::with_capacity(body.len());
    let is_changed = rewrite(body, &mut out, MAX_DEPTH);
    (is_changed && serde_json::from_str::<&RawValue>(&out).is_ok()).then_some(out)
}

/// Writes a value again with dots in its keys, `depth` levels deep; whether any key changed.
fn rewrite(value: &str, out: &mut String, depth: usize) -> bool {
    let (start, mut changed, mut first) = (out.len(), false, true);
    let whole = match value.as_bytes().first() {
        Some(b'{') => {
            out.push('{');
            let whole = json::members(value, &mut |key, value| {
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                let restored = restored(&key);
                changed |= restored.is_some();
                json::push_string(out, restored.as_deref().unwrap_or(&key));
                out.push(':');
                inner(value, out, depth, &mut changed);
            });
            out.push('}');
            whole.is_ok()
        }
        Some(b'[') => {
            let items = serde_json::from_str::<Vec<&RawValue>>(value);
            out.push('[');
            for item in items.iter().flatten() {
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                inner(item.get(), out, depth, &mut changed);
            }
            out.push(']');
            items.is_ok()
        }
        _ => false,
    };
    if !whole {
        out.truncate(start);
        out.push_str(value);
        return false;
    }
    changed
}

fn inner(value: &str, out: &mut String, depth: usize, changed: &mut bool) {
    match depth {
        0 => out.push_str(value),
        _ => *changed |= rewrite(value, out, depth - 1),
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
