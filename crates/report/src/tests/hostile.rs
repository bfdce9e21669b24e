//! Cells that an intruder chose, in a terminal.

use super::rows::{batch, check, columns, letters, reads, table, text, written};
use crate::{Format, Layout};

#[test]
fn hostile_cells_are_harmless_at_every_width() {
    let hostile =
        "\x1b[2J\x1b]0;title\x07\u{9b}31m\u{202e}evil\u{2066}\u{200b}\u{200f}\u{61c}\n\t\r\u{85}\x7f\u{e0041}";
    let long = hostile.repeat(5);
    let accents = format!("e{}", "\u{301}".repeat(50));
    let rows = columns(vec![
        ("user_agent", text(&[Some(hostile), Some(&long), Some("  spaces  "), Some(&accents)])),
        ("x\x1b[31m", text(&[Some("a"), Some("b"), None, Some("\u{301}mark")])),
    ]);
    for width in [Some(20), Some(40), Some(80), Some(200), None] {
        for colour in [false, true] {
            let (table, _) =
                written(Format::Table, Layout { width, colour, ..Layout::default() }, std::slice::from_ref(&rows));
            let table = ["\x1b[0m", "\x1b[1m", "\x1b[2m"].iter().fold(table, |table, code| table.replace(code, ""));
            check(width, &table);
            assert!(letters(&table).contains(r"\u{202e}evil") || width == Some(20), "{table}");
        }
    }
    let (table, _) = table(None, &[rows]);
    assert!(
        table.contains(r"\x1b[2J\x1b]0;title\x07\u{9b}31m\u{202e}evil\u{2066}\u{200b}\u{200f}\u{61c}\n\t\r\u{85}\x7f")
    );
    assert!(table.contains(r"\x20\x20spaces\x20\x20"));
    assert!(table.contains(r"\u{301}mark"));
}

#[test]
fn wide_characters_keep_their_columns() {
    let rows = columns(vec![
        ("name", text(&[Some("機密情報"), Some("plain"), Some("🦀 crab")])),
        ("next", text(&[Some("x"), Some("y"), Some("z")])),
    ]);
    let (shown, _) = table(None, &[rows]);
    assert_eq!(shown, "name      next\n────────  ────\n機密情報  x\nplain     y\n🦀 crab   z\n");
    let long = "管理者の秘密の名前空間".repeat(10);
    let rows = columns(vec![("name", text(&[Some(&long)])), ("note", text(&[Some(&long)]))]);
    for width in 10..100 {
        let (table, _) = table(Some(width), std::slice::from_ref(&rows));
        check(Some(width), &table);
    }
}

#[test]
fn colours_only_when_asked_for() {
    let rows = batch(&reads());
    for width in [Some(200), Some(60), None] {
        let coloured =
            written(Format::Table, Layout { width, colour: true, ..Layout::default() }, std::slice::from_ref(&rows)).0;
        let plain = table(width, std::slice::from_ref(&rows)).0;
        for sequence in ["\x1b[1m", "\x1b[32mallowed\x1b[0m", "\x1b[31mdenied\x1b[0m", "\x1b[33mfailed\x1b[0m"] {
            assert!(coloured.contains(sequence), "{width:?} {sequence:?}");
        }
        assert!(!plain.contains('\x1b'));
        let mut stripped = coloured;
        for code in [0, 1, 2, 31, 32, 33] {
            stripped = stripped.replace(&format!("\x1b[{code}m"), "");
        }
        assert_eq!(stripped, plain);
    }
    let unknown =
        columns(vec![("outcome", text(&[Some("unknown"), Some("other")])), ("verb", text(&[None, Some("denied")]))]);
    let shown = written(Format::Table, Layout { width: None, colour: true, ..Layout::default() }, &[unknown]).0;
    assert!(shown.ends_with("\x1b[2munknown\x1b[0m  \x1b[2m-\x1b[0m\nother    denied\n"), "{shown:?}");
}
