//! The screen of `kforensic triage`: what is in the case, who stands out, what happened, what is left behind, what the
//! log cannot tell, and what to ask next. Dense, because it is read at a terminal by somebody in a hurry.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

use super::deed::Deed;
use super::happened::{happened, people, why};
use super::people::Person;
use super::remains::{left_behind, words_of};
use super::{Finding, Incident};
use crate::document::{Level, instant};
use crate::visible::{escape, is_hostile, width};

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
    remains(&mut page, incident, &people);
    cannot_tell(&mut page, incident);
    next(&mut page, incident, &people);
    page.text
}

/// Lines of a width.
struct Page {
    text: String,
    width: usize,
    colour: bool,
}

/// What a client chose is escaped where it is put in; this keeps a forgotten one from reaching the terminal.
fn harmless(line: &str) -> String {
    line.chars().filter(|letter| !is_hostile(*letter)).collect()
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(fitted(&harmless(line), self.width).trim_end());
        self.text.push('\n');
    }

    fn heading(&mut self, name: &str, rest: &str) {
        let line = fitted(&format!("{name}{}", harmless(rest)), self.width);
        let line = line.trim_end();
        match self.colour.then(|| line.strip_prefix(name)).flatten() {
            Some(rest) => drop(writeln!(self.text, "\n\x1b[1m{name}\x1b[0m{rest}")),
            None => drop(writeln!(self.text, "\n{line}")),
        }
    }

    fn level(&self, level: Level) -> String {
        let name = format!("{:<8}", level.name());
        let colour = match level {
            Level::Critical => "1;31",
            Level::High => "31",
            Level::Medium => "33",
            Level::Low => "34",
            Level::Info => "2",
        };
        if self.colour { format!("\x1b[{colour}m{name}\x1b[0m") } else { name }
    }

    /// A line that begins with a level, whose colour does not count as width.
    fn levelled(&mut self, level: Level, rest: &str) {
        let rest = fitted(&harmless(rest), self.width - 9);
        let level = self.level(level);
        let _ = writeln!(self.text, "{level} {}", rest.trim_end());
    }
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
            padded(&name(person.who.as_deref()), 22),
            person.requests,
            person.denied,
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
    let (Some(first), Some(last)) = (told.deeds.first(), told.deeds.last()) else { return };
    let (from, to) = (first.at, told.deeds.iter().map(|deed| deed.at).max().unwrap_or(last.at));
    page.heading("WHAT HAPPENED", &format!(", {} ({})", span_millis(from, to), instant::length(to - from)));
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
        let text = terse(&deed.text());
        let column = page.width.saturating_sub(width(&head) + query_width + 2);
        match width(&text) <= column {
            true => page.line(&format!("{head}{}  {query}", padded(&text, column))),
            false => page.line(&format!("{head}{text}")),
        }
    }
    if told.left_out > 0 {
        page.line(&format!("and {} more, less telling: `kforensic report`", told.left_out));
    }
}

fn findings(page: &mut Page, incident: &Incident) {
    let found: Vec<&Finding> = incident.found().collect();
    if found.is_empty() {
        page.heading("FINDINGS", "  no detection found anything");
        return;
    }
    let counts = Level::ALL.into_iter().filter_map(|level| {
        let count = found.iter().filter(|finding| finding.question.level == level).count();
        (count > 0).then(|| format!("{count} {level}"))
    });
    page.heading("FINDINGS", &format!("  {}", counts.collect::<Vec<_>>().join(", ")));
    let told = || found.iter().take(FINDINGS_MAX).filter(|finding| finding.question.level >= Level::Medium);
    let columns = FindingColumns::of(page.width, told().map(|finding| width(&users_of(finding))).max().unwrap_or(0));
    for finding in told() {
        page.levelled(finding.question.level, &columns.line(finding));
    }
    let small = found.iter().filter(|finding| finding.question.level < Level::Medium).count();
    if small > 0 {
        page.line(&format!("and {small} of low severity or less: `kforensic report`"));
    }
}

/// Some of the users of a finding.
fn users_of(finding: &Finding) -> String {
    let names: Vec<String> = finding.users.iter().map(|(name, _)| short_name(name)).collect();
    limited(&names, 2)
}

