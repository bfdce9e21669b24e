//! Text on several lines, none of it lost but the spaces at line ends.

use unicode_width::UnicodeWidthChar;

/// After these a line may end: the joints of user names, addresses, image names, paths and sentences.
const JOINTS: &str = "/,.:- ";

/// The joints of a column name.
const NAME_JOINTS: &str = "_ ./:-(,";

/// The lines of `text`, the first at most `first` and the others at most `rest` terminal columns wide. A line breaks
/// after the last joint that fits, else anywhere. A room too small for one character still takes one.
pub(crate) fn wrap(text: &str, first: usize, rest: usize) -> Vec<&str> {
    wrap_at(text, JOINTS, first, rest)
}

/// The lines of a column name in `room` terminal columns.
pub(crate) fn wrap_name(name: &str, room: usize) -> Vec<&str> {
    wrap_at(name, NAME_JOINTS, room, room)
}

/// The width of the widest part of a column name that holds no joint inside.
pub(crate) fn name_part_width_max(name: &str) -> usize {
    name.split_inclusive(|character| NAME_JOINTS.contains(character)).map(crate::visible::width).max().unwrap_or(0)
}

fn wrap_at<'t>(text: &'t str, joints: &str, first: usize, rest: usize) -> Vec<&'t str> {
    let (mut left, mut room) = (text, first);
    let mut lines = Vec::new();
    loop {
        let (line, after) = left.split_at(line_end(left, joints, room));
        lines.push(line.trim_end_matches(' '));
        if after.is_empty() {
            return lines;
        }
        (left, room) = (after, rest);
    }
}

/// The byte after the first line of `text`. Spaces may hang over the end, where they are dropped.
fn line_end(text: &str, joints: &str, room: usize) -> usize {
    let mut width = 0;
    // The byte after the last space, and after the last joint, with the width of the line up to there.
    let mut space = None;
    let mut joint = None;
    for (at, character) in text.char_indices() {
        let character_width = character.width().unwrap_or(0);
        if character != ' ' && width + character_width > room && at > 0 {
            // Words stay whole as long as that leaves no more than half of the line empty.
            let word = space.filter(|(_, used)| used * 2 >= room);
            return word.or(joint).map_or(at, |(end, _)| end);
        }
        width += character_width;
        let here = Some((at + character.len_utf8(), width));
        if character == ' ' {
            space = here;
        }
        if joints.contains(character) {
            joint = here;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_after_joints_else_anywhere() {
        let name = "system:serviceaccount:kube-system:generic-garbage-collector";
        let lines = wrap(name, 16, 16);
        assert_eq!(lines, ["system:", "serviceaccount:", "kube-system:", "generic-garbage-", "collector"]);
        assert_eq!(wrap("0f6b3c8a0f6b3c8a", 6, 6), ["0f6b3c", "8a0f6b", "3c8a"]);
        assert_eq!(wrap("", 6, 6), [""]);
        assert_eq!(wrap("exact", 5, 5), ["exact"]);
    }

    #[test]
    fn spaces_hang_and_nothing_else_is_lost() {
        assert_eq!(wrap("abc def", 3, 3), ["abc", "def"]);
        assert_eq!(wrap("abc    def", 3, 3), ["abc", "def"]);
        assert_eq!(wrap("a bc def", 4, 4), ["a bc", "def"]);
        let reason = "RBAC: allowed by ClusterRoleBinding \"a/b\" of ClusterRole \"b\" to User \"c\"";
        for room in 1..80 {
            let joined: String = wrap(reason, room, room).concat();
            assert_eq!(joined.replace(' ', ""), reason.replace(' ', ""), "{room}");
        }
    }

    #[test]
    fn wide_characters_and_accents_stay_whole() {
        assert_eq!(wrap("日本語", 4, 4), ["日本", "語"]);
        assert_eq!(wrap("日本語", 3, 3), ["日", "本", "語"]);
        assert_eq!(wrap("日本", 1, 1), ["日", "本"]);
        assert_eq!(wrap("ae\u{301}b", 2, 2), ["ae\u{301}", "b"]);
    }

    #[test]
    fn later_lines_may_have_less_room() {
        assert_eq!(wrap("aaaa-bbbb-cccc", 10, 5), ["aaaa-bbbb-", "cccc"]);
        assert_eq!(wrap("aa-bbbbbbb", 8, 3), ["aa-", "bbb", "bbb", "b"]);
    }

    #[test]
    fn names_break_at_underscores() {
        assert_eq!(wrap_name("impersonated_user", 13), ["impersonated_", "user"]);
        assert_eq!(name_part_width_max("impersonated_user"), 13);
        assert_eq!(name_part_width_max("event_time (UTC)"), 6);
    }
}
