//! An answer as a page.

use super::rows::{batch, bytes, columns, hostile_batch, reads, text, written};
use crate::visible::is_hostile;
use crate::{About, Format, Layout, PAGE_ROWS_MAX};

/// A page with everything beside its rows.
fn page_about(about: &About, rows: &arrow::array::RecordBatch) -> String {
    let mut out = Vec::new();
    let mut sink = Format::Html.writer(rows.schema(), Layout::default(), &mut out).unwrap();
    sink.write_batch(rows).unwrap();
    sink.about(about);
    sink.finish().unwrap();
    String::from_utf8(out).unwrap()
}

fn about() -> About {
    About {
        title: "Reads of secrets".into(),
        question: Some("Who read which secret?".into()),
        case: Some("/cases/<b>x</b>".into()),
        fingerprint: Some("abc123".into()),
        window: Some("all times".into()),
        newest: Some("2026-11-21 20:38:00 UTC".into()),
        command: Some("kforensic query secret-reads --user '<script>'".into()),
        sql: Some("SELECT '</code><script>alert(1)</script>'".into()),
        verdict: Some("partly: the log of `<img src=x>` is missing".into()),
        is_reserved: true,
        notes: vec!["3 rows of `\u{202e}evil` are left out".into()],
    }
}

#[test]
fn what_the_rows_of_a_markdown_table_are_worth_is_quoted_below_them() {
    let rows = batch(&reads());
    let mut out = Vec::new();
    let mut sink = Format::Markdown.writer(rows.schema(), Layout::default(), &mut out).unwrap();
    sink.write_batch(&rows).unwrap();
    sink.about(&about());
    sink.finish().unwrap();
    let text = String::from_utf8(out).unwrap();
    let (_, quoted) = text.split_once("\n\n").unwrap();
    let expected =
        "> **Verdict:** partly: the log of `<img src=x>` is missing\n>\n> 3 rows of `\\u{202e}evil` are left out\n";
    assert_eq!(quoted, expected);
}

#[test]
fn a_page_tells_what_its_rows_are() {
    let page = page_about(&about(), &batch(&reads()));
    for words in [
        "<title>Reads of secrets</title>",
        "Who read which secret?",
        "<code><bdi>abc123</bdi></code>",
        "all times",
        "8",
        "db-credentials",
        "Verdict: partly: the log of ",
        "kforensic query secret-reads --user '&lt;script&gt;'",
        "SELECT '&lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;'",
        "default-src 'none'; style-src 'sha256-",
        "<meta name=\"color-scheme\" content=\"light dark\">",
        "prefers-color-scheme: dark",
        "\\u{202e}evil",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    assert_inert(&page);
}

#[test]
fn hostile_cells_are_inert_on_a_page() {
    let page = page_about(&About::default(), &hostile_batch());
    assert_inert(&page);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("<bdi>=cmd|'/c calc'!A1</bdi>"));
    assert!(page.contains("NUL\\x00inside"));
    // A megabyte is cut, and says so.
    assert!(page.len() < 400_000 && page.contains("… (cut: 1000001 characters)"), "{}", page.len());
}

/// Whatever the rows are: one script, which is ours, nothing to load, and no letter that a browser hides.
fn assert_inert(page: &str) {
    assert_eq!(page.matches("<script").count(), 1);
    for word in
        ["src=", "href=\"h", "url(", "<img", "<iframe", "<form", "<base", "<link", "<object", "style=\"", "onerror=\""]
    {
        let found = page.match_indices(word).filter(|(at, _)| {
            // Inside of an escaped text it is only letters.
            let before = page[..*at].rfind('<').unwrap_or(0);
            let ended = page[..*at].rfind('>').unwrap_or(0);
            before > ended || word.starts_with('<')
        });
        assert_eq!(found.count(), 0, "{word}");
    }
    let body = page.split("</style>").nth(1).unwrap();
    assert!(!body.chars().any(|letter| letter != '\n' && letter != '\u{2212}' && is_hostile(letter)));
}

#[test]
fn a_page_has_a_limit_and_says_so() {
    let names: Vec<String> = (0..PAGE_ROWS_MAX + 5).map(|row| format!("secret-{row}")).collect();
    let all: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
    let rows = columns(vec![("name", text(&all))]);
    let parts = [rows.slice(0, 4_000), rows.slice(4_000, names.len() - 4_000)];
    let (page, summary) = written(Format::Html, Layout::default(), &parts);
    assert_eq!((summary.rows, summary.rows_left_out), (PAGE_ROWS_MAX, 5));
    assert!(page.contains("This page shows the first 10000 rows. 5 more are left out here"));
    assert!(page.contains("10000 of 10005: 5 are left out here"));
    assert!(page.contains("secret-9999<") && !page.contains("secret-10000<"));
    // One batch or many: the same bytes.
    assert_eq!(bytes(Format::Html, Layout::default(), &[rows]).0, page.into_bytes());
}

#[test]
fn an_answer_without_rows_is_a_page_too() {
    let (page, summary) = written(Format::Html, Layout::default(), &[batch(&[])]);
    assert_eq!(summary.rows, 0);
    assert!(page.contains("Answer: none."), "{page}");
}