/// How much room the columns of a finding have behind its level and the name of its query.
struct FindingColumns {
    users: usize,
    has_addresses: bool,
    /// Both ends of the time, or only when it began.
    is_spanned: bool,
}

impl FindingColumns {
    const NAME: usize = 28;
    const ADDRESS: usize = 14;

    /// Names of users take what the others leave, as far as they need it. What is only partly seen is told in any width,
    /// and so is a beginning.
    fn of(page_width: usize, users_widest: usize) -> Self {
        const ROWS: usize = 5;
        const USERS_MIN: usize = 10;
        let (is_spanned, has_addresses) = (page_width >= 108, page_width >= 96);
        let address = if has_addresses { Self::ADDRESS + 2 } else { 0 };
        let others =
            "critical ".len() + Self::NAME + 2 + ROWS + 2 + 2 + address + Self::time(is_spanned) + "  partly".len();
        let users = page_width.saturating_sub(others).min(users_widest).max(USERS_MIN);
        Self { users, has_addresses, is_spanned }
    }

    fn time(is_spanned: bool) -> usize {
        if is_spanned { "11-21 20:37:04 to 20:38:24".len() } else { "11-21 20:37:04".len() }
    }

    fn line(&self, finding: &Finding) -> String {
        let addresses: Vec<String> = finding.source_ips.iter().map(|(address, _)| address.clone()).collect();
        let times = finding.times.map(|(first, last)| span_short(first, if self.is_spanned { last } else { first }));
        let mut line = format!("{}  {:>5}  ", padded(&finding.question.name, Self::NAME), finding.total_rows);
        line.push_str(&padded(&users_of(finding), self.users));
        if self.has_addresses {
            line.push_str("  ");
            line.push_str(&padded(&limited(&addresses, 1), Self::ADDRESS));
        }
        let times = times.unwrap_or_default();
        let partly = if finding.question.verdict.is_blind { "partly" } else { "" };
        let _ = write!(line, "  {times:<width$}  {partly}", width = Self::time(self.is_spanned));
        line.trim_end().to_owned()
    }
}

fn remains(page: &mut Page, incident: &Incident, people: &[Person]) {
    let left = left_behind(incident, people);
    let mut names: Vec<String> = Vec::new();
    for deed in &left {
        if let Some(object) = &deed.made {
            names.push(escape(&words_of(deed, object)).into_owned());
        }
    }
    if names.is_empty() {
        return;
    }
    let more = names.len().saturating_sub(LEFT_MAX);
    names.truncate(LEFT_MAX);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    wrapped(page, "NO DELETE SEEN OF", &format!("{}{more}", names.join(", ")));
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
    wrapped(page, "THIS LOG CANNOT TELL", &text.join("\n"));
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
    let mut commands = Vec::new();
    if let Some(finding) = incident.found().next() {
        commands.push(format!("kforensic query {}", finding.question.name));
    }
    if let Some(who) = people.iter().find_map(|person| person.who.as_deref()) {
        commands.push(format!("kforensic query timeline --user {}", quoted(who)));
    }
    commands.push("kforensic report -o report.html".to_owned());
    // A client can choose a name that nobody can copy from a screen.
    commands.retain(|command| command.chars().count() <= COMMAND_CHARS_MAX);
    commands_in_lines(page, "next: ", &commands);
}

/// Commands that are longer are not shown.
const COMMAND_CHARS_MAX: usize = 300;

