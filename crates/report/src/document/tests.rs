//! Documents in all their forms, with content that an intruder chose.

use serde_json::Value as Json;

use super::figure::{Bar, Bars, Edge, Graph, Heat, Lane, Lanes, Mark, Node, Series, Stack, Tactic, Tactics, Technique};
use super::*;

#[path = "../../../../tests/common/json_schema.rs"]
mod json_schema;
use json_schema::problem;

/// Texts that want to be more than text.
const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "[click](https://evil.example) ![i](https://evil.example/i.png) `x` | <b>",
    "\u{202e}nimda\u{2066}\u{200b}",
    "\u{1b}[2J\u{9b}31m\n# heading\r\n- item",
    "</style></script></svg><svg onload=alert(1)>",
    "--></title><meta http-equiv=refresh content=0;url=https://evil.example>",
    "@everyone #1 ~~x~~ &lt;b&gt; ``` \\",
];

fn with(text: &str) -> Document {
    let name = || Text::plain(text).and_name(text).and_strong(text).and_link("all", text);
    let mut table = Table::new("rows", text, vec![Column::text(text), Column::number("n"), Column::text("list")]);
    table.push(vec![Value::Text(text.to_owned()), Value::Number(1), Value::Texts(vec![text.to_owned()])]);
    let charts = [
        Chart::Lanes(Lanes {
            from: 0,
            to: 10_000_000,
            lanes: vec![Lane {
                name: text.to_owned(),
                seen: Some((0, 5)),
                marks: vec![Mark { at: 5, level: Level::High, words: text.to_owned() }],
            }],
        }),
        Chart::Stack(Stack {
            from: 0,
            step: 1,
            series: vec![Series { name: "denied".to_owned(), counts: vec![1, 0, 7] }],
        }),
        Chart::Heat(Heat { rows: vec!["Mon".to_owned()], columns: vec!["00".to_owned()], counts: vec![vec![3]] }),
        Chart::Bars(Bars {
            what: "requests".to_owned(),
            part: "denied".to_owned(),
            bars: vec![Bar { name: text.to_owned(), count: 9, part: 1 }],
        }),
        Chart::Graph(Graph {
            nodes: [(0, Level::Critical), (1, Level::Low), (900, Level::High)]
                .map(|(step, level)| Node { name: text.to_owned(), level, step, words: text.to_owned() })
                .to_vec(),
            edges: [(0, 1), (1, 0), (1, 1), (0, 2), (0, 77)]
                .map(|(from, to)| Edge { from, to, level: Level::Low, words: text.to_owned(), at: i64::MAX })
                .to_vec(),
        }),
        Chart::Tactics(Tactics(vec![Tactic {
            name: text.to_owned(),
            techniques: vec![Technique {
                id: "T1".to_owned(),
                name: text.to_owned(),
                level: Level::Low,
                queries: vec![text.to_owned()],
            }],
        }])),
    ];
    let mut blocks = vec![
        Block::Prose(name()),
        Block::List(vec![name()]),
        Block::Facts(vec![(text.to_owned(), name())]),
        Block::Note(Tone::Warning, name()),
        Block::Table(table),
        Block::Code { caption: text.to_owned(), text: text.to_owned() },
        Block::Part(Part { id: "part".to_owned(), title: name(), blocks: vec![Block::Prose(name())] }),
    ];
    blocks.extend(charts.into_iter().enumerate().map(|(at, chart)| {
        let (title, description) = (text.to_owned(), text.to_owned());
        Block::Figure(Figure { id: format!("figure-{at}"), title, description, chart })
    }));
    Document {
        title: text.to_owned(),
        organisation: Some(text.to_owned()),
        classification: Some(text.to_owned()),
        made_by: "kforensic".to_owned(),
        facts: vec![("case".to_owned(), name())],
        findings: vec![FindingIndex { query: "q".to_owned(), users: vec![text.to_owned()], ..FindingIndex::default() }],
        sections: vec![Section { id: "all".to_owned(), title: text.to_owned(), blocks }],
    }
}

