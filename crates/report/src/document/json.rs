//! A document as one JSON object, for programs: the same content as on the page, and an index of the findings by which
//! two reports are compared. `docs/report.schema.json` describes it.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};

use super::figure::Figure;
use super::table::{Table, Value};
use super::text::{Span, Text};
use super::{Block, Document, FindingIndex, Part, Section, instant};
use crate::visible::is_hostile;

/// The name of the schema, in `schema`.
pub const SCHEMA: &str = "kforensic-report";

/// Its version, in `version`: it grows when a program that reads reports must change.
pub const SCHEMA_VERSION: u64 = 1;

/// Writes the document.
pub(super) fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(&whole(document))?;
    out.write_all(escaped(&text).as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The same JSON, safe to look at: what a terminal obeys or hides stands in a string only, and there as `\u202e`.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() || !is_hostile(character) {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

fn whole(document: &Document) -> Json {
    json!({
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "title": document.title,
        "organisation": document.organisation,
        "classification": document.classification,
        "made_by": document.made_by,
        "facts": facts(&document.facts),
        "findings": document.findings.iter().map(finding).collect::<Vec<_>>(),
        "sections": document.sections.iter().map(section).collect::<Vec<_>>(),
    })
}

fn finding(finding: &FindingIndex) -> Json {
    json!({
        "query": finding.query,
        "title": finding.title,
        "severity": finding.level.name(),
        "attack": finding.attack,
        "rows": finding.rows,
        "first": finding.first,
        "last": finding.last,
        "verdict": finding.verdict,
        "users": finding.users,
        "source_ips": finding.source_ips,
        "row_keys": finding.row_keys,
    })
}

fn section(section: &Section) -> Json {
    json!({"id": section.id, "title": section.title, "blocks": blocks(&section.blocks)})
}

fn blocks(blocks: &[Block]) -> Vec<Json> {
    blocks.iter().map(block).collect()
}

fn block(block: &Block) -> Json {
    match block {
        Block::Prose(words) => json!({"type": "prose", "text": text(words)}),
        Block::List(items) => json!({"type": "list", "items": items.iter().map(text).collect::<Vec<_>>()}),
        Block::Facts(pairs) => json!({"type": "facts", "facts": facts(pairs)}),
        Block::Note(tone, words) => json!({"type": "note", "tone": tone.name(), "text": text(words)}),
        Block::Table(rows) => with_type("table", table(rows)),
        Block::Figure(picture) => figure(picture),
        Block::Code { caption, text } => json!({"type": "code", "caption": caption, "text": text}),
        Block::Part(part) => whole_part(part),
    }
}

fn whole_part(part: &Part) -> Json {
    json!({"type": "part", "id": part.id, "title": text(&part.title), "blocks": blocks(&part.blocks)})
}

fn facts(pairs: &[(String, Text)]) -> Vec<Json> {
    pairs.iter().map(|(name, meaning)| json!({"name": name, "text": text(meaning)})).collect()
}

/// The spans, because a program wants names apart from words.
fn text(text: &Text) -> Json {
    let spans = text.0.iter().map(|span| match span {
        Span::Plain(words) => json!({"words": words}),
        Span::Strong(words) => json!({"words": words, "strong": true}),
        Span::Name(name) => json!({"name": name}),
        Span::Link { to, words } => json!({"words": words, "to": to}),
        Span::Level(level) => json!({"level": level.name()}),
    });
    Json::Array(spans.collect())
}

fn figure(figure: &Figure) -> Json {
    let numbers = figure.chart.table(&format!("{}-numbers", figure.id), &figure.title);
    json!({
        "type": "figure",
        "id": figure.id,
        "kind": figure.chart.name(),
        "title": figure.title,
        "description": figure.description,
        "numbers": table(&numbers),
    })
}

fn table(rows: &Table) -> Json {
    let columns = rows.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>();
    let shown = rows.rows.iter().map(|row| Json::Array(row.iter().map(value).collect()));
    json!({
        "id": rows.id,
        "caption": rows.caption,
        "columns": columns,
        "rows": shown.collect::<Vec<_>>(),
        "total_rows": rows.total_rows,
        "data_file": rows.data_file,
    })
}

fn with_type(kind: &str, mut object: Json) -> Json {
    if let Json::Object(members) = &mut object {
        let mut typed = Map::new();
        typed.insert("type".to_owned(), kind.into());
        typed.append(members);
        return Json::Object(typed);
    }
    object
}

fn value(value: &Value) -> Json {
    match value {
        Value::Nothing => Json::Null,
        Value::Text(text) | Value::Shown(text) | Value::Words(text) => json!(text),
        Value::Texts(texts) => json!(texts),
        Value::Number(number) => json!(number),
        Value::Literal(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        Value::Time(at) => json!(instant::rfc3339(*at)),
        Value::Level(level) => json!(level.name()),
        Value::Link { words, .. } => json!(words),
    }
}
