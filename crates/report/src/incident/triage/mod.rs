//! The screen of `kforensic triage`: what is in the case, who stands out, what happened, what is left behind, what the
//! log cannot tell, and what to ask next. Dense, because it is read at a terminal by somebody in a hurry.

mod findings;
mod page;
pub(super) mod words;

use std::fmt::Write as _;

use super::Incident;
use super::deed::{Deed, plain};
use super::happened::{happened, people, why};
use super::people::Person;
use super::remains::left_behind;
use crate::document::instant;
use crate::visible::{escape, width};
use findings::findings;
use page::Page;
use words::{counted, first_lines, limited, name, padded, span, span_millis, terse, who};

/// What the screen can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Columns of text.
    pub width: usize,
    /// Whether ANSI colours may be written.
    pub colour: bool,
    /// Whether to say how long ago the log ended: only where the clock may change the text.
    pub tells_age: bool,
}

/// Columns of text where nobody says how many there are: what a report or a ticket holds.
const WIDTH: usize = 120;

impl Default for Screen {
    fn default() -> Self {
        Self { width: WIDTH, colour: false, tells_age: false }
    }
}

const PEOPLE_MAX: usize = 6;
const DEEDS_MAX: usize = 22;
const FINDINGS_MAX: usize = 40;
const BLIND_MAX: usize = 6;
const LEFT_MAX: usize = 12;

/// Below this a line has no room for what it must say; a narrower terminal wraps it.
const WIDTH_MIN: usize = 80;

/// The screen, as text.
#[must_use]
pub fn triage(incident: &Incident, screen: Screen) -> String {
    let mut page = Page { text: String::new(), width: screen.width.max(WIDTH_MIN), colour: screen.colour };
    let (people, people_left_out) = people(incident, PEOPLE_MAX);
    case(&mut page, incident, screen);
    stand_out(&mut page, &people, people_left_out);
    what_happened(&mut page, incident, &people);
    findings(&mut page, incident);
    remains(&mut page, incident);
    cannot_tell(&mut page, incident);
    next(&mut page, incident, &people);
    page.text
}

