//! Lines with a header of syslog: RFC 5424 (`<134>1 2026-11-21T20:37:37Z host app - - {…}`) or the older
//! RFC 3164, with its priority or, as in `/var/log/messages`, without (`Nov 21 20:37:37 host app[1]: {…}`); as lines, or behind
//! their lengths, as they come over TCP.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "syslog",
    summary: "syslog, RFC 5424 or RFC 3164",
    recognises: |head| head.framing == "counted" || is_header(&head.prefix),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

fn is_header(prefix: &str) -> bool {
    const MONTHS: [&str; 12] =
        ["Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ", "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec "];
    let priority = prefix.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match priority {
        Some((priority, _)) => !priority.is_empty() && priority.bytes().all(|byte| byte.is_ascii_digit()),
        None => MONTHS.iter().any(|month| prefix.starts_with(month)) && prefix.as_bytes().get(9) == Some(&b':'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_told_from_other_prefixes() {
        for header in
            ["<134>1 2026-11-21T20:37:37Z cp-1 audit - - ", "<14>Nov 21 20:37:37 cp ", "Nov  1 20:37:37 cp x: "]
        {
            assert!(is_header(header), "{header}");
        }
        for other in ["", "node-1 ", "<a> ", "<> ", "Nov is a node "] {
            assert!(!is_header(other), "{other}");
        }
    }
}
