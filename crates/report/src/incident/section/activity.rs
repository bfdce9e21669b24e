//! Requests over time by outcome, of people by hour and weekday, by address and client.

use std::collections::BTreeMap;

use super::super::{Incident, Origin};
use super::Plan;
use crate::document::figure::{Bar, Bars, Heat, Series, Stack};
use crate::document::{Block, Chart, Figure, Section, Text, Value};
use crate::incident::row::{Columns, Row};

const OUTCOMES: [&str; 4] = ["allowed", "failed", "unknown", "denied"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const BARS_MAX: usize = 15;

/// Steps of the picture of all requests: the query is asked for about so many.
pub(crate) const STEPS: i64 = 120;

pub(super) fn make(incident: &Incident, _: &Plan) -> Section {
    let mut blocks = Vec::new();
    let mut add = |id: &str, title: &str, description: &str, chart: Option<Chart>| {
        if let Some(chart) = chart {
            let (id, title, description) = (id.to_owned(), title.to_owned(), description.to_owned());
            blocks.push(Block::Figure(Figure { id, title, description, chart }));
        }
    };
    add("over-time", "Requests over time", "by outcome; times are UTC", stack(incident).map(Chart::Stack));
    add(
        "rhythm",
        "When people work",
        "requests that change something, by weekday and hour (UTC), without the cluster's own components",
        heat(incident).map(Chart::Heat),
    );
    let bars = |what: fn(&Origin) -> Option<&String>| bars(&incident.origins, what).map(Chart::Bars);
    add(
        "addresses",
        "Source addresses",
        "requests by the address that the API server saw, and those denied",
        bars(|origin| origin.source_ip.as_ref()),
    );
    add(
        "agents",
        "Clients",
        "requests by what clients call themselves, which they choose",
        bars(|origin| origin.user_agent.as_ref()),
    );
    if blocks.is_empty() {
        blocks.push(Block::Prose(Text::plain("There are no requests in this window.")));
    }
    Section { id: "activity".to_owned(), title: "Activity".to_owned(), blocks }
}

/// Calls `each` with every row of an answer.
fn rows(batches: &[arrow::array::RecordBatch], mut each: impl FnMut(Row<'_>)) {
    for batch in batches {
        let columns = Columns::of(batch.schema_ref());
        for row in 0..batch.num_rows() {
            let values: Vec<Value> = (0..batch.num_columns()).map(|column| Value::of(batch, column, row)).collect();
            each(Row { columns: &columns, values: &values, about: None });
        }
    }
}

fn stack(incident: &Incident) -> Option<Stack> {
    let mut counts: BTreeMap<i64, [u64; 4]> = BTreeMap::new();
    let mut step = 0;
    rows(&incident.activity, |row| {
        let (Some(at), Some(seconds)) = (row.time("bucket"), row.number("seconds")) else { return };
        step = seconds.saturating_mul(1_000_000);
        let entry = counts.entry(at).or_default();
        for (place, name) in OUTCOMES.iter().enumerate() {
            entry[place] += row.number(name).and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
        }
    });
    let (first, last) = (*counts.keys().next()?, *counts.keys().next_back()?);
    if step <= 0 {
        return None;
    }
    // Far more steps than were asked for mean that the answer is about another span: it is not drawn.
    let steps = usize::try_from((last - first) / step + 1).ok().filter(|steps| *steps <= 4 * STEPS as usize)?;
    let mut series: Vec<Series> =
        OUTCOMES.iter().map(|name| Series { name: (*name).to_owned(), counts: vec![0; steps] }).collect();
    for (at, numbers) in counts {
        let place = usize::try_from((at - first) / step).unwrap_or(0);
        for (series, number) in series.iter_mut().zip(numbers) {
            series.counts[place] += number;
        }
    }
    Some(Stack { from: first, step, series })
}

fn heat(incident: &Incident) -> Option<Heat> {
    let mut counts = vec![vec![0_u64; 24]; DAYS.len()];
    rows(&incident.rhythm, |row| {
        let place = |name: &str| row.number(name).and_then(|number| usize::try_from(number).ok());
        let count = row.number("requests").and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
        if let (Some(day), Some(hour)) = (place("weekday"), place("hour"))
            && let Some(cell) = counts.get_mut(day.wrapping_sub(1)).and_then(|day| day.get_mut(hour))
        {
            *cell += count;
        }
    });
    counts.iter().flatten().any(|count| *count > 0).then(|| Heat {
        rows: DAYS.map(str::to_owned).to_vec(),
        columns: (0..24).map(|hour| format!("{hour:02}")).collect(),
        counts,
    })
}

fn bars(origins: &[Origin], what: fn(&Origin) -> Option<&String>) -> Option<Bars> {
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for origin in origins {
        if let Some(name) = what(origin) {
            let entry = counts.entry(name).or_default();
            entry.0 += origin.requests;
            entry.1 += origin.denied.unwrap_or(0);
        }
    }
    let mut bars: Vec<Bar> =
        counts.into_iter().map(|(name, (count, part))| Bar { name: name.to_owned(), count, part }).collect();
    bars.sort_by(|one, other| (other.count, &one.name).cmp(&(one.count, &other.name)));
    let rest = bars.split_off(bars.len().min(BARS_MAX));
    if !rest.is_empty() {
        let sum = |of: fn(&Bar) -> u64| rest.iter().map(of).sum();
        bars.push(Bar {
            name: format!("{} others", rest.len()),
            count: sum(|bar| bar.count),
            part: sum(|bar| bar.part),
        });
    }
    (!bars.is_empty()).then(|| Bars { what: "requests".to_owned(), part: "denied".to_owned(), bars })
}
