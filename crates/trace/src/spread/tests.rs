use std::collections::BTreeMap;
use std::convert::Infallible;

use super::*;
use crate::evidence::{Activity, BindingName, BindingUse, PodFact, Request};
use crate::spread::facts::activity_of;

/// Requests in memory.
#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    pods: Vec<PodFact>,
}

impl Log {
    fn add(&mut self, time: i64, user: &str, address: &str, agent: &str, act: &str) -> &mut Request {
        let mut words = act.split(' ');
        let mut next = || words.next().filter(|word| *word != "-").map(str::to_owned);
        let act =
            Act { verb: next().unwrap(), resource: next(), namespace: next(), subresource: next(), ..Act::default() };
        self.requests.push(Request {
            time,
            audit_id: format!("id-{time}-{user}"),
            user: (!user.is_empty()).then(|| user.to_owned()),
            address: Some(address.to_owned()),
            agent: Some(agent.to_owned()),
            credential: None,
            act,
            name: None,
            outcome: if user.is_empty() { Outcome::Denied } else { Outcome::Allowed },
            status: None,
            uri: String::new(),
            issued_credential: None,
            sent: None,
            answered: None,
        });
        self.requests.last_mut().unwrap()
    }

    /// An identity that does the same all day.
    fn routine(&mut self, user: &str, address: &str, agent: &str) {
        for time in 0..100 {
            self.add(time * 1_000_000, user, address, agent, "get pods prod");
        }
    }

    fn ask(&mut self, seeds: &[&str]) -> Spread {
        let seeds: Vec<Node> = seeds.iter().map(|text| seed(text).unwrap()).collect();
        spread(self, &seeds, &Bounds::default()).unwrap()
    }
}

impl Evidence for Log {
    type Error = Infallible;

    fn activities(&mut self) -> Result<Vec<Activity>, Infallible> {
        let mut counted: BTreeMap<_, Activity> = BTreeMap::new();
        let mut requests: Vec<&Request> = self.requests.iter().collect();
        requests.sort_by_key(|request| request.time);
        for request in requests {
            let one = activity_of(request);
            let key = (
                one.user.clone(),
                one.address.clone(),
                one.agent.clone(),
                one.credential.clone(),
                one.act.clone(),
                one.outcome,
            );
            counted
                .entry(key)
                .and_modify(|all| {
                    all.requests += 1;
                    all.first = all.first.min(one.first);
                    all.last = all.last.max(one.last);
                })
                .or_insert(one);
        }
        Ok(counted.into_values().collect())
    }

    fn deeds(&mut self, of: &[(String, i64)], limit: usize) -> Result<Vec<Request>, Infallible> {
        let wanted = self.requests.iter().filter(|request| {
            of.iter().any(|(user, since)| request.user.as_ref() == Some(user) && request.time >= *since)
                && (request.act.verb != "get" || request.act.resource.as_deref() == Some("secrets"))
        });
        let mut deeds: Vec<Request> = wanted.take(limit).cloned().collect();
        deeds.sort_by_key(|deed| deed.time);
        Ok(deeds)
    }

    fn requests(&mut self, ids: &[String]) -> Result<Vec<Request>, Infallible> {
        Ok(self.requests.iter().filter(|request| ids.contains(&request.audit_id)).cloned().collect())
    }

    fn origins(&mut self, ids: &[String]) -> Result<Vec<Request>, Infallible> {
        let made = |request: &&Request| request.issued_credential.as_ref().is_some_and(|id| ids.contains(id));
        Ok(self.requests.iter().filter(made).cloned().collect())
    }

    fn pods(&mut self, pods: &[(String, String)]) -> Result<Vec<PodFact>, Infallible> {
        let wanted = |fact: &&PodFact| pods.contains(&(fact.namespace.clone(), fact.name.clone()));
        Ok(self.pods.iter().filter(wanted).cloned().collect())
    }

    fn binding_uses(&mut self, _: &[BindingName]) -> Result<Vec<BindingUse>, Infallible> {
        Ok(Vec::new())
    }
}

fn strengths(found: &Spread) -> BTreeMap<String, &'static str> {
    let identities = found.identities();
    identities.map(|(touched, _)| (touched.node.to_string(), touched.strength.name())).collect()
}

