//! The commands that investigate: `spread`, `rotate`, `rbac`, `who-can`, `can`, `sweep`, `object-history`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

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

#[test]
fn indicators_come_as_csv_and_stix_too() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let csv = "type,indicator,comment\nip,127[.]0[.]31[.]9,\"seen, twice\"\nuser,bob,x\nip,hxxp://198.51.100[.]7/x,y\n";
    let stix = json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "indicator", "pattern_type": "stix", "pattern": "[ipv4-addr:value = '127.0.31.9']"},
        {"type": "ipv4-addr", "value": "198.51.100.7"},
        {"type": "user-account", "user_id": "bob"}
    ]});
    for input in [csv.to_owned(), stix.to_string()] {
        let found = run_with_input(&case, &["sweep", "-", "--format", "jsonl"], input.as_bytes()).lines();
        let hits = |part: &str| {
            let of: Vec<&Value> =
                found.iter().filter(|row| row["indicator"].as_str().unwrap().contains(part)).collect();
            assert!(!of.is_empty(), "{part}: {found:?}");
            of.iter().map(|row| row["hits"].as_u64().unwrap()).max().unwrap()
        };
        assert!(hits("31") == 38 && hits("bob") == 187 && hits("198") == 0, "{found:?}");
        assert!(found.iter().all(|row| row["searched"].as_str().unwrap().contains("requests.")));
    }
}

/// Members that objects of RBAC have, by the path to them; `*` is any name.
const MEMBERS: [&str; 22] = [
    "apiVersion",
    "kind",
    "metadata",
    "metadata.name",
    "metadata.namespace",
    "metadata.labels",
    "metadata.labels.*",
    "metadata.annotations",
    "metadata.annotations.*",
    "rules",
    "rules.verbs",
    "rules.apiGroups",
    "rules.resources",
    "rules.resourceNames",
    "rules.nonResourceURLs",
    "roleRef",
    "roleRef.apiGroup",
    "roleRef.kind",
    "roleRef.name",
    "subjects",
    "subjects.*",
    "aggregationRule",
];

/// Checks that a document is an object of RBAC, with the API's own members and nothing else.
fn check_members(value: &yaml_rust2::Yaml, path: &str) {
    use yaml_rust2::Yaml;
    match value {
        Yaml::Hash(members) => {
            for (name, member) in members {
                let name = name.as_str().unwrap();
                let whole = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                let is_known = MEMBERS.contains(&whole.as_str())
                    || MEMBERS.contains(&format!("{path}.*").as_str())
                    || whole.starts_with("aggregationRule.");
                assert!(is_known, "{whole}");
                check_members(member, &whole);
            }
        }
        Yaml::Array(items) => items.iter().for_each(|item| check_members(item, path)),
        // An aggregated role has no rules of its own, and says so.
        Yaml::Null if path == "rules" => (),
        Yaml::String(_) => (),
        other => panic!("{path} is {other:?}"),
    }
}

