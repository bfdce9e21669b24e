//! Workbooks, as whoever unpacks them sees them.

use std::io::{Cursor, Read};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, TimestampMicrosecondArray, UInt64Array};

use super::rows::{batch, bytes, columns, hostile_batch, reads, text};
use crate::{About, Format, Layout};

/// The parts of a workbook, by name.
fn parts(workbook: &[u8]) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut part = |at: usize| {
        let mut part = zip.by_index(at).unwrap();
        let mut text = String::new();
        part.read_to_string(&mut text).unwrap();
        (part.name().unwrap().into_owned(), text)
    };
    let count = zip::ZipArchive::new(Cursor::new(workbook)).unwrap().len();
    (0..count).map(&mut part).collect()
}

fn part(workbook: &[u8], name: &str) -> String {
    parts(workbook).into_iter().find(|(part, _)| part.ends_with(name)).unwrap().1
}

#[test]
fn a_workbook_has_the_rows_and_what_they_are() {
    let rows = batch(&reads());
    let mut out = Vec::new();
    let mut sink = Format::Xlsx.writer(rows.schema(), Layout::default(), &mut out).unwrap();
    sink.write_batch(&rows).unwrap();
    sink.about(&About {
        title: "Reads of secrets".into(),
        case: Some("case".into()),
        fingerprint: Some("abc123".into()),
        window: Some("all times".into()),
        command: Some("kforensic query secret-reads".into()),
        sql: Some("SELECT 1\nFROM x".into()),
        verdict: Some("seen".into()),
        notes: vec!["2 rows are left out".into()],
        ..About::default()
    });
    assert_eq!(sink.finish().unwrap().rows, 8);
    let sheet = part(&out, "sheet1.xml");
    for words in [
        "db-credentials",
        "event_time",
        "<pane ySplit=\"1\"",
        "<c r=\"H2\" s=\"4\"><v>200</v></c>",
        "<autoFilter ref=\"A1:L9\"/>",
    ] {
        assert!(sheet.contains(words), "{words}\n{sheet}");
    }
    let about = parts(&out).into_iter().map(|(_, text)| text).collect::<String>();
    for words in [
        "Reads of secrets",
        "abc123",
        "all times",
        "kforensic query secret-reads",
        "FROM x",
        "Verdict",
        "2 rows are left out",
    ] {
        assert!(about.contains(words), "{words}");
    }
    assert!(part(&out, "workbook.xml").contains("name=\"about\""));
}

#[test]
fn hostile_cells_are_texts_in_a_workbook() {
    let rows = hostile_batch();
    let (workbook, summary) = bytes(Format::Xlsx, Layout::default(), std::slice::from_ref(&rows));
    assert_eq!(summary.rows, rows.num_rows() as u64);
    // The megabyte stands in user_name, name, groups and user_agent; the second row has no name.
    assert_eq!(summary.values_cut, 7);
    for (name, text) in parts(&workbook) {
        for word in ["<f>", "<f ", "hyperlink", "externalLink", "TargetMode=\"External\"", "<script", "ddeLink", "vba"]
        {
            assert!(!text.contains(word), "{word} in {name}");
        }
        let is_allowed = |letter: char| letter == '\n' || letter == '\r' || !crate::is_hostile(letter);
        assert!(text.chars().all(is_allowed), "{name}");
    }
    let sheet = part(&workbook, "sheet1.xml");
    for words in
        ["=cmd|'/c calc'!A1", "&lt;script&gt;", "admin\\u{202e}nimda", "NUL\\x00inside", "… (cut: 1000001 characters)"]
    {
        assert!(sheet.contains(words), "{words}");
    }
    assert!(sheet.contains("t=\"inlineStr\"") && !sheet.contains("t=\"str\"") && !sheet.contains("t=\"e\""));
}

#[test]
fn values_are_typed_where_nothing_is_lost() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(-5), Some(i64::MAX), None]));
    let big: ArrayRef = Arc::new(UInt64Array::from(vec![1, u64::MAX, 2]));
    let ratio: ArrayRef = Arc::new(Float64Array::from(vec![0.5, f64::NAN, f64::INFINITY]));
    let truth: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]));
    let far = 253_402_300_800_000_000;
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![Some(1_795_293_458_239_247), Some(far), None]));
    let texts = text(&[Some("007"), Some("_x000D_"), Some("")]);
    let rows = columns(vec![
        ("numbers", numbers),
        ("big", big),
        ("ratio", ratio),
        ("truth", truth),
        ("times", times),
        ("texts", texts),
    ]);
    let (workbook, summary) = bytes(Format::Xlsx, Layout::default(), &[rows]);
    assert_eq!((summary.rows, summary.values_cut, summary.rows_left_out), (3, 0, 0));
    let sheet = part(&workbook, "sheet1.xml");
    for cell in [
        "<v>-5</v>",
        "<t>9223372036854775807</t>",
        "<t>18446744073709551615</t>",
        "<v>0.5</v>",
        "<t>NaN</t>",
        "<t>inf</t>",
        "t=\"b\"><v>1</v>",
        "<v>46347.859470361",
        "<t>+10000-01-01T00:00:00.000000Z</t>",
        "<t>007</t>",
        // Excel takes `_x000D_` for a line end unless its first letter is escaped.
        "<t>_x005F_x000D_</t>",
        "<t>\"\"</t>",
    ] {
        assert!(sheet.contains(cell), "{cell}\n{sheet}");
    }
    assert!(!sheet.contains("r=\"A4\""), "NULL is an empty cell");
}

#[test]
fn the_same_rows_are_the_same_bytes() {
    let rows = hostile_batch();
    let whole = bytes(Format::Xlsx, Layout::default(), std::slice::from_ref(&rows)).0;
    let cut = [rows.slice(0, 7), rows.slice(7, rows.num_rows() - 7)];
    assert_eq!(bytes(Format::Xlsx, Layout::default(), &cut).0, whole);
    assert!(part(&whole, "core.xml").contains("2000-01-01T00:00:00Z"));
}

#[test]
fn a_sheet_ends_where_excel_ends() {
    let rows = columns(vec![("one", Arc::new(Int64Array::from(vec![1; 131_072])) as ArrayRef)]);
    let batches = vec![rows; 9];
    let (workbook, summary) = bytes(Format::Xlsx, Layout::default(), &batches);
    assert_eq!((summary.rows, summary.rows_left_out), (1_048_575, 9 * 131_072 - 1_048_575));
    let sheet = part(&workbook, "sheet1.xml");
    assert!(sheet.contains("r=\"A1048576\"") && !sheet.contains("r=\"A1048577\""));
    let all: String = parts(&workbook).into_iter().map(|(_, text)| text).filter(|text| text.len() < 100_000).collect();
    assert!(all.contains("131073 rows of the answer did not fit"));
    let wide = columns((0..16_385).map(|_| ("x", text(&[Some("y")]))).collect());
    let mut out = Vec::new();
    let refused = Format::Xlsx.writer(wide.schema(), Layout::default(), &mut out).err().unwrap();
    assert_eq!(refused.to_string(), "the answer has 16385 columns, and a sheet of Excel has 16384");
}