/// Mallory's machine is 9.9.9.9; everybody else works through a load balancer.
fn breach() -> Log {
    let mut log = Log::default();
    for user in ["alice", "bob", "carol", "system:serviceaccount:prod:web"] {
        log.routine(user, "10.0.0.1", if user.starts_with("system") { "okhttp" } else { "kubectl" });
    }
    log.add(50_000_001, "bob", "9.9.9.9", "curl", "list secrets prod").answered =
        Some(r#"{"kind":"SecretList","items":[{"metadata":{"name":"t","namespace":"prod","annotations":{"kubernetes.io/service-account.name":"web"}},"type":"kubernetes.io/service-account-token"}]}"#.into());
    log.add(51_000_001, "bob", "10.0.0.1", "kubectl", "create serviceaccounts prod token").name = Some("ci".into());
    log.add(52_000_001, "system:serviceaccount:prod:web", "9.9.9.9", "curl", "list pods prod");
    log.add(53_000_001, "", "6.6.6.6", "hydra", "list pods");
    log
}

#[test]
fn an_address_leads_to_all_that_was_used_from_it_and_to_nobody_else() {
    let found = breach().ask(&["ip:9.9.9.9"]);
    let expected = [("sa:prod/ci", "likely"), ("sa:prod/web", "proved"), ("user:bob", "proved")];
    assert_eq!(strengths(&found), expected.map(|(name, strength)| (name.to_owned(), strength)).into());
    // What the routine is stays out of the story; what nobody knew who sent it is possible.
    let told: Vec<String> = found.story.iter().map(|step| format!("{} {}", step.who, step.act.verb)).collect();
    assert_eq!(told, ["user:bob list", "user:bob create", "sa:prod/web list", "ip:6.6.6.6 list"]);
    assert_eq!(found.story[3].strength, Strength::Possible);
    let shared = found.touched.iter().find(|one| one.node.name == "10.0.0.1");
    assert!(shared.is_none_or(|one| one.cut.is_some()));
}

#[test]
fn any_clue_leads_to_the_same_intruder() {
    for clue in ["user:bob", "sa:prod/web", "audit:id-50000001-bob", "audit:id-52000001-system:serviceaccount:prod:web"]
    {
        let found = breach().ask(&[clue]);
        let strengths = strengths(&found);
        for name in ["user:bob", "sa:prod/web", "sa:prod/ci"] {
            assert!(strengths.get(name).is_some_and(|strength| *strength != "possible"), "{clue}: {strengths:?}");
        }
        for name in ["user:alice", "user:carol"] {
            assert!(!strengths.contains_key(name), "{clue}: {strengths:?}");
        }
    }
}

#[test]
fn a_load_balancer_is_shown_and_not_crossed_unless_asked() {
    let mut log = breach();
    for request in &mut log.requests {
        request.address = Some("10.0.0.1".into());
    }
    let found = log.ask(&["ip:10.0.0.1"]);
    assert!(strengths(&found).is_empty());
    assert_eq!(found.touched[0].cut.as_deref(), Some("shared by many: 4 identities are at home there"));
    let bounds = Bounds { through: [seed("ip:10.0.0.1").unwrap()].into(), ..Bounds::default() };
    let found = spread(&mut log, &[seed("ip:10.0.0.1").unwrap()], &bounds).unwrap();
    assert_eq!(strengths(&found).len(), 5);
}

#[test]
fn a_token_that_was_minted_leads_to_its_uses() {
    let mut log = breach();
    log.add(51_500_000, "bob", "9.9.9.9", "curl", "create serviceaccounts prod token").issued_credential =
        Some("JTI=1".into());
    log.requests.last_mut().unwrap().name = Some("db".into());
    let used = log.add(60_000_000, "system:serviceaccount:prod:db", "7.7.7.7", "python", "list secrets prod");
    used.credential = Some("JTI=1".into());
    let found = log.ask(&["user:bob"]);
    assert_eq!(strengths(&found)["sa:prod/db"], "proved");
    let address = found.touched.iter().find(|one| one.node.name == "7.7.7.7").unwrap();
    assert!(address.strength >= Strength::Possible && address.cut.is_none());
}

#[test]
fn an_account_within_reach_is_likely_once_it_acts_out_of_its_place() {
    let mut log = breach();
    log.requests.retain(|request| request.time != 52_000_001);
    log.pods.push(PodFact {
        namespace: "prod".into(),
        name: "web-1".into(),
        service_account: Some("web".into()),
        node: None,
        audit_id: "fact".into(),
        time: 0,
    });
    log.add(54_000_000, "bob", "9.9.9.9", "curl", "create pods prod exec").name = Some("web-1".into());
    let before = log.ask(&["ip:9.9.9.9"]);
    assert_eq!(strengths(&before)["sa:prod/web"], "possible");
    log.add(55_000_000, "system:serviceaccount:prod:web", "10.0.0.1", "curl", "list secrets prod");
    let after = log.ask(&["ip:9.9.9.9"]);
    assert_eq!(strengths(&after)["sa:prod/web"], "likely");
}

#[test]
fn hostile_names_stay_text_in_every_drawing() {
    let mut log = breach();
    let evil = "</text><script>alert(1)</script>\"\\N\u{202e}\n];x->y";
    log.add(56_000_000, evil, "9.9.9.9", evil, "list secrets prod");
    let found = log.ask(&["ip:9.9.9.9"]);
    let svg = svg(&found, &|time| time.to_string());
    assert!(!svg.contains("<script") && !svg.contains('\u{202e}') && svg.contains("&lt;script&gt;"), "{svg}");
    let dot = dot(&found, &|time| time.to_string());
    assert!(dot.contains("\\\"\\\\N\\\\u{202e}\\\\u{a}];x->y\""), "{dot}");
    assert!(dot.lines().all(|line| line.starts_with("  ") || line == "}" || line.starts_with("digraph")), "{dot}");
}

#[test]
fn the_order_of_the_evidence_makes_no_difference() {
    let mut log = breach();
    let found = log.ask(&["user:bob"]);
    log.requests.reverse();
    assert_eq!(log.ask(&["user:bob"]), found);
}

#[test]
fn what_is_made_again_and_again_is_one_edge_until_its_last() {
    let mut log = breach();
    for time in [60_000_000, 70_000_000] {
        let made = log.add(time, "bob", "9.9.9.9", "curl", "create clusterrolebindings");
        made.act.api_group = Some("rbac.authorization.k8s.io".into());
        made.name = Some("door".into());
    }
    let found = log.ask(&["user:bob"]);
    let edge = found.edges.iter().find(|edge| edge.to.name == "clusterrolebindings/door").unwrap();
    assert_eq!((edge.time, edge.last), (60_000_000, 70_000_000));
    assert_eq!(edge.audit_ids, ["id-60000000-bob", "id-70000000-bob"]);
}

/// Doors that were made at these times by somebody who makes nothing else, with how sure each is.
fn doors(times: &[i64]) -> Vec<Strength> {
    let mut log = breach();
    for time in times {
        let made = log.add(*time, "mia", "10.0.0.1", "kubectl", "create clusterrolebindings");
        made.act.api_group = Some("rbac.authorization.k8s.io".into());
        made.name = Some(format!("door-{time}"));
    }
    let found = log.ask(&["user:mia"]);
    let doors = found.edges.iter().filter(|edge| edge.to.name.contains("door-"));
    doors.map(|edge| edge.strength).collect()
}

#[test]
fn to_do_it_often_does_not_hide_what_a_clue_without_a_moment_did() {
    let burst: Vec<i64> = (0..5).map(|door| door * 1_377_000).collect();
    assert_eq!(doors(&burst), [Strength::Proved; 5]);
    // One a day is what it always does, as far as the log tells: to be looked at.
    let daily: Vec<i64> = (0..8).map(|day| day * 86_400_000_000).collect();
    assert_eq!(doors(&daily), [Strength::Possible; 8]);
}

#[test]
fn a_deletion_of_many_proves_no_more_than_its_answer_tells() {
    let told = |answered: Option<&str>, uri: &str| {
        let mut log = Log::default();
        let request = log.add(1, "eve", "203.0.113.9", "curl/8", "deletecollection networkpolicies prod");
        request.uri = format!("/apis/networking.k8s.io/v1/namespaces/prod/networkpolicies{uri}");
        request.answered = answered.map(str::to_owned);
        let found = log.ask(&["user:eve"]);
        let edge = found.edges.into_iter().find(|edge| edge.kind == "deleted");
        edge.map(|edge| (edge.strength, edge.note.unwrap_or_default()))
    };
    let list = |items: &str| format!(r#"{{"kind": "NetworkPolicyList", "items": [{items}]}}"#);
    assert_eq!(told(Some(&list("")), "?labelSelector=x%3Dnothing"), None);
    assert_eq!(told(None, "?labelSelector=x%3Dy"), Some((Strength::Likely, "those that fit x=y".to_owned())));
    assert_eq!(told(Some(&list("{}")), ""), Some((Strength::Proved, "1 of them".to_owned())));
    assert_eq!(told(None, ""), Some((Strength::Proved, String::new())));
}
