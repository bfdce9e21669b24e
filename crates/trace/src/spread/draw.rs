//! The graph for people and programs: SVG, DOT and JSON. Names come from clients, and stay text in all three.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Edge, Kind, Node, Spread, Strength, Touched};

/// Longest label in a drawing, in characters; the whole name is in the title and in JSON.
const LABEL_CHARACTERS: usize = 44;

const BOX_WIDTH: usize = 330;
const BOX_HEIGHT: usize = 26;
const COLUMN_WIDTH: usize = 480;
const ROW_HEIGHT: usize = 38;
const MARGIN: usize = 20;

/// The graph as an SVG image that runs nothing and refers to nothing.
///
/// `time` renders an instant in microseconds.
pub fn svg(spread: &Spread, time: &dyn Fn(i64) -> String) -> String {
    let places = places(spread);
    let columns = places.values().map(|(column, _)| column + 1).max().unwrap_or(1);
    let rows = places.values().map(|(_, row)| row + 1).max().unwrap_or(1);
    let (width, height) = (columns * COLUMN_WIDTH + MARGIN, rows * ROW_HEIGHT + 2 * MARGIN);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>what the intrusion touched</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    // Writing into a string cannot fail, here and below.
    for edge in &spread.edges {
        if let (Some(from), Some(to)) = (places.get(&edge.from), places.get(&edge.to)) {
            let _ = writeln!(text, "{}", svg_edge(edge, *from, *to, &time(edge.time)));
        }
    }
    for touched in &spread.touched {
        if let Some(place) = places.get(&touched.node) {
            let _ = writeln!(text, "{}", svg_node(touched, *place));
        }
    }
    text.push_str("</svg>\n");
    text
}

/// Column by the steps from the clue, row by the order in which things are told.
fn places(spread: &Spread) -> BTreeMap<&Node, (usize, usize)> {
    let mut filled: BTreeMap<usize, usize> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for touched in &spread.touched {
        let row = filled.entry(touched.depth).or_default();
        places.insert(&touched.node, (touched.depth, *row));
        *row += 1;
    }
    places
}

fn colour(strength: Strength) -> &'static str {
    match strength {
        Strength::Proved => "#b00020",
        Strength::Likely => "#c06000",
        Strength::Possible => "#5f6b7a",
    }
}

fn svg_edge(
    edge: &Edge,
    (from_column, from_row): (usize, usize),
    (to_column, to_row): (usize, usize),
    time: &str,
) -> String {
    let middle = |row: usize| MARGIN + row * ROW_HEIGHT + BOX_HEIGHT / 2;
    let from =
        (MARGIN + from_column * COLUMN_WIDTH + if to_column > from_column { BOX_WIDTH } else { 0 }, middle(from_row));
    let to = (MARGIN + to_column * COLUMN_WIDTH + if to_column > from_column { 0 } else { BOX_WIDTH }, middle(to_row));
    let dash = if edge.strength == Strength::Possible { " stroke-dasharray=\"4 3\"" } else { "" };
    let title = escaped(&format!("{} {} {} ({}, {time})", edge.from, edge.kind, edge.to, edge.strength.name()));
    format!(
        "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\"{dash}><title>{title}</title></line>",
        from.0,
        from.1,
        to.0,
        to.1,
        colour(edge.strength)
    )
}

fn svg_node(touched: &Touched, (column, row): (usize, usize)) -> String {
    let (x, y) = (MARGIN + column * COLUMN_WIDTH, MARGIN + row * ROW_HEIGHT);
    let (colour, fill) = (colour(touched.strength), if touched.depth == 0 { "#fde7ea" } else { "#ffffff" });
    let name = touched.node.to_string();
    let title = match &touched.cut {
        Some(cut) => format!("{name} ({}; not crossed: {cut})", touched.strength.name()),
        None => format!("{name} ({})", touched.strength.name()),
    };
    let dash = if touched.cut.is_some() { " stroke-dasharray=\"2 2\"" } else { "" };
    format!(
        "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"4\" \
         fill=\"{fill}\" stroke=\"{colour}\"{dash}/><text x=\"{}\" y=\"{}\" fill=\"{colour}\">{}</text></g>",
        escaped(&title),
        x + 8,
        y + 17,
        escaped(&shortened(&name))
    )
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(LABEL_CHARACTERS) {
        None => name.to_owned(),
        Some((at, _)) => format!("{}…", &name[..at]),
    }
}