#[test]
fn the_way_back_is_what_the_api_takes() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    // From the end to the beginning: all that was made, and every state in between.
    let yaml = run(&case, &["rbac", "diff", "2026-11-21T20:36:55Z", "last", "--format", "yaml"]).stdout;
    assert!(yaml.contains("#   kubectl delete clusterrolebindings metrics-helper-binding\n"), "{yaml}");
    let mut changed = 0;
    for at in ["20:36:50.5", "20:36:50.6", "20:36:52", "20:36:54", "20:37:00", "20:37:30"] {
        let from = format!("2026-11-21T{at}Z");
        let yaml = run(&case, &["rbac", "diff", &from, "last", "--format", "yaml"]).stdout;
        for document in yaml_rust2::YamlLoader::load_from_str(&yaml).unwrap() {
            if document.is_null() {
                continue;
            }
            changed += 1;
            check_members(&document, "");
            let kind = document["kind"].as_str().unwrap();
            assert!(["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ServiceAccount"].contains(&kind));
            let api = if kind == "ServiceAccount" { "v1" } else { "rbac.authorization.k8s.io/v1" };
            assert_eq!(document["apiVersion"].as_str(), Some(api));
            assert!(document["metadata"]["name"].as_str().is_some_and(|name| !name.is_empty()));
        }
    }
    println!("{changed} documents");
    let list = rows(&case, &["rotate", "ip:127.0.31.9"]);
    for entry in list.iter().filter_map(|entry| entry["command"].as_str()) {
        let words: Vec<&str> = entry.split(" | ").next().unwrap().split(' ').collect();
        let is_known = match words.as_slice() {
            ["kubectl", "delete" | "edit", _, _] | ["kubectl", "delete" | "edit", _, _, "-n", _] => true,
            ["kubectl", "get", _, _, "-o", "yaml"] | ["kubectl", "get", _, _, "-n", _, "-o", "yaml"] => true,
            ["kubectl", "apply", "-f", "-"] | ["kubectl", "rollout", "undo", _, _, "-n", _] => true,
            ["skopeo", "copy", from, to] => from.starts_with("docker://") && to.starts_with("dir:kept-"),
            _ => false,
        };
        assert!(is_known, "{entry}");
    }
    let done = |what: &str| list.iter().find(|entry| entry["what"] == what).unwrap()["done"].as_str().unwrap();
    // The server only marked the token as used; the intruder removed his pod himself.
    assert_eq!(done("secret:dev/legacy-bot-token"), "not in the log");
    assert_eq!(done("pod:kube-system/node-helper"), "yes");
    assert_eq!(done("alpine"), "not in the log");
    // What was merely within reach is not deleted.
    for entry in list.iter().filter(|entry| entry["strength"] == "possible") {
        let command = entry["command"].as_str().unwrap_or_default();
        assert!(!command.contains("delete") && !command.contains("replace"), "{entry}");
    }
}

#[test]
fn an_output_is_replaced_when_asked_and_never_else() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/moderate"));
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (svg, yaml, csv, list) = (at("a.svg"), at("a.yaml"), at("a.csv"), at("list"));
    let commands: [&[&str]; 4] = [
        &["spread", "user:bob", "-o", &svg],
        &["rbac", "diff", "2026-11-21", "last", "-o", &yaml],
        &["spread", "user:bob", "-o", &csv],
        &["verify", "--manifest", &list],
    ];
    for command in commands {
        let path = command.last().unwrap();
        fs::write(path, "mine").unwrap();
        let refused = run(&case, command);
        assert_eq!((refused.code, fs::read_to_string(path).unwrap().as_str()), (Some(2), "mine"), "{refused:?}");
        let replaced = run(&case, &[command, &["--force"]].concat());
        assert_eq!(replaced.code, Some(0), "{replaced:?}");
        assert_ne!(fs::read_to_string(path).unwrap(), "mine", "{command:?}");
    }
}

#[test]
fn addresses_are_told_apart_by_a_file_of_the_users_own() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let file = common::repository("tests/geoip/made.mmdb");
    let geoip = ["--geoip", file.to_str().unwrap()];
    let hash = "sha256 ";
    let ran = run(&case, &[&geoip[..], &["query", "failed-auth", "--format", "jsonl"]].concat());
    assert!(ran.stderr.contains("made.mmdb` (Made-up), ") && ran.stderr.contains(hash), "{}", ran.stderr);
    let found = ran.lines();
    let intruder = found.iter().find(|row| row["source_ip"] == "127.0.31.9").unwrap();
    assert_eq!((&intruder["country"], &intruder["as_number"]), (&json!("AQ"), &json!(64_501)));
    assert_eq!(intruder["organisation"], "<b>Intruder & Sons</b>");
    let unknown = found.iter().find(|row| row["source_ip"] == "127.0.66.7").unwrap();
    assert!(unknown["country"].is_null() && unknown["as_number"].is_null());
    // Answers without an address, and all without the option, are what they are.
    let plain = run(&case, &["query", "failed-auth", "--format", "jsonl"]);
    assert!(!plain.stdout.contains("country") && !plain.stderr.contains("looked up"));
    let envelope =
        run(&case, &[&geoip[..], &["query", "failed-auth", "--format", "json", "--envelope"]].concat()).json();
    assert_eq!(envelope["geoip"][0]["sha256"].as_str().unwrap().len(), 64);
    let story = rows(&case, &[&geoip[..], &["spread", "ip:127.0.31.9"]].concat());
    assert!(story.iter().any(|step| step["country"] == "AQ"));
    let sql = "SELECT ip_info(source_ip).country AS c, count(*) AS n FROM requests GROUP BY ALL ORDER BY ALL";
    let counted = rows(&case, &[&geoip[..], &["sql", sql]].concat());
    assert_eq!(texts(&counted, "c"), ["AQ", "DE", "-"]);
    let missing = run(&case, &["sql", sql]);
    assert!(missing.code == Some(2) && missing.stderr.contains("--geoip FILE.mmdb"), "{missing:?}");
    let script = ".mode jsonl\n.run failed-auth\n";
    let prompt = run_with_input(&case, &[&geoip[..], &["repl"]].concat(), script.as_bytes());
    assert!(prompt.stdout.contains("\"country\":\"AQ\""), "{}", prompt.stdout);
    for (path, problem) in [("/nonexistent.mmdb", "cannot read"), ("/dev/null", "cannot be used to look up addresses")]
    {
        let wrong = run(&case, &["--geoip", path, "query", "failed-auth"]);
        assert!(wrong.code == Some(2) && wrong.stderr.contains(problem), "{wrong:?}");
    }
}

