//! Which deeds tell what happened, when there are more than a reader can bear: the worst, of those who stand out.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::deed::Deed;
use super::people::{Person, merged};
use super::sender::{ANONYMOUS, Sender};
use super::{Incident, people};
use crate::document::Level;

/// The deeds that are told, in time, and how many are not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Happened {
    pub(crate) deeds: Vec<Deed>,
    pub(crate) left_out: usize,
}

/// At most `most` deeds of at least medium severity by the `people`, or of high severity by anybody.
pub(crate) fn happened(incident: &Incident, people: &[Person], most: usize) -> Happened {
    let names: BTreeSet<&Sender> = people.iter().map(|person| &person.who).collect();
    // What was set up is told where there is no other story: it is among the findings in any case.
    let is_story = people.iter().any(|person| !person.is_setting_up);
    let setting_up: BTreeSet<Sender> = people::stand_out(incident)
        .into_iter()
        .filter(|person| is_story && person.is_setting_up)
        .map(|person| person.who)
        .collect();
    let common = common(incident);
    let told = |deed: &Deed| {
        let is_seldom = deed.level >= Level::High || deed.queries.iter().any(|query| !common.contains(query.as_str()));
        // One of several may be any of those who stand out.
        let is_theirs = names.contains(&deed.who) || matches!(deed.who, Sender::Several(_));
        deed.level >= Level::High || (deed.level >= Level::Medium && is_theirs && is_seldom)
    };
    let deeds: Vec<Deed> =
        merged(incident).into_iter().filter(|deed| told(deed) && !setting_up.contains(&deed.who)).collect();
    let mut deeds = fold(without_sums(deeds));
    let total = deeds.len();
    // The worst first; of equals those of who stands out most, of these what gives everything, then the most telling,
    // then the first.
    let rank = |deed: &Deed| people.iter().position(|person| person.who == deed.who).unwrap_or(usize::MAX);
    deeds.sort_by(|one, other| {
        let key =
            |deed: &Deed| (Reverse(deed.level), rank(deed), Reverse((deed.gives_all, deed.queries.len())), deed.at);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.audit_id.cmp(&other.audit_id))
            .then_with(|| one.queries.cmp(&other.queries))
    });
    deeds.truncate(most);
    deeds.sort_by(|one, other| {
        (one.at, &one.who, &one.audit_id, &one.queries).cmp(&(other.at, &other.who, &other.audit_id, &other.queries))
    });
    Happened { left_out: total - deeds.len(), deeds }
}

/// What happens all the time tells nothing: detections of less than high severity with more rows than this.
const COMMON_ROWS: u64 = 60;

fn common(incident: &Incident) -> BTreeSet<&str> {
    let common = incident.found().filter(|finding| finding.total_rows > COMMON_ROWS);
    common.map(|finding| finding.question.name.as_str()).collect()
}

/// A row that sums up what somebody did is left out where single deeds of the same time tell it, and one of them is as grave.
fn without_sums(deeds: Vec<Deed>) -> Vec<Deed> {
    let single = deeds.iter().filter(|deed| deed.audit_id.is_some());
    let single: Vec<(Sender, i64, Level)> = single.map(|deed| (deed.who.clone(), deed.at, deed.level)).collect();
    let is_told = |deed: &Deed| {
        let mut of_same = single.iter().filter(|(who, _, level)| *who == deed.who && *level >= deed.level);
        of_same.any(|(_, at, _)| deed.telling == 0 || (deed.at..=deed.until).contains(at))
    };
    deeds.into_iter().filter(|deed| deed.audit_id.is_some() || !is_told(deed)).collect()
}

/// What one does again and again is one line: the same sentence by the same sender from the same place.
fn fold(deeds: Vec<Deed>) -> Vec<Deed> {
    let mut told: Vec<Deed> = Vec::with_capacity(deeds.len());
    let mut places = std::collections::HashMap::new();
    for deed in deeds {
        // The sentence names the cluster, where there are several.
        let same = (deed.who.clone(), deed.text(), deed.from.clone());
        match places.get(&same) {
            Some(place) => {
                let known: &mut Deed = &mut told[*place];
                known.times += deed.times;
                known.until = known.until.max(deed.until);
            }
            None => {
                places.insert(same, told.len());
                told.push(deed);
            }
        }
    }
    told
}

/// The people of a case, those first against which the most speaks, without those against which nearly nothing does.
pub(crate) fn people(incident: &Incident, most: usize) -> (Vec<Person>, usize) {
    let mut people = people::stand_out(incident);
    let worst = people.first().map_or(0, |person| person.score);
    people.retain(|person| person.score * 10 >= worst);
    let left_out = people.len().saturating_sub(most);
    people.truncate(most);
    (people, left_out)
}

/// Rights that everybody has: to have used them tells nothing.
const RIGHTS_OF_ALL: [&str; 3] = ["system:basic-user", "system:discovery", "system:public-info-viewer"];

/// Why somebody stands out, in few words.
pub(crate) fn why(person: &Person) -> Vec<String> {
    let mut reasons = Vec::new();
    match person.clusters.as_slice() {
        [] => {}
        [(cluster, _)] => reasons.push(format!("in {cluster}")),
        clusters => {
            let counted = clusters.iter().map(|(name, requests)| format!("{name} ({requests})"));
            reasons.push(format!("one name in {}", counted.collect::<Vec<_>>().join(" and ")));
        }
    }
    let is_telling = |grant: &&String| !RIGHTS_OF_ALL.iter().any(|right| grant.starts_with(right));
    let of_admin = person.grants.iter().find(|grant| grant.starts_with("cluster-admin"));
    if let Some(grant) = of_admin.or_else(|| person.grants.iter().find(is_telling)) {
        reasons.push(grant.clone());
    }
    if person.is_setting_up {
        reasons.push("perhaps only setting up".to_owned());
    }
    if let (None | Some(ANONYMOUS), Some(denied)) = (person.who.name(), person.denied) {
        reasons.push(format!("{denied} of {} requests refused", person.requests));
    }
    if let Some((at, address, client)) = &person.moved {
        let time = crate::document::instant::seconds(*at);
        let time = time.get(11..).unwrap_or(&time).to_owned();
        reasons.push(format!("new address and client {time} ({client} from {address})"));
    }
    let worst = person.detections.iter().filter(|(level, _)| *level >= Level::Medium).count();
    let names: Vec<&str> = person.detections.iter().take(3).map(|(_, name)| name.as_str()).collect();
    reasons.push(match worst.saturating_sub(3) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    });
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_is_graver_than_all_that_it_sums_up_is_told() {
        let deed = |audit_id: Option<&str>, level| Deed {
            at: 5,
            until: 9,
            level,
            audit_id: audit_id.map(str::to_owned),
            ..Deed::default()
        };
        let told = |sum, single| without_sums(vec![deed(None, sum), deed(Some("a"), single)]).len();
        assert_eq!(told(Level::High, Level::Medium), 2);
        assert_eq!(told(Level::High, Level::High), 1);
        assert_eq!(told(Level::Medium, Level::Critical), 1);
    }
}