fn case(page: &mut Page, incident: &Incident, screen: Screen) {
    let evidence = &incident.evidence;
    let parts = [
        counted(evidence.sources, "file"),
        counted(evidence.events, "event"),
        counted(evidence.requests, "request"),
        counted(evidence.identities, "identity"),
        format!("{} rejected", evidence.rejected),
        format!("{} redacted", counted(evidence.redacted, "secret value")),
    ];
    page.line(&format!("{}   {}", escape(&evidence.case), parts.join(", ")));
    let Some((first, last)) = evidence.times else {
        page.line("there are no events in the case");
        return;
    };
    let mut line = format!("{} UTC ({})", span(first, last), instant::length(last.saturating_sub(first)));
    if screen.tells_age && incident.now > last {
        let _ = write!(line, ", ended {} ago: ages need --now last", instant::length(incident.now - last));
    }
    page.line(&line);
    let named = |what: &str, names: &[String]| {
        let names: Vec<_> = names.iter().map(|name| escape(name)).collect();
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    let from: Vec<String> =
        [named("cluster", &evidence.clusters), named("host", &evidence.hosts)].into_iter().flatten().collect();
    if !from.is_empty() {
        page.line(&from.join("; "));
    }
    if let (None, None) = incident.window {
        return;
    }
    let time = |at: Option<i64>| at.map_or("…".to_owned(), instant::seconds);
    page.line(&format!("asked for {} to {} UTC only", time(incident.window.0), time(incident.window.1)));
}

fn stand_out(page: &mut Page, people: &[Person], left_out: usize) {
    if people.is_empty() {
        return;
    }
    let from_width = (page.width / 4).min(26);
    page.heading("WHO STANDS OUT", &format!("          requests  denied  {:<from_width$}  why", "from"));
    for person in people {
        let from = limited(&person.source_ips, 2);
        let head = format!(
            "{}  {:>8}  {:>6}  {}  ",
            padded(&name(&person.who), 22),
            person.requests,
            // Nobody knows what became of requests without an answer.
            person.denied.map_or_else(|| "?".to_owned(), |denied| denied.to_string()),
            padded(&from, from_width),
        );
        let room = page.width.saturating_sub(width(&head));
        let why = escape(&why(person).join("; ")).into_owned();
        for (at, line) in first_lines(&why, room, 2).into_iter().enumerate() {
            let before = if at == 0 { head.clone() } else { " ".repeat(width(&head)) };
            page.line(&format!("{before}{line}"));
        }
    }
    if left_out > 0 {
        page.line(&format!("and {left_out} more: `kforensic query top-actors`"));
    }
}

fn what_happened(page: &mut Page, incident: &Incident, people: &[Person]) {
    let told = happened(incident, people, DEEDS_MAX);
    let Some(first) = told.deeds.first() else { return };
    let (from, to) = (first.at, told.deeds.iter().map(|deed| deed.until.max(deed.at)).fold(first.at, i64::max));
    // The day stands in the first line of the screen, where it is the only one.
    let is_same_day = |at: i64| instant::seconds(at).get(..10) == instant::seconds(from).get(..10);
    let day = match incident.evidence.times {
        Some((begin, end)) if is_same_day(begin) && is_same_day(end) => String::new(),
        _ => instant::seconds(from).get(..11).filter(|_| is_same_day(to)).unwrap_or_default().to_owned(),
    };
    page.heading("WHAT HAPPENED", &format!(", {day}{} ({})", span_millis(from, to), instant::length(to - from)));
    let same = |end: usize| instant::seconds(from).get(..end) == instant::seconds(to).get(..end);
    // What all have in common stands in the heading.
    let begin = if same(13) {
        14
    } else if same(10) {
        11
    } else {
        5
    };
    let longest = |of: &dyn Fn(&Deed) -> usize, most: usize| told.deeds.iter().map(of).max().unwrap_or(0).min(most);
    let from_width = longest(&|deed| deed.from.first().map_or(1, |from| width(&escape(from))), 15);
    let who_width = longest(&|deed| width(&who(deed)), if page.width < WIDTH { 16 } else { 20 });
    let query_width = longest(&|deed| deed.queries.first().map_or(0, |query| width(query)), 20);
    for deed in &told.deeds {
        let time = instant::millis(deed.at);
        let time = time.get(begin..).unwrap_or(&time);
        let head = format!(
            "{time}  {}  {}  ",
            padded(&deed.from.first().map_or("-".into(), |from| escape(from).into_owned()), from_width),
            padded(&who(deed), who_width)
        );
        // The words go before the name of the query, which stands among the findings as well.
        let query = deed.queries.first().map_or("", String::as_str);
        // What stands at the end of a long line is cut off, and in which cluster it was is not to be.
        let cluster = deed.cluster.as_deref().map_or_else(String::new, |name| format!("[{}] ", escape(name)));
        let alone = Deed { cluster: None, ..deed.clone() };
        let text = format!("{cluster}{}{}", terse(&alone.text()), plain(&deed.who.list()));
        let column = page.width.saturating_sub(width(&head) + query_width + 2);
        match width(&text) <= column {
            true => page.line(&format!("{head}{}  {query}", padded(&text, column))),
            false => page.line(&format!("{head}{text}")),
        }
    }
    if told.left_out > 0 {
        page.line(&format!("and {} more, less telling: `kforensic report`", told.left_out));
    }
    let untold: Vec<String> =
        incident.left_out().map(|(query, rows)| format!("{} of {query}", counted(rows, "row"))).collect();
    if !untold.is_empty() {
        page.line(&format!("too many to be told one by one: {}", limited(&untold, 3)));
    }
}

fn remains(page: &mut Page, incident: &Incident) {
    let left = left_behind(incident);
    let mut names: Vec<String> = left.iter().map(|one| format!("{}{}", escape(&one.words()), one.remark())).collect();
    if names.is_empty() {
        return;
    }
    let more = names.len().saturating_sub(LEFT_MAX);
    names.truncate(LEFT_MAX);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    page.wrapped("NO DELETE SEEN OF", &format!("{}{more}", names.join(", ")));
}

fn cannot_tell(page: &mut Page, incident: &Incident) {
    let lines = blind(incident);
    if lines.is_empty() && incident.reservations.is_empty() {
        return;
    }
    let room = page.width.saturating_sub("THIS LOG CANNOT TELL".len() + 2);
    let short = |line: &String| first_lines(line, room, 3).join(" ");
    let mut text: Vec<String> = lines.iter().take(BLIND_MAX).map(short).collect();
    if lines.len() > BLIND_MAX {
        text.push(format!("and {} more questions: `kforensic query coverage`", lines.len() - BLIND_MAX));
    }
    text.extend(incident.reservations.iter().map(|words| escape(words).into_owned()));
    page.wrapped("THIS LOG CANNOT TELL", &text.join("\n"));
}

/// What the detections are blind to, those together that are blind for the same reason.
pub(super) fn blind(incident: &Incident) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for finding in incident.findings.iter().filter(|finding| finding.question.verdict.is_blind) {
        let verdict = &finding.question.verdict;
        let words = if verdict.words.is_empty() {
            verdict.state.clone()
        } else {
            format!("{}: {}", verdict.state, verdict.words)
        };
        match reasons.iter_mut().find(|(known, _)| *known == words) {
            Some((_, names)) => names.push(&finding.question.name),
            None => reasons.push((words, vec![&finding.question.name])),
        }
    }
    // What cannot be seen at all comes first: its `0 rows` would be believed.
    reasons.sort_by_key(|(words, names)| (!words.starts_with("not observable"), std::cmp::Reverse(names.len())));
    let lines = reasons.into_iter().map(|(words, names)| {
        let shown = names.iter().take(4).copied().collect::<Vec<_>>().join(", ");
        let more = names.len().saturating_sub(4);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{shown}{more}: {}", escape(&words))
    });
    lines.collect()
}