#[test]
fn a_report_follows_the_clue_that_its_findings_name() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let report = |options: &[&str]| {
        let ran = run(&case, &[&["report", "-q", "--now", "last"], options].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stdout
    };
    let section = |text: &str, id: &str| -> Value {
        let document: Value = serde_json::from_str(text).unwrap();
        let found = document["sections"].as_array().unwrap().iter().find(|section| section["id"] == id);
        found.unwrap_or_else(|| panic!("no section {id}")).clone()
    };
    let column = |section: &Value, table: &str, at: usize| -> Vec<String> {
        let blocks = section["blocks"].as_array().unwrap();
        let found = blocks.iter().find(|block| block["id"] == table).unwrap_or_else(|| panic!("{table}: {section}"));
        found["rows"].as_array().unwrap().iter().map(|row| row[at].as_str().unwrap_or("-").to_owned()).collect()
    };
    for options in [&[][..], &["--spread", "user:bob"]] {
        let text = report(&[options, &["--format", "json"]].concat());
        let spread = section(&text, "spread");
        let (who, strength) = (column(&spread, "spread-identities", 0), column(&spread, "spread-identities", 1));
        let sure: Vec<&String> = who.iter().zip(&strength).filter(|(_, s)| *s != "possible").map(|(w, _)| w).collect();
        assert_eq!(
            sure,
            ["user:bob", "rights-of:system:admin", "sa:kube-system/metrics-helper", "sa:prod/web", "sa:dev/legacy-bot"]
        );
        assert_eq!(spread.to_string().contains("nobody has confirmed that"), options.is_empty());
        let rotate = column(&section(&text, "rotate"), "rotate-list", 1);
        assert!(rotate.contains(&"clusterrolebindings/metrics-helper-binding".to_owned()), "{rotate:?}");
        assert!(!rotate.iter().any(|what| what.contains("alice") || what.contains("kubernetes-admin")), "{rotate:?}");
        let rbac = section(&text, "rbac");
        assert_eq!(column(&rbac, "rbac-changes", 4), ["metrics-helper", "metrics-helper-binding", "wild"]);
        assert!(column(&rbac, "rbac-rights", 0).contains(&"bob".to_owned()));
    }
    let page = report(&[]);
    let graph = page.split("id=\"spread-graph\"").nth(1).unwrap();
    assert!(graph.contains("<svg") && graph.contains("<line class=\"edge ") && graph.contains("sa:dev/legacy-bot"));
    let markdown = report(&["--format", "markdown", "--template", "daily", "--spread", "ip:127.0.31.9"]);
    assert!(markdown.contains("What to revoke, remove and replace") && markdown.contains("metrics-helper-binding"));
    assert!(report(&["--spread", "ip:127.0.31.9"]).contains("--spread ip:127.0.31.9"));
    assert_eq!(run(&case, &["report", "-q", "--spread", "bob"]).code, Some(2));
}

