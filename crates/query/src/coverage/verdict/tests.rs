use std::collections::BTreeMap;

use super::*;
use crate::coverage::observed::HOUR;
use kforensic_lake::seen::Tally;

/// A case in which requests `group/resource/subresource verb level` were logged, all in the hours `hours` of day 0.
fn case(lines: &[&str], hours: u32) -> Observed {
    let mut observed = Observed { times: Some((0, 3 * HOUR)), ..Observed::default() };
    add(&mut observed, "cp-1", lines, hours);
    observed
}

fn add(observed: &mut Observed, host: &str, lines: &[&str], hours: u32) {
    for line in lines {
        let [object, verb, level] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let parts: Vec<&str> = object.split('/').collect();
        let kind = RequestKind {
            group: parts[0].to_owned(),
            resource: parts.get(1).map(|name| (*name).to_owned()),
            subresource: parts.get(2).copied().unwrap_or_default().to_owned(),
            verb: verb.to_owned(),
            level: level.to_owned(),
            host: host.to_owned(),
            ..RequestKind::default()
        };
        let sum = observed.kinds.entry(kind).or_default().entry(0).or_default();
        *sum = Tally { stages: sum.stages | 5, hours: sum.hours | hours, events: sum.events + 1 };
    }
}

fn query(needs: &str) -> CannedQuery {
    let header = format!(
        "-- title = \"T\"\n-- question = \"Q\"\n-- attack = []\n-- needs = {needs}\n-- noise = \"n\"\nSELECT 1 ORDER BY 1"
    );
    CannedQuery::parse("a-query.sql", &header).unwrap()
}

const READS: &str = "[{ resource = \"secrets\", verbs = [\"get\", \"list\", \"watch\"], level = \"Metadata\" }]";
const BINDINGS: &str = "[{ resource = [\"roles\", \"rolebindings\"], verbs = [\"create\"], level = \"Metadata\" }, \
                        { resource = \"rolebindings\", verbs = [\"create\"], level = \"Request\", tells = \"`role_ref`\" }]";

fn finding(needs: &str, observed: &Observed) -> (Finding, String) {
    judged(needs, observed, &Scope::default())
}

fn judged(needs: &str, observed: &Observed, scope: &Scope) -> (Finding, String) {
    let verdict = judge(&query(needs), observed, scope);
    (verdict.finding, verdict.because.join("; "))
}

#[test]
fn what_was_logged_as_it_needs_to_be_is_seen() {
    let observed = case(&["/secrets list Metadata", "/pods get Metadata"], 0b1);
    assert_eq!(finding(READS, &observed), (Finding::Seen, String::new()));
}

#[test]
fn what_was_never_logged_is_not_absent() {
    let pods = case(&["/pods get RequestResponse", "/pods watch RequestResponse"], 0b1);
    let never = "never logged in this case: `secrets`".to_owned();
    assert_eq!(finding(READS, &pods), (Finding::NotObservable, never));
    // As in Azure's kube-audit-admin, which has no reads of anything.
    let writes = case(&["/secrets create Metadata", "/pods create Metadata"], 0b1);
    let (verdict, because) = finding(READS, &writes);
    assert_eq!(
        (verdict, because.as_str()),
        (Finding::NotObservable, "no get, list or watch of anything was ever logged")
    );
    // A policy that logs other things on reading, but of secrets only writes: the control plane reads these all the time.
    let picky = case(&["/secrets create Metadata", "/pods list Metadata"], 0b1);
    let (verdict, because) = finding(READS, &picky);
    assert_eq!(verdict, Finding::NotObservable, "{because}");
    assert!(because.contains("though every control plane does that; only create"), "{because}");
}