/// Commands, as many in a line as fit. None is cut: it is there to be copied.
fn commands_in_lines(page: &mut Page, name: &str, commands: &[String]) {
    let mut line = name.to_owned();
    for (number, command) in commands.iter().enumerate() {
        let comma = if number + 1 < commands.len() { "," } else { "" };
        let word = harmless(&format!("`{command}`{comma}"));
        if line.len() > name.len() && line.chars().count() + 1 + word.chars().count() > page.width {
            page.text.push_str(&line);
            page.text.push('\n');
            line = " ".repeat(name.len());
        }
        if line.len() > name.len() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    page.text.push_str(&line);
    page.text.push('\n');
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:@/".contains(letter);
    match name.chars().all(is_plain) && !name.is_empty() {
        true => name.to_owned(),
        false => format!("'{}'", escape(name).replace('\'', "'\\''")),
    }
}

/// A sentence in fewer letters: `+` for made, `-` for deleted, `~` for changed.
fn terse(text: &str) -> String {
    const SHORT: [(&str, &str); 7] = [
        ("created ", "+ "),
        ("deleted ", "- "),
        ("changed ", "~ "),
        ("read the values of ", "READ "),
        ("tried: ", "TRIED to "),
        ("tried to ", "TRIED to "),
        ("ran ", "RAN "),
    ];
    let short = SHORT.iter().find_map(|(long, short)| Some(format!("{short}{}", text.strip_prefix(long)?)));
    let text = short.unwrap_or_else(|| text.to_owned());
    let text = text.replacen(", giving ClusterRole/", " = ", 1).replacen(", giving Role/", " = ", 1);
    let text = text.replacen(", to ServiceAccount/", " to ", 1).replacen(", to Group/", " to group ", 1);
    text.replacen(" of the whole cluster", " of the cluster", 1).replacen(", with the rule ", ": ", 1)
}

/// Lines that are not longer than the room, broken between words.
fn words_in_lines(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().map_or(0, |line| width(line));
        if line > 0 && line + 1 + width(word) > room {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// The first lines of a text, the last of which says when there are more.
fn first_lines(text: &str, room: usize, most: usize) -> Vec<String> {
    let mut lines = words_in_lines(text, room);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let end = last.trim_end_matches([',', ';', ' ']).len();
            last.truncate(end);
            *last = fitted(&format!("{last} …"), room);
        }
    }
    lines
}

/// A name and a text, the lines of which stand below one another.
fn wrapped(page: &mut Page, name: &str, text: &str) {
    let indent = name.len() + 2;
    let room = page.width.saturating_sub(indent).max(20);
    let mut is_first = true;
    for paragraph in text.split('\n') {
        for line in words_in_lines(paragraph, room) {
            match is_first {
                true => page.heading(name, &format!("  {line}")),
                false => page.line(&format!("{:indent$}{line}", "")),
            }
            is_first = false;
        }
    }
}

fn who(deed: &Deed) -> String {
    match &deed.as_whom {
        Some(whom) => format!("{} as {}", name(deed.who.as_deref()), short_name(whom)),
        None => name(deed.who.as_deref()),
    }
}

/// A user as people say it; a service account without the words that all have.
fn name(who: Option<&str>) -> String {
    who.map_or_else(|| "(no credential)".to_owned(), short_name)
}

fn short_name(who: &str) -> String {
    let name = who.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    match name {
        Some((namespace, name)) => format!("{} ({})", escape(name), escape(namespace)),
        None => escape(who).into_owned(),
    }
}

fn limited(names: &[String], most: usize) -> String {
    let shown: Vec<_> = names.iter().take(most).map(|name| escape(name)).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} +{more}", shown.join(", ")),
    }
}

fn counted(number: u64, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {what}s"),
    }
}

/// Two instants, the second without the day when it is the same.
pub(super) fn span(first: i64, last: i64) -> String {
    let (from, to) = (instant::seconds(first), instant::seconds(last));
    match (from.get(..10) == to.get(..10), to.get(11..)) {
        (true, Some(clock)) => format!("{from} to {clock}"),
        _ => format!("{from} to {to}"),
    }
}

fn span_millis(first: i64, last: i64) -> String {
    let (from, to) = (instant::millis(first), instant::millis(last));
    match (from.get(..10) == to.get(..10), from.get(11..), to.get(11..)) {
        (true, Some(from), Some(to)) => format!("{from} to {to}"),
        _ => format!("{from} to {to}"),
    }
}

