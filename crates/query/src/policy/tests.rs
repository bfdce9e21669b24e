use super::*;
use crate::catalogue::Catalogue;

fn policy(rules: &str) -> Policy {
    Policy::parse(&format!("apiVersion: audit.k8s.io/v1\nkind: Policy\n{rules}")).unwrap()
}

fn problem(text: &str) -> String {
    Policy::parse(text).unwrap_err().to_string()
}

/// `verb group/resource/subresource namespace name` or `verb /path`, by bob of `devs`.
fn request(text: &str) -> Attributes<'_> {
    let words: Vec<&str> = text.split(' ').collect();
    let mut request = Attributes {
        user: Some("bob"),
        groups: vec!["devs", "system:authenticated"],
        verb: words[0],
        ..Attributes::default()
    };
    if words[1].starts_with('/') {
        request.path = words[1];
        return request;
    }
    let parts: Vec<&str> = words[1].split('/').collect();
    let group = if parts[0] == "core" { "" } else { parts[0] };
    let at = |at: usize| words.get(at).copied().unwrap_or_default();
    let subresource = parts.get(2).copied().unwrap_or_default();
    request.resource = Some(Object { group, resource: parts[1], subresource, namespace: at(2), name: at(3) });
    request
}

/// Which rule decides, counted from 1; 0 when none does.
fn decides(policy: &Policy, text: &str) -> usize {
    policy.evaluate(&request(text)).rule.map_or(0, |at| at + 1)
}

#[test]
fn every_form_of_a_resource_matches_what_the_server_says() {
    for (resources, matching, others) in [
        (
            "[{group: \"\", resources: [pods]}]",
            &["get core/pods"][..],
            &["get core/pods/log", "get apps/pods", "get /api"][..],
        ),
        ("[{group: \"\", resources: [pods/log]}]", &["get core/pods/log"], &["get core/pods", "get core/pods/exec"]),
        ("[{group: \"\", resources: [\"pods/*\"]}]", &["get core/pods/log", "get core/pods"], &["get core/podz/log"]),
        ("[{group: \"\", resources: [\"*/scale\"]}]", &["get core/pods/scale"], &["get core/pods", "get core/scale"]),
        ("[{group: \"\", resources: [\"*\"]}]", &["get core/pods", "get core/pods/log"], &["get apps/pods", "get /x"]),
        ("[{group: apps}]", &["get apps/deployments/scale"], &["get core/pods"]),
        (
            "[{group: \"\", resources: [secrets], resourceNames: [a]}]",
            &["get core/secrets ns a"],
            &["get core/secrets ns b", "list core/secrets ns"],
        ),
        ("[{group: x}, {group: \"\", resources: [pods]}]", &["get core/pods", "get x/y"], &["get core/nodes"]),
    ] {
        let policy = policy(&format!("rules: [{{level: Metadata, resources: {resources}}}]"));
        for text in matching {
            assert_eq!(decides(&policy, text), 1, "{resources} {text}");
        }
        for text in others {
            assert_eq!(decides(&policy, text), 0, "{resources} {text}");
        }
    }
}

#[test]
fn the_first_rule_that_fits_decides() {
    let policy = policy(
        "omitStages: [RequestReceived]\nomitManagedFields: true\nrules:\n\
         - {level: None, users: [alice]}\n\
         - {level: None, userGroups: [ops]}\n\
         - {level: None, namespaces: [\"\"], resources: [{group: \"\", resources: [nodes]}]}\n\
         - {level: Request, verbs: [create], omitStages: [Panic], omitManagedFields: false}\n\
         - {level: None, nonResourceURLs: [/healthz*, /version]}\n\
         - {level: Metadata, namespaces: [prod]}\n",
    );
    for (text, rule) in [
        ("get x/nodes", 0),
        ("get x/pods prod", 6),
        ("create x/pods prod", 4),
        ("create /healthz", 4),
        ("get /healthz/etcd", 5),
        ("get /version", 5),
        ("get /versions", 0),
        ("get x/pods dev", 0),
    ] {
        assert_eq!(decides(&policy, text), rule, "{text}");
    }
    let node = |namespace: &'static str| Attributes {
        resource: Some(Object { resource: "nodes", namespace, ..Object::default() }),
        ..request("get /")
    };
    assert_eq!(policy.evaluate(&node("")).rule, Some(2));
    assert_eq!(policy.evaluate(&node("x")).rule, None);
    let of_ops = Attributes { groups: vec!["ops"], ..request("get x/pods prod") };
    assert_eq!(policy.evaluate(&of_ops).rule, Some(1));
    // Nobody, as after a 401, is neither a user nor in a group.
    let nobody = Attributes { user: None, groups: vec!["ops"], ..request("get x/pods prod") };
    assert_eq!(policy.evaluate(&nobody).rule, Some(5));

    let created = policy.evaluate(&request("create x/pods prod"));
    assert_eq!((created.level, created.omit_managed_fields), (Level::Request, false));
    assert_eq!(created.omit_stages, &BTreeSet::from([Stage::RequestReceived, Stage::Panic]));
    let other = policy.evaluate(&request("get x/pods dev"));
    assert_eq!((other.level, other.omit_managed_fields, other.omit_stages.len()), (Level::None, true, 1));
}