#[test]
fn what_would_have_been_logged_is_absent() {
    let observed = case(&["/roles get Metadata", "/rolebindings list Metadata", "/pods create Metadata"], 0b1);
    let (verdict, because) = finding(BINDINGS, &observed);
    assert_eq!(verdict, Finding::NoSuchTraffic);
    assert_eq!(because, "of `roles` only get was logged; of `rolebindings` only list was logged");

    // Something that nobody uses by itself, in a log that has everything else.
    let exec = "[{ resource = \"pods\", subresource = \"exec\", level = \"Metadata\" }]";
    let all: Vec<String> = (0..30).map(|at| format!("g{}/r{at} get Metadata", at % 7)).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    assert_eq!(finding(exec, &case(&all, 1)).0, Finding::NoSuchTraffic);
    assert_eq!(finding(exec, &case(&["/pods get Metadata"], 1)).0, Finding::NotObservable);
    // A rule for the core group, as its many resources show.
    let core: Vec<String> = (0..8).map(|at| format!("/r{at} get Metadata")).collect();
    let core: Vec<&str> = core.iter().map(String::as_str).collect();
    assert_eq!(finding(exec, &case(&core, 1)).0, Finding::NoSuchTraffic);
    assert_eq!(finding(READS, &case(&all, 1)).0, Finding::NotObservable, "secrets are used all the time");
}

#[test]
fn a_level_that_is_too_low_is_told_with_its_hours() {
    let bodies = "[{ resource = \"pods\", verbs = [\"create\"], level = \"Request\" }]";
    let mut observed = case(&["/pods create Metadata"], 0b10);
    let (verdict, because) = finding(bodies, &observed);
    assert_eq!(
        (verdict, because.as_str()),
        (Finding::NotObservable, "of `pods` only level Metadata was logged, and Request is needed")
    );
    add(&mut observed, "cp-1", &["/pods create RequestResponse"], 0b1100);
    let (verdict, because) = finding(bodies, &observed);
    assert_eq!(verdict, Finding::Partly);
    let hour = "of `pods` a part was logged at level Metadata alone in 1970-01-01 01:00 to 1970-01-01 02:00 UTC, and Request is needed";
    assert_eq!(because, hour);
    // The hours outside of the window do not matter.
    let scope = Scope { window: Window { since: Some(2 * HOUR), until: None }, ..Scope::default() };
    assert_eq!(judged(bodies, &observed, &scope).0, Finding::Seen);
}

#[test]
fn columns_that_are_missing_are_named() {
    let observed = case(&["/roles create Request", "/rolebindings create Metadata"], 0b1);
    let (verdict, because) = finding(BINDINGS, &observed);
    assert_eq!(verdict, Finding::Partly);
    assert_eq!(because, "of `rolebindings` only level Metadata was logged, and Request is needed to tell `role_ref`");
}

#[test]
fn some_of_the_resources_are_part_of_the_answer() {
    let observed = case(&["/roles create Request", "/pods create Request"], 0b1);
    let (verdict, because) = finding(BINDINGS, &observed);
    assert_eq!((verdict, because.as_str()), (Finding::Partly, "never logged in this case: `rolebindings`"));
    let scope = Scope { resource: Some("roles".to_owned()), ..Scope::default() };
    assert_eq!(judged(BINDINGS, &observed, &scope), (Finding::Seen, String::new()));
    let scope = Scope { resource: Some("pods".to_owned()), ..Scope::default() };
    assert_eq!(judged(BINDINGS, &observed, &scope).1, "the query is not about `pods`");
}

#[test]
fn what_a_query_reads_beside_its_needs_is_judged_as_well() {
    let mut query = query(BINDINGS);
    query.resources = Some(["roles", "rolebindings", "workflows"].map(str::to_owned).to_vec());
    let scope = Scope { resource: Some("workflows".to_owned()), ..Scope::default() };
    let judged = |observed: &Observed| {
        let verdict = judge(&query, observed, &scope);
        (verdict.finding, verdict.because.join("; "))
    };
    let core: Vec<String> = (0..9).map(|number| format!("/thing{number} create Metadata")).collect();
    let core: Vec<&str> = core.iter().map(String::as_str).collect();
    // All of the core group is logged, of which workflows are none.
    let never = "never logged in this case: `workflows`".to_owned();
    assert_eq!(judged(&case(&core, 0b1)), (Finding::NotObservable, never));
    let observed = case(&[&core[..], &["argoproj.io/workflows create Request"]].concat(), 0b1);
    assert_eq!(judged(&observed).0, Finding::Seen);
}

