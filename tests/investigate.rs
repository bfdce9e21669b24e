//! The commands that investigate: `spread`, `rotate`, `rbac`, `who-can`, `can`, `sweep`, `object-history`.

mod common;

use std::fs;
use std::path::Path;

use common::{Ran, ingest, logs, run, run_with_input};
use serde_json::{Value, json};

fn rows(case: &Path, arguments: &[&str]) -> Vec<Value> {
    let ran = run(case, &[arguments, &["--format", "jsonl"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.lines()
}

fn texts<'a>(rows: &'a [Value], name: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[name].as_str().unwrap_or("-")).collect()
}

#[test]
fn from_the_address_of_an_intruder_to_the_checklist() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));

    let identities = rows(&case, &["spread", "ip:127.0.31.9", "--show", "identities"]);
    let proved: Vec<&Value> = identities.iter().filter(|row| row["strength"] == "proved").collect();
    let names: Vec<&str> = proved.iter().map(|row| row["identity"].as_str().unwrap()).collect();
    assert_eq!(names, ["sa:prod/web", "sa:dev/legacy-bot", "user:bob"]);
    assert!(identities.iter().all(|row| row["reason"].is_string()));
    let story = rows(&case, &["spread", "ip:127.0.31.9"]);
    assert!(story.iter().all(|step| !step["audit_ids"].as_array().unwrap().is_empty()), "{story:?}");
    assert!(story.is_sorted_by_key(|step| step["event_time"].as_str().unwrap().to_owned()));

    // The same bytes every time, whatever the form.
    for form in ["json", "graph", "svg", "dot", "csv"] {
        let draw = || run(&case, &["spread", "ip:127.0.31.9", "--format", form]).stdout;
        assert!(!draw().is_empty() && draw() == draw(), "{form}");
    }
    let graph = run(&case, &["spread", "ip:127.0.31.9", "--format", "graph"]).json();
    let edges = graph["edges"].as_array().unwrap();
    assert!(edges.iter().all(|edge| edge["time"].is_string() && edge["audit_ids"].is_array()));

    let list = rows(&case, &["rotate", "ip:127.0.31.9"]);
    let of = |what: &str| list.iter().find(|entry| entry["what"] == what).unwrap_or_else(|| panic!("{what}: {list:?}"));
    let binding = of("clusterrolebindings/metrics-helper-binding");
    assert_eq!(binding["command"], "kubectl delete clusterrolebindings metrics-helper-binding");
    assert_eq!(binding["done"], "not in the log");
    // What he took, by hand from the log.
    for what in [
        "clusterroles/wild",
        "sa:kube-system/metrics-helper",
        "sa:prod/web",
        "sa:dev/legacy-bot",
        "user:bob",
        "daemonsets/kube-system/kube-controller",
        "cronjobs/kube-system/sync",
        "configmaps/kube-system/coredns",
        "secret:prod/db-credentials",
        "secret:dev/legacy-bot-token",
        "events/kube-system/*",
    ] {
        of(what);
    }
    // He removed the pod himself.
    assert_eq!(of("pod:kube-system/node-helper")["done_by"], "bob");
    for entry in &list {
        let command = entry["command"].as_str().unwrap_or("kubectl -");
        assert!(command.starts_with("kubectl ") || command.starts_with("skopeo "), "{command}");
        assert!(!command.contains('\n') && entry["how"].is_string());
    }
}

/// A cluster as `kubectl get … -o json` shows it.
fn snapshot() -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "reader", "uid": "1"},
         "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "readers"},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"},
         "subjects": [{"kind": "User", "name": "olga"}]},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "prod"}}
    ]})
}