#[test]
fn what_windows_tools_leave_in_front_of_a_policy_is_no_part_of_it() {
    let text = "\u{feff}apiVersion: audit.k8s.io/v1\r\nkind: Policy\r\nrules:\r\n- level: Metadata\r\n";
    assert!(Policy::parse(text).is_ok());
}

#[test]
fn the_one_policy_in_another_file_is_read_and_its_place_told() {
    const POLICY: &str = r#"{"apiVersion":"audit.k8s.io/v1","kind":"Policy","rules":[{"level":"Metadata"}]}"#;
    const OTHER: &str = r#"{"apiVersion":"audit.k8s.io/v1","kind":"Policy","rules":[{"level":"Request"}]}"#;
    let place = |text: &str| Policy::parse(text).unwrap().found_in;
    assert_eq!(place(POLICY), None);
    let indented = "      apiVersion: audit.k8s.io/v1\n      kind: Policy\n      rules: [{level: Metadata}]\n";
    for (text, expected) in [
        (
            format!("kind: ConfigMap\ndata:\n  readme: about audit.k8s.io/v1 and its Policy\n  p.yaml: |\n{indented}"),
            "data.p.yaml",
        ),
        (
            format!(
                "kind: ConfigMap\nmetadata: {{annotations: {{last: '{{\"data\":{{\"p\":{POLICY:?}}}}}'}}}}\ndata: {{p: '{POLICY}'}}"
            ),
            "data.p",
        ),
        (format!("kind: List\nitems: [{{kind: ConfigMap, data: {{p: '{POLICY}'}}}}]"), "items[0].data.p"),
        (format!("spec:\n  files:\n  - path: /a\n  - content: |\n{indented}"), "spec.files[1].content"),
        (format!("cluster: {{apiServer: {{auditPolicy: {POLICY}}}}}"), "cluster.apiServer.auditPolicy"),
        (format!("kind: Pod\n---\nkind: ConfigMap\ndata: {{p: '{POLICY}'}}"), "document 2.data.p"),
        (format!("kind: ConfigMap\ndata: {{a: '{POLICY}', b: '{POLICY}'}}"), "data.a"),
    ] {
        assert_eq!(place(&text).as_deref(), Some(expected), "{text}");
    }
    let several = format!("kind: ConfigMap\ndata: {{a: '{POLICY}', b: '{OTHER}'}}");
    assert_eq!(problem(&several), "it holds several policies, in `data.a`, `data.b`");
    let broken = format!("kind: ConfigMap\ndata: {{a: '{}'}}", POLICY.replace("Metadata", "All"));
    assert!(problem(&broken).starts_with("rule 1 has no level"));
    let none = Policy::parse("kind: ConfigMap\ndata: {a: x, b: y}").unwrap_err();
    assert_eq!(none, PolicyError::ConfigMap { keys: vec!["a".to_owned(), "b".to_owned()] });
}