fn span_short(first: i64, last: i64) -> String {
    let (from, to) = (instant::seconds(first), instant::seconds(last));
    match (from == to, from.get(..10) == to.get(..10)) {
        (true, _) => from.get(5..).unwrap_or(&from).to_owned(),
        (false, true) => format!("{} to {}", from.get(5..).unwrap_or(&from), to.get(11..).unwrap_or(&to)),
        (false, false) => format!("{} to {}", from.get(5..16).unwrap_or(&from), to.get(5..16).unwrap_or(&to)),
    }
}

/// The text, cut where it does not fit.
fn fitted(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for letter in text.chars() {
        let letter_width = letter.width().unwrap_or(0);
        if used + letter_width + 1 > room {
            break;
        }
        used += letter_width;
        cut.push(letter);
    }
    cut.push('…');
    cut
}

/// The text, cut or filled to exactly the room.
fn padded(text: &str, room: usize) -> String {
    let mut text = fitted(text, room);
    let missing = room.saturating_sub(width(&text));
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Question;

    #[test]
    fn texts_fit_whatever_their_letters() {
        assert_eq!(fitted("abc", 3), "abc");
        assert_eq!(fitted("abcd", 3), "ab…");
        assert_eq!(padded("日本語", 4), "日… ");
        assert_eq!(padded("", 2), "  ");
    }

    #[test]
    fn the_screen_of_an_empty_case_says_so() {
        let text = triage(&Incident::default(), Screen::default());
        assert!(text.contains("there are no events in the case"), "{text}");
        assert!(text.contains("no detection found anything"), "{text}");
    }

    #[test]
    fn commands_stand_whole_in_as_many_lines_as_they_need() {
        let commands = [
            "kforensic query exec-credentials",
            "kforensic query timeline --user bob",
            "kforensic report -o report.html",
        ];
        let commands = commands.map(str::to_owned);
        for (room, lines) in [(60, 3), (100, 2), (160, 1), (10, 3)] {
            let mut page = Page { text: String::new(), width: room, colour: false };
            commands_in_lines(&mut page, "next: ", &commands);
            assert_eq!(page.text.lines().count(), lines, "{}", page.text);
            assert!(room < 60 || page.text.lines().all(|line| width(line) <= room), "{}", page.text);
            assert!(commands.iter().all(|command| page.text.contains(&format!("`{command}`"))), "{}", page.text);
        }
    }

    #[test]
    fn a_finding_tells_when_and_how_much_was_seen_in_any_width() {
        let mut question = Question { name: "service-account-secret-reads".to_owned(), ..Question::default() };
        question.verdict.is_blind = true;
        let finding = Finding {
            question,
            total_rows: 12_345,
            users: ["kubernetes-admin-of-the-night", "somebody-else-with-a-name", "x"]
                .map(|name| (name.to_owned(), 1))
                .into(),
            source_ips: vec![("203.0.113.254".to_owned(), 1), ("::1".to_owned(), 1)],
            times: Some((0, 61_000_000)),
            ..Finding::default()
        };
        for room in WIDTH_MIN..200 {
            let line = FindingColumns::of(room, width(&users_of(&finding))).line(&finding);
            assert!(width(&line) + "critical ".len() <= room, "{room}: {line}");
            assert!(line.contains("  01-01 00:00:00 ") && line.ends_with("  partly"), "{room}: {line}");
            assert_eq!(line.contains(" to 00:01:01"), room >= 108, "{room}: {line}");
        }
        let line = FindingColumns::of(199, width(&users_of(&finding))).line(&finding);
        assert!(line.contains("kubernetes-admin-of-the-night, somebody-else-with-a-name +1  203.0.113.254"), "{line}");
    }

    #[test]
    fn nothing_of_a_client_reaches_the_terminal_as_it_is() {
        let evil = "\u{1b}[2J\u{202e}evil\u{9b}31m".to_owned() + &"x".repeat(1 << 20);
        let deed = Deed {
            who: Some(evil.clone()),
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
            source_ips: vec![(evil, 1)],
            times: Some((0, 0)),
            ..Finding::default()
        };
        let incident = Incident { findings: vec![finding], ..Incident::default() };
        let text = triage(&incident, Screen::default());
        assert!(!text.chars().any(|letter| letter != '\n' && crate::is_hostile(letter)), "{text:?}");
        assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
    }
}