#[test]
fn snapshots_are_dated_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let (case, file) = (folder.path().join("case"), folder.path().join("rbac.json"));
    fs::write(&file, snapshot().to_string()).unwrap();
    let keep = |taken: &str| run(&case, &["ingest", "--snapshot", file.to_str().unwrap(), "--taken", taken]);
    assert_eq!(keep("2026-11-21T20:30:00Z").code, Some(0));
    assert!(keep("2026-11-21T20:30:00Z").stderr.contains("nothing new"));
    ingest(&case, &logs("sample-logs/moderate"));
    let who = rows(&case, &["who-can", "get", "secrets", "-n", "prod"]);
    assert_eq!(texts(&who, "subject"), ["Group/system:masters", "User/olga"]);
    assert_eq!(who[1]["known_by"], "snapshot rbac.json of 2026-11-21T20:30:00.000000Z");
    let can = rows(&case, &["can", "olga", "--at", "last"]);
    assert_eq!(texts(&can, "rule"), ["get secrets"]);
    assert_eq!(rows(&case, &["rbac", "at", "2026-11-21T20:31:00Z"]).len(), 1);

    let mut changed = snapshot();
    changed["items"][0]["rules"][0]["verbs"] = json!(["*"]);
    fs::write(&file, changed.to_string()).unwrap();
    assert_eq!(keep("2026-11-21T20:33:00Z").code, Some(0));
    let diff = ["rbac", "diff", "2026-11-21T20:31:00Z", "2026-11-21T20:34:00Z"];
    let lines = rows(&case, &diff)[0]["lines"].clone();
    assert_eq!(lines, json!(["- rule get secrets", "+ rule * secrets"]));
    let yaml = run(&case, &[&diff[..], &["--format", "yaml"]].concat()).stdout;
    assert!(yaml.contains("---\n") && yaml.contains("      - \"get\"\n") && !yaml.contains("uid"), "{yaml}");
    assert_eq!(run(&case, &["verify"]).code, Some(0));

    let secret = json!({"kind": "List", "items": [{"kind": "Secret", "metadata": {"name": "x"}}]});
    fs::write(&file, secret.to_string()).unwrap();
    let refused = keep("2026-11-21");
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("item 1 is a `Secret`"), "{}", refused.stderr);
}

#[test]
fn indicators_are_found_or_said_to_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let ask = |input: &str, more: &[&str]| -> Ran {
        run_with_input(&case, &[&["sweep", "--format", "jsonl"], more].concat(), input.as_bytes())
    };
    let found = ask("127.0.31[.]9\n10.0.0.0/8\nuser:bob\nprod/db-credentials\nnobody-here\n", &["-"]).lines();
    let row = |text: &str| found.iter().find(|row| row["indicator"] == text).unwrap();
    assert_eq!(row("127.0.31[.]9")["hits"], 38);
    assert_eq!((&row("user:bob")["hits"], &row("user:bob")["searched"]), (&json!(187), &json!("requests.user_name")));
    assert!(row("prod/db-credentials")["hits"].as_u64().unwrap() > 0);
    for missing in ["10.0.0.0/8", "nobody-here"] {
        assert_eq!(row(missing)["hits"], 0);
        assert!(row(missing)["searched"].as_str().unwrap().contains("requests."), "{missing}");
    }
    // A value that nobody may see, by the hash that stands for it.
    let hidden = ask("surely not in there\n", &["--value-from", "stdin"]).lines();
    assert_eq!((hidden.len(), &hidden[0]["hits"]), (1, &json!(0)));
    assert!(!hidden[0].to_string().contains("surely"));
}

#[test]
fn the_history_of_an_object_tells_who_changed_what() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let steps = rows(&case, &["object-history", "clusterrole", "edit"]);
    assert_eq!(texts(&steps, "verb"), ["create", "patch", "patch", "patch"]);
    assert!(steps[1]["change"].as_str().unwrap().contains("+  \"rules\": ["));
    let unknown = rows(&case, &["object-history", "Deployment", "prod/web"]);
    assert!(texts(&unknown, "state").contains(&"unknown"), "{unknown:?}");
}

#[test]
fn a_clue_that_is_none_is_refused_and_the_prompt_knows_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let wrong = run(&case, &["spread", "bob"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("`bob` is no clue: expected user:NAME"), "{}", wrong.stderr);
    assert_eq!(run(&case, &["spread", "user:bob", "--format", "yaml"]).code, Some(2));
    let nothing = run(&case, &["spread", "user:nobody"]);
    assert!(nothing.stderr.contains("user:nobody leads nowhere"), "{}", nothing.stderr);
    let script = ".mode jsonl\n.spread user:bob --show identities\n.who-can get secrets -n prod\n.object-history ClusterRole wild\n";
    let prompt = run_with_input(&case, &["repl"], script.as_bytes());
    assert_eq!(prompt.code, Some(0), "{prompt:?}");
    assert!(
        prompt.stdout.contains("\"identity\":\"user:bob\"") && prompt.stdout.contains("Group/ops"),
        "{}",
        prompt.stdout
    );
    assert_eq!(run(&case, &["rbac", "check"]).code, Some(0));
}