#[test]
fn what_no_server_starts_with_is_refused() {
    let of = |rule: &str| problem(&format!("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{rule}]"));
    assert_eq!(of("{level: Everything}"), "rule 1 has no level: None, Metadata, Request or RequestResponse");
    assert!(of("{level: None}, {level: None, nonResourceURLs: [/a], namespaces: [b]}").starts_with("rule 2 is about"));
    assert!(of("{level: None, nonResourceURLs: [a]}").starts_with("rule 1 has `a` as a path"));
    assert!(of("{level: None, nonResourceURLs: [/a*b]}").starts_with("rule 1 has `/a*b`"));
    assert!(of("{level: None, resources: [{group: apps/v1}]}").contains("no version"));
    assert!(of("{level: None, resources: [{group: apps, resourceNames: [a]}]}").contains("without a resource"));
    assert!(of("{level: None, omitStages: [Done]}").contains("`Done`"));
    assert!(of("{level: None, users: [1]}").contains("between quotes"));
    assert!(problem("kind: Policy\napiVersion: audit.k8s.io/v1\n").contains("no rules"));
    assert!(problem("kind: Pod\napiVersion: v1\n").contains("kind: Policy"));
    assert!(problem("{").starts_with("it is not YAML"));
    assert!(problem("- a").contains("no object"));
    let lenient = policy("rules: [{level: Metadata, resource: [pods]}]");
    assert_eq!(lenient.ignored, ["`resource` in rule 1"]);
    assert_eq!(lenient.rules[0].summary(), "everything");
}

fn advice_on(policy: &Policy, name: &str) -> Option<Blind> {
    advice(policy, Catalogue::embedded().unwrap().find(name).unwrap())
}

#[test]
fn a_query_that_a_policy_blinds_is_told_with_the_rule_that_mends_it() {
    let all = policy("rules: [{level: RequestResponse}]");
    for query in Catalogue::embedded().unwrap().iter() {
        assert_eq!(advice(&all, query), None, "{}", query.name);
    }
    let nothing = policy("rules: [{level: None}]");
    for query in Catalogue::embedded().unwrap().iter() {
        assert!(advice(&nothing, query).is_some_and(|blind| blind.rows), "{}", query.name);
    }
    let pods = policy(
        "rules:\n- {level: None, users: [kubelet]}\n- {level: Metadata, resources: [{group: \"\", resources: [pods]}]}\n",
    );
    let blind = advice_on(&pods, "secret-reads").unwrap();
    assert_eq!(blind.because, ["not recorded: `secrets`"]);
    let rule = "- level: Metadata\n  verbs: [\"get\", \"list\", \"watch\"]\n  resources:\n  - group: \"\"\n    resources: [\"secrets\"]\n";
    assert_eq!(blind.rules, [(Some(1), rule.to_owned())]);
    // With the rule where the advice puts it, the query sees.
    let mended = policy(&format!("rules:\n{rule}- {{level: None, users: [kubelet]}}\n"));
    assert_eq!(advice_on(&mended, "secret-reads"), None);
}

#[test]
fn the_advice_always_mends() {
    let policies = [
        "rules:\n- {level: None, verbs: [watch]}\n- {level: Metadata}\n",
        "rules:\n- {level: None, namespaces: [kube-system]}\n- {level: Request, omitStages: [ResponseStarted]}\n",
        "omitStages: [RequestReceived]\nrules:\n- {level: Metadata, resources: [{group: rbac.authorization.k8s.io}]}\n",
    ];
    for text in policies {
        let broken = policy(text);
        for query in Catalogue::embedded().unwrap().iter() {
            let Some(blind) = advice(&broken, query) else { continue };
            let rules: String = blind.rules.iter().rev().map(|(_, rule)| rule.as_str()).collect();
            let (head, tail) = text.split_once("rules:\n").unwrap();
            let mended = policy(&format!("{}rules:\n{rules}{tail}", head.replace("RequestReceived", "")));
            // An account of everything asks for more than any list of rules, so only what is named counts.
            if query.needs.iter().all(|need| !need.resource.is_empty()) {
                assert_eq!(advice(&mended, query), None, "{} after\n{rules}", query.name);
            }
        }
    }
}

#[test]
fn a_level_that_is_too_low_and_rules_for_some_are_told() {
    let metadata = policy(
        "rules:\n- {level: None, namespaces: [kube-system], resources: [{group: \"\", resources: [configmaps]}]}\n- {level: Metadata}\n",
    );
    let blind = advice_on(&metadata, "privileged-workloads").unwrap();
    assert!(blind.because[0].starts_with("recorded at level Metadata only, and Request is needed: "), "{blind:?}");
    let blind = advice_on(&metadata, "critical-configmaps").unwrap();
    assert!(blind.because[0].starts_with("not recorded where rule 1 matches (configmaps in kube-system)"), "{blind:?}");
    let blind = advice_on(&policy("omitStages: [ResponseStarted]\nrules: [{level: Metadata}]"), "failed-auth").unwrap();
    assert!(blind.because[0].starts_with("recorded without stage ResponseStarted: "), "{blind:?}");
}