#[test]
fn windows_and_hosts_count() {
    let mut observed = case(&["/secrets list Metadata"], 0b1);
    add(&mut observed, "cp-1", &["/pods list Metadata"], 0b1001);
    add(&mut observed, "cp-2", &["/pods list Metadata"], 0b1001);
    let (verdict, because) = finding(READS, &observed);
    assert_eq!((verdict, because.as_str()), (Finding::Partly, "nothing about it was ever logged on `cp-2`"));

    let within = |since, until| Scope { window: Window { since, until }, ..Scope::default() };
    let cp1 = |scope: Scope| Scope { host: Some("cp-1".to_owned()), ..scope };
    let (verdict, because) = judged(READS, &observed, &cp1(within(Some(2 * HOUR), None)));
    assert_eq!((verdict, because.as_str()), (Finding::NoSuchTraffic, "`secrets` was logged at other times"));
    let (verdict, because) = judged(READS, &observed, &cp1(within(Some(-HOUR), Some(HOUR))));
    assert_eq!(
        (verdict, because.as_str()),
        (Finding::Partly, "nothing of host `cp-1` is in the case from before 1970-01-01 00:00 UTC")
    );
    let (verdict, because) = judged(READS, &observed, &within(Some(50 * HOUR), None));
    assert_eq!(verdict, Finding::NotObservable);
    assert!(because.starts_with("the case holds no events of this window"), "{because}");
    let nowhere = Scope { host: Some("cp-9".to_owned()), ..Scope::default() };
    assert_eq!(
        judged(READS, &observed, &nowhere),
        (Finding::NotObservable, "the case holds no log of host `cp-9`".to_owned())
    );
}

/// `--resource pod` finds nothing, which the note on it says; that pods were never logged would be untrue.
#[test]
fn a_resource_is_judged_by_what_is_meant() {
    let query = query("[{ level = \"Metadata\" }]");
    let mut parameters = Parameters::new();
    parameters.set("resource", Value::Text("Pod".to_owned()));
    assert_eq!(judge(&query, &case(&["/pods get Metadata"], 0b1), &Scope::of(&parameters)).finding, Finding::Seen);
}

#[test]
fn stages_that_a_policy_leaves_out_are_told() {
    let needs = "[{ level = \"Metadata\", stages = [\"ResponseStarted\", \"ResponseComplete\"], resource = \"pods\" }]";
    let mut observed = case(&["/pods watch Metadata", "/pods get Metadata"], 0b1);
    let (verdict, because) = finding(needs, &observed);
    assert_eq!(verdict, Finding::Partly);
    assert!(because.contains("stage ResponseStarted is not recorded"), "{because}");
    // Any other stream tells the same.
    let without_watches = case(&["/pods/exec get Metadata", "/pods get Metadata"], 0b1);
    assert!(finding(needs, &without_watches).1.contains("stage ResponseStarted is not recorded"));
    assert_eq!(finding(needs, &case(&["/pods get Metadata"], 0b1)).0, Finding::Seen);
    for days in observed.kinds.values_mut() {
        days.values_mut().for_each(|tally| tally.stages = 1);
    }
    assert!(finding(needs, &observed).1.contains("stage ResponseComplete is not recorded"));
    // Google's log has neither stages nor levels.
    let mut gke = BTreeMap::new();
    for (mut kind, days) in observed.kinds {
        kind.level.clear();
        let days = days.into_iter().map(|(day, tally)| (day, Tally { stages: 16, ..tally })).collect();
        gke.insert(kind, days);
    }
    observed = Observed { kinds: gke, times: observed.times, ..Observed::default() };
    assert_eq!(finding(needs, &observed), (Finding::Seen, String::new()));
}

#[test]
fn an_account_of_everything_names_what_is_not_in_it() {
    let (verdict, because) = finding("[{ level = \"Metadata\" }]", &case(&["/pods get Metadata"], 1));
    assert_eq!(verdict, Finding::Partly);
    assert!(
        because.starts_with("never logged in this case: `clusterrolebindings`, `clusterroles`, `configmaps`"),
        "{because}"
    );
    assert!(because.ends_with("and 1 more"), "{because}");
}

#[test]
fn words_alone_give_no_verdict_and_rows_are_seen() {
    let observed = case(&["/pods get Metadata"], 1);
    assert_eq!(finding("\"luck\"", &observed).0, Finding::Untold);
    let verdict = judge(&query(READS), &observed, &Scope::default());
    assert_eq!(verdict.clone().with_rows(0).finding, Finding::NotObservable);
    assert_eq!(verdict.with_rows(3).finding, Finding::Partly);
    assert_eq!(finding(READS, &Observed::default()).0, Finding::NotObservable);
}