/// Whether a character could do more than be read: control characters, and those that turn the direction of text.
fn is_hostile(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text in XML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter if is_hostile(letter) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out
}

/// The graph in the language of Graphviz.
pub fn dot(spread: &Spread, time: &dyn Fn(i64) -> String) -> String {
    let mut text = "digraph spread {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for touched in &spread.touched {
        let label = match &touched.cut {
            Some(cut) => format!("{} (not crossed: {cut})", touched.node),
            None => touched.node.to_string(),
        };
        let _ = writeln!(
            text,
            "  {} [label={}, color={}, style={}];",
            quoted(&touched.node.to_string()),
            quoted(&label),
            quoted(colour(touched.strength)),
            if touched.depth == 0 { "bold" } else { "solid" }
        );
    }
    for edge in &spread.edges {
        let label = format!("{} ({}, {})", edge.kind, edge.strength.name(), time(edge.time));
        let style = if edge.strength == Strength::Possible { "dashed" } else { "solid" };
        let (from, to) = (quoted(&edge.from.to_string()), quoted(&edge.to.to_string()));
        let _ = writeln!(text, "  {from} -> {to} [label={}, style={style}];", quoted(&label));
    }
    text.push_str("}\n");
    text
}

/// A string in DOT. A backslash begins an escape there (`\N` is the name of the node), so it is doubled.
fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if is_hostile(letter) => {
                let _ = write!(out, "\\\\u{{{:x}}}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// All that was found, for programs.
pub fn json(spread: &Spread, time: &dyn Fn(i64) -> String) -> Value {
    let nodes: Vec<Value> = spread
        .touched
        .iter()
        .map(|touched| {
            json!({
                "id": touched.node.to_string(), "kind": kind_name(touched.node.kind), "name": touched.node.name,
                "strength": touched.strength.name(), "first_moment": touched.since.map(time),
                "depth": touched.depth, "not_crossed": touched.cut,
            })
        })
        .collect();
    let edges: Vec<Value> = spread
        .edges
        .iter()
        .map(|edge| {
            json!({
                "from": edge.from.to_string(), "to": edge.to.to_string(), "kind": edge.kind,
                "strength": edge.strength.name(), "time": time(edge.time), "audit_ids": edge.audit_ids, "note": edge.note,
            })
        })
        .collect();
    let identities: Vec<Value> = spread
        .identities()
        .map(|(touched, reason)| {
            json!({
                "id": touched.node.to_string(), "name": touched.node.name, "strength": touched.strength.name(),
                "first_moment": touched.since.map(time), "reason": reason.map(reason_text),
                "audit_ids": reason.map(|edge| &edge.audit_ids),
            })
        })
        .collect();
    let story: Vec<Value> = spread
        .story
        .iter()
        .map(|step| {
            let act = &step.act;
            json!({
                "first": time(step.first), "last": time(step.last), "who": step.who.to_string(), "verb": act.verb,
                "api_group": act.api_group, "resource": act.resource, "subresource": act.subresource,
                "namespace": act.namespace, "name": step.name, "impersonated_user": act.impersonated,
                "outcome": step.outcome.name(), "source_ip": step.address, "user_agent": step.agent,
                "strength": step.strength.name(), "signs": step.signs, "requests": step.requests,
                "audit_ids": step.audit_ids,
            })
        })
        .collect();
    json!({"identities": identities, "story": story, "nodes": nodes, "edges": edges, "unknown": spread.unknown})
}

/// Why a node is in, as a sentence.
pub fn reason_text(edge: &Edge) -> String {
    let note = edge.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    format!("{} {} {}{note}", edge.from, edge.kind, edge.to)
}

pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Identity => "identity",
        Kind::Rights => "rights",
        Kind::Address => "address",
        Kind::Agent => "agent",
        Kind::Credential => "credential",
        Kind::Certificate => "certificate",
        Kind::Pod => "pod",
        Kind::Secret => "secret",
        Kind::Rbac => "rbac",
        Kind::Workload => "workload",
        Kind::Object => "object",
        Kind::Request => "request",
    }
}

impl Kind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        kind_name(self)
    }
}
