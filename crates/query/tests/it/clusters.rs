//! Several clusters in one case: whoever is called the same in another is somebody else.

use serde_json::{Value, json};

use crate::fixture::Fixture;

/// A log of one user: minute, verb, API group, resource, body.
fn log(address: &str, requests: &[(u32, &str, &str, &str, Value)]) -> String {
    let line = |(number, (minute, verb, group, resource, body)): (usize, &(u32, &str, &str, &str, Value))| {
        let time = format!("2026-03-03T10:{minute:02}:00.000000Z");
        let event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete",
            "auditID": format!("{address}-{number}"), "requestURI": format!("/x/{number}"), "verb": verb,
            "user": {"username": "mia"}, "sourceIPs": [address], "userAgent": "kubectl/v1.33.1",
            "objectRef": {"resource": resource, "apiGroup": group, "namespace": "prod", "name": "x", "apiVersion": "v1"},
            "responseStatus": {"code": 200}, "requestObject": body,
            "requestReceivedTimestamp": time, "stageTimestamp": time,
        });
        format!("{event}\n")
    };
    requests.iter().enumerate().map(line).collect()
}

fn case() -> Fixture {
    let binding = json!({"kind": "RoleBinding", "roleRef": {"kind": "ClusterRole", "name": "admin"}, "subjects": []});
    let workload =
        json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}});
    let read = |minute| (minute, "get", "", "configmaps", Value::Null);
    let a = log("10.0.0.1", &[read(0), (50, "create", "rbac.authorization.k8s.io", "rolebindings", binding)]);
    let b = log("10.0.1.1", &[read(51), (52, "create", "apps", "deployments", workload)]);
    Fixture::of_clusters(&[("a", a.as_bytes()), ("b", b.as_bytes())])
}

#[test]
fn what_somebody_did_in_one_cluster_says_nothing_of_another() {
    let case = case();
    assert_eq!(case.ask("workload-after-rbac", &[]), Vec::<Value>::new());
    assert_eq!(case.ask("credential-sharing", &[]), Vec::<Value>::new());
    let fresh = case.ask("first-seen", &["--cluster", "b"]);
    let whats: Vec<&str> = fresh.iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert_eq!(whats, ["action", "source_ip", "user_agent", "action"]);
    assert!(fresh.iter().all(|row| row["new_user"] == true && row["cluster"] == "b"), "{fresh:?}");
}

/// Requests of one user, some of each cluster within seconds, none of which has enough for a burst by itself.
#[test]
fn what_is_done_at_once_in_two_clusters_is_no_burst_of_either() {
    let log = |address: &str, names: &[&str]| -> String {
        let line = |(second, name): (usize, &&str)| {
            let time = format!("2026-03-03T10:00:{second:02}.000000Z");
            let event = json!({
                "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
                "auditID": format!("{address}-{name}"), "requestURI": format!("/x/{name}"), "verb": "get",
                "user": {"username": "mia"}, "sourceIPs": [address], "userAgent": "kubectl/v1.33.1",
                "objectRef": {"resource": "secrets", "namespace": "prod", "name": name, "apiVersion": "v1"},
                "responseStatus": {"code": 200}, "requestReceivedTimestamp": time, "stageTimestamp": time,
            });
            format!("{event}\n")
        };
        names.iter().enumerate().map(line).collect()
    };
    let (a, b) = (log("10.0.0.1", &["s1", "s2"]), log("10.0.0.1", &["s3", "s4", "s5"]));
    let case = Fixture::of_clusters(&[("a", a.as_bytes()), ("b", b.as_bytes())]);
    let bursts = case.ask("secret-bursts", &[]);
    let told: Vec<_> = bursts.iter().map(|row| (&row["cluster"], &row["secrets"])).collect();
    assert_eq!(told, [(&json!("b"), &json!(3))]);
    // Under one name they are one.
    let case = Fixture::of_clusters(&[("a", a.as_bytes()), ("a", b.as_bytes())]);
    assert_eq!(case.ask("secret-bursts", &[])[0]["secrets"], 5);
}

#[test]
fn every_row_of_a_request_tells_its_cluster() {
    let case = case();
    for query in kforensic_query::Catalogue::embedded().unwrap().iter() {
        let session = case.session();
        let (rows, _) = crate::fixture::run(&session, query, &kforensic_query::Parameters::new(), None).unwrap();
        for row in rows.iter().filter(|row| row.get("audit_id").is_some() && query.name != "audit-id-conflicts") {
            assert!(row["cluster"].is_string(), "{}: {row}", query.name);
        }
    }
}