fn written(document: &Document, format: DocumentFormat) -> String {
    let mut out = Vec::new();
    format.write(document, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The tags of a page, without its own style and script.
fn tags(page: &str) -> Vec<String> {
    let own = |page: &str, name: &str| {
        let (before, rest) = page.split_once(&format!("<{name}>")).unwrap();
        let (_, after) = rest.split_once(&format!("</{name}>")).unwrap();
        format!("{before}{after}")
    };
    let page = own(&own(page, "style"), "script");
    page.split('<').skip(1).map(|tag| tag.split('>').next().unwrap().to_owned()).collect()
}

#[test]
fn a_page_has_the_same_tags_whatever_the_content() {
    let names = |text: &str| -> Vec<String> {
        let of = |tag: String| tag.split([' ', '/']).next().unwrap().to_owned();
        tags(&written(&with(text), DocumentFormat::Html)).into_iter().map(of).collect()
    };
    let harmless = names("harmless");
    for text in HOSTILE {
        assert_eq!(names(text), harmless, "{text}");
    }
}

#[test]
fn a_page_leads_nowhere_but_to_itself_and_obeys_no_character() {
    for text in HOSTILE {
        let page = written(&with(text), DocumentFormat::Html);
        for tag in tags(&page) {
            let attributes = tag.split(['"']).step_by(2).collect::<String>();
            assert!(
                !attributes.contains(" on") && !attributes.contains(" src") && !attributes.contains(" style"),
                "{tag}"
            );
            for link in tag.split("href=\"").skip(1) {
                assert!(link.starts_with('#'), "{tag}");
            }
        }
        let is_ours = |character: char| character == '\n' || !crate::is_hostile(character);
        assert!(page.chars().all(is_ours), "{text}");
    }
}

#[test]
fn the_policy_names_the_hashes_of_style_and_script_and_allows_nothing_else() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let page = written(&with("x"), DocumentFormat::Html);
    let hash = |name: &str| {
        let text = page.split_once(&format!("<{name}>")).unwrap().1.split_once(&format!("</{name}>")).unwrap().0;
        let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text.as_bytes()));
        format!("{name}-src 'sha256-{hash}'").replace('+', "+")
    };
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains(&hash("style")) && page.contains(&hash("script")), "{}", hash("script"));
}

#[test]
fn markdown_has_no_markup_but_its_own() {
    let kinds = |text: &str| -> Vec<String> {
        let page = written(&with(text), DocumentFormat::Markdown);
        let options = pulldown_cmark::Options::ENABLE_TABLES | pulldown_cmark::Options::ENABLE_STRIKETHROUGH;
        let events = pulldown_cmark::Parser::new_ext(&page, options).filter_map(|event| match event {
            // Whether stars beside a bracket make words bold is nobody's business but the reader's.
            pulldown_cmark::Event::Start(pulldown_cmark::Tag::Strong) => None,
            pulldown_cmark::Event::Start(tag) => Some(format!("{tag:?}").split(['(', ' ']).next().unwrap().to_owned()),
            pulldown_cmark::Event::Html(_) | pulldown_cmark::Event::InlineHtml(_) => Some("html".to_owned()),
            _ => None,
        });
        events.collect()
    };
    let harmless = kinds("harmless");
    for text in HOSTILE {
        assert_eq!(kinds(text), harmless, "{text}: {}", written(&with(text), DocumentFormat::Markdown));
    }
}

#[test]
fn words_stay_bold_in_markdown_whatever_blanks_they_end_in() {
    let mut document = with("x");
    document.sections[0].blocks = vec![Block::Prose(Text::default().and_strong("Nothing of ").and_name("prod/web"))];
    let page = written(&document, DocumentFormat::Markdown);
    assert!(page.contains("**Nothing of** `prod/web`"), "{page}");
}

#[test]
fn a_name_of_a_megabyte_is_cut_and_says_so() {
    let page = written(&with(&"x".repeat(1 << 20)), DocumentFormat::Html);
    assert!(page.contains("(cut: 1048576 characters)"));
    let in_cells: usize =
        page.split("<td").skip(1).map(|cell| cell.split("</td>").next().unwrap().len()).max().unwrap();
    assert!(in_cells < 2 * VALUE_CHARS_MAX, "{in_cells}");
}

#[test]
fn json_keeps_values_exactly_and_fits_its_schema() {
    for text in HOSTILE {
        let json: Json = serde_json::from_str(&written(&with(text), DocumentFormat::Json)).unwrap();
        assert_eq!(json["title"], *text);
        assert_eq!(json["sections"][0]["blocks"][4]["rows"][0][0], *text);
        check(&json);
    }
    let json = written(&with("\u{202e}\u{9b}\u{e0041}"), DocumentFormat::Json);
    assert!(json.chars().all(|letter| letter == '\n' || !crate::is_hostile(letter)));
    let broken: Json = serde_json::json!({"schema": "kforensic-report", "version": 2});
    assert!(problem(&schema(), &broken, &schema()).is_some());
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    for format in DocumentFormat::ALL {
        assert_eq!(written(&with("x"), *format), written(&with("x"), *format));
    }
}

fn schema() -> Json {
    serde_json::from_str(include_str!("../../../../docs/report.schema.json")).unwrap()
}

/// Refuses a report that does not fit the documented schema.
pub(crate) fn check(report: &Json) {
    let schema = schema();
    if let Some(problem) = problem(&schema, report, &schema) {
        panic!("{problem}");
    }
}
