//! The replay of RBAC against what the real authorizer decided.

use kforensic_trace::rbac::Asked;

use crate::fixture::Fixture;

#[test]
fn every_decision_that_the_replay_knows_is_the_authorizers() {
    for (folder, agree, unknown_percent) in [("sample-logs/hardened", 4_100, 7), ("tests/logs/production", 16_000, 15)]
    {
        let fixture = Fixture::of_logs(folder);
        let session = fixture.session();
        let replay = session.rbac(&[]).unwrap();
        let checked = session.check_rbac(&replay).unwrap();
        assert!(checked.contradictions.is_empty(), "{folder}: {:#?}", checked.contradictions);
        assert!(checked.agree >= agree, "{folder}: {}", checked.agree);
        let share = 100 * checked.unknown / (checked.unknown + checked.agree);
        println!("{folder}: {} agree, {} unknown ({share} %): {:?}", checked.agree, checked.unknown, checked.reasons);
        assert!(share < unknown_percent, "{folder}: {share} % unknown: {:?}", checked.reasons);
    }
}

#[test]
fn without_bodies_nothing_is_denied_or_allowed_by_guess() {
    // Secrets and RBAC are not logged there at all.
    let fixture = Fixture::of_logs("sample-logs/moderate");
    let session = fixture.session();
    let replay = session.rbac(&[]).unwrap();
    let checked = session.check_rbac(&replay).unwrap();
    assert!(checked.contradictions.is_empty(), "{:?}", checked.contradictions);
    let asked = Asked { verb: "get".into(), resource: "pods".into(), ..Asked::default() };
    let (_, unknown) = session.who_can(&replay, &asked, i64::MAX).unwrap();
    assert!(unknown.iter().any(|what| what.contains("there is no snapshot")), "{unknown:?}");
}