fn next(page: &mut Page, incident: &Incident, people: &[Person]) {
    let found = incident.found().count();
    let trusted: u64 = incident.findings.iter().map(|finding| finding.trusted_rows).sum();
    let trusted = if trusted > 0 { format!("; {} hidden as trusted", counted(trusted, "row")) } else { String::new() };
    page.text.push('\n');
    page.line(&format!("{found} of {} detections found something{trusted}", incident.findings.len()));
    let mut commands: Vec<String> = incident.first.iter().cloned().collect();
    if let Some(finding) = incident.found().next() {
        commands.push(format!("kforensic query {}", finding.question.name));
    }
    if let Some(who) = people.iter().find_map(|person| person.who.name()) {
        commands.push(format!("kforensic query timeline --user {}", quoted(who)));
    }
    commands.push("kforensic report -o report.html".to_owned());
    // A client can choose a name that nobody can copy from a screen.
    commands.retain(|command| command.chars().count() <= COMMAND_CHARS_MAX);
    page.commands("next: ", &commands);
}

/// Commands that are longer are not shown.
const COMMAND_CHARS_MAX: usize = 300;

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:@/".contains(letter);
    match name.chars().all(is_plain) && !name.is_empty() {
        true => name.to_owned(),
        false => format!("'{}'", escape(name).replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Level;
    use crate::incident::{Finding, Question, Sender};

    #[test]
    fn the_screen_of_an_empty_case_says_so() {
        let text = triage(&Incident::default(), Screen::default());
        assert!(text.contains("there are no events in the case"), "{text}");
        assert!(text.contains("no detection found anything"), "{text}");
    }

    #[test]
    fn nothing_of_a_client_reaches_the_terminal_as_it_is() {
        let evil = "\u{1b}[2J\u{202e}evil\u{9b}31m".to_owned() + &"x".repeat(1 << 20);
        let deed = Deed {
            who: Sender::One(evil.clone()),
            from: vec![evil.clone()],
            words: crate::document::Text::name(evil.clone()),
            level: Level::High,
            audit_id: Some("a".to_owned()),
            ..Deed::default()
        };
        let question = Question { name: "q".to_owned(), level: Level::High, ..Question::default() };
        let finding = Finding {
            question,
            total_rows: 1,
            deeds: vec![deed],
            users: vec![(evil.clone(), 1)],
            senders: [Sender::One(evil.clone())].into(),
            source_ips: vec![(evil, 1)],
            times: Some((0, 0)),
            ..Finding::default()
        };
        let incident = Incident { findings: vec![finding], ..Incident::default() };
        let text = triage(&incident, Screen::default());
        assert!(!text.chars().any(|letter| letter != '\n' && crate::is_hostile(letter)), "{text:?}");
        assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
    }

    #[test]
    fn what_was_done_again_days_later_is_told_with_its_days() {
        const DAY: i64 = 86_400_000_000;
        let deed = |at: i64, id: &str| Deed {
            at,
            until: at,
            times: 1,
            who: Sender::One("mia".to_owned()),
            words: crate::document::Text::plain("created pod prod/helper"),
            level: Level::High,
            audit_id: Some(id.to_owned()),
            queries: vec!["q".to_owned()],
            ..Deed::default()
        };
        let question = Question { name: "q".to_owned(), level: Level::High, ..Question::default() };
        let finding = Finding {
            question,
            total_rows: 2,
            deeds: vec![deed(DAY, "a"), deed(3 * DAY, "b")],
            users: vec![("mia".to_owned(), 2)],
            senders: [Sender::One("mia".to_owned())].into(),
            times: Some((DAY, 3 * DAY)),
            ..Finding::default()
        };
        let mut incident = Incident { findings: vec![finding], ..Incident::default() };
        incident.evidence.times = Some((0, 3 * DAY));
        let text = triage(&incident, Screen::default());
        let heading = "WHAT HAPPENED, 1970-01-02 00:00:00.000 to 1970-01-04 00:00:00.000 (2 d)";
        assert!(text.contains(heading) && text.contains(", 2 times until 1970-01-04 00:00:00"), "{text}");
        // One day of a longer log is named.
        incident.findings[0].deeds.truncate(1);
        let text = triage(&incident, Screen::default());
        assert!(text.contains("WHAT HAPPENED, 1970-01-02 00:00:00.000 to 00:00:00.000 (0.0 s)"), "{text}");
    }
}
