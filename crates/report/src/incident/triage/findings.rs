//! Findings, one line each.

use std::fmt::Write as _;

use super::FINDINGS_MAX;
use super::page::Page;
use super::words::{limited, padded, short_name, span_short};
use crate::document::Level;
use crate::incident::{Finding, Incident};
use crate::visible::width;

pub(super) fn findings(page: &mut Page, incident: &Incident) {
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

#[cfg(test)]
mod tests {
    use super::super::WIDTH_MIN;
    use super::*;
    use crate::incident::Question;

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
}