/// A log of one user who makes a ConfigMap, a role and a binding, under the same names in every cluster.
fn of_cluster(address: &str, minute: u32, value: &str, user: &str) -> String {
    let event = |number: u32, group: &str, resource: &str, name: &str, body: Value| {
        let time = format!("2026-03-03T10:{minute:02}:0{number}.000000Z");
        let event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete",
            "auditID": format!("{address}-{number}"), "requestURI": format!("/x/{number}"), "verb": "create",
            "user": {"username": "mia"}, "sourceIPs": [address], "userAgent": "kubectl/v1.33.1",
            "objectRef": {"resource": resource, "apiGroup": group, "namespace": "prod", "name": name, "apiVersion": "v1"},
            "responseStatus": {"code": 201}, "requestObject": body,
            "requestReceivedTimestamp": time, "stageTimestamp": time,
        });
        format!("{event}\n")
    };
    let settings = json!({"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"mode": value}});
    let binding = json!({
        "kind": "RoleBinding", "metadata": {"name": "ops"}, "subjects": [{"kind": "User", "name": user}],
        "roleRef": {"kind": "Role", "name": "ops", "apiGroup": "rbac.authorization.k8s.io"},
    });
    let rules = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}]);
    let role = json!({"kind": "Role", "metadata": {"name": "ops"}, "rules": rules});
    event(0, "", "configmaps", "settings", settings)
        + &event(1, "rbac.authorization.k8s.io", "roles", "ops", role)
        + &event(2, "rbac.authorization.k8s.io", "rolebindings", "ops", binding)
}

#[test]
fn what_has_the_same_name_in_another_cluster_is_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    for (cluster, log) in
        [("blue", of_cluster("10.0.0.1", 1, "safe", "zoe")), ("green", of_cluster("10.0.1.1", 2, "open", "eve"))]
    {
        let path = folder.path().join(format!("{cluster}.log"));
        fs::write(&path, log).unwrap();
        ingest(&case, &["--cluster", cluster, path.to_str().unwrap()].map(str::to_owned));
    }
    // Each is new, and no change of the other.
    let steps = rows(&case, &["object-history", "ConfigMap", "prod/settings"]);
    assert_eq!(texts(&steps, "cluster"), ["blue", "green"]);
    assert!(steps.iter().all(|step| !step["change"].as_str().unwrap().contains("\n-")), "{steps:?}");
    let steps = rows(&case, &["object-history", "ConfigMap", "prod/settings", "--cluster", "green"]);
    assert_eq!(texts(&steps, "cluster"), ["green"]);

    let rights = |cluster: &str| rows(&case, &["rbac", "at", "last", "--cluster", cluster]);
    assert_eq!(texts(&rights("blue"), "subject"), ["User/zoe"]);
    assert_eq!(texts(&rights("green"), "subject"), ["User/eve"]);
    let diff = rows(&case, &["rbac", "diff", "2026-03-03", "last", "--cluster", "blue"]);
    assert_eq!(texts(&diff, "audit_id"), ["10.0.0.1-1", "10.0.0.1-2"]);
    let can = rows(&case, &["can", "eve", "--cluster", "blue"]);
    assert!(can.is_empty(), "{can:?}");

    let story = rows(&case, &["spread", "user:mia"]);
    assert_eq!(
        texts(&story, "cluster").iter().filter(|cluster| **cluster == "blue").count() * 2,
        story.len(),
        "{story:?}"
    );
    let story = rows(&case, &["spread", "user:mia", "--cluster", "green"]);
    assert!(!story.is_empty() && story.iter().all(|step| step["cluster"] == "green"), "{story:?}");
    let list = rows(&case, &["rotate", "user:mia", "--cluster", "green"]);
    assert!(list.iter().all(|entry| !entry.to_string().contains("10.0.0.1-")), "{list:?}");

    // One that is not there is said, with those that are.
    let ran = run(&case, &["rbac", "at", "last", "--cluster", "gren"]);
    assert!(ran.stderr.contains("its clusters are blue, green"), "{ran:?}");
    let ran = run(&case, &["rbac", "at", "last"]);
    assert!(ran.stderr.contains("--cluster NAME"), "{ran:?}");
    let prompt = run_with_input(&case, &["repl"], b".object-history ConfigMap prod/settings --cluster green\n");
    assert!(prompt.stdout.contains("green") && !prompt.stdout.contains("blue"), "{prompt:?}");
}
