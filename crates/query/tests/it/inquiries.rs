//! Investigations: the same bytes every time, names that an intruder chose, and files that tell where addresses are.

use std::sync::Arc;

use kforensic_event::time;
use kforensic_query::inquiry::{Answer, SpreadView, rbac_at, rbac_diff};
use kforensic_query::places::Places;
use kforensic_query::{Limits, Selection, Session, gate};
use kforensic_trace::indicator::Indicators;
use kforensic_trace::rbac::{Asked, way_back};
use kforensic_trace::spread::{self, Bounds, seed};

use crate::fixture::{Collected, Fixture};

/// All that can be asked, as text.
fn told(session: &Session, clue: &str) -> String {
    let found = session.spread(&[seed(clue).unwrap()], &Bounds::default()).unwrap();
    let replay = session.rbac(&[]).unwrap();
    let asked = Asked { verb: "get".into(), resource: "secrets".into(), namespace: "prod".into(), ..Asked::default() };
    let indicators = Indicators::read("127.0.31[.]9\nuser:bob\nprod/db-credentials\nkubectl\nnobody\n");
    let show = |answer: &Answer| format!("{:?}\n", answer.batch);
    let mut text = format!("{:#}", spread::json(&found, &time::render));
    text += &spread::svg(&found, &time::render);
    text += &spread::dot(&found, &time::render);
    text.extend(SpreadView::ALL.iter().map(|(_, view)| show(&view.of(&found))));
    text += &show(&session.rotate(&found, &replay).unwrap());
    text += &show(&rbac_at(&replay, i64::MAX).0);
    let (diff, changes) = rbac_diff(&replay, 0, i64::MAX);
    text += &show(&diff);
    text += &way_back(&changes);
    text += &format!("{:?}", session.check_rbac(&replay).unwrap());
    text += &show(&session.who_can(&replay, &asked, i64::MAX).unwrap().0);
    text += &show(&session.can(&replay, "bob", &[], i64::MAX).unwrap().0);
    text += &show(&session.rights_of(&replay, &["bob".into(), "mallory".into()], i64::MAX).unwrap().0);
    text += &show(&session.sweep(&indicators.all).unwrap());
    text += &show(&session.object_history("clusterroles", "", "edit").unwrap());
    text
}

#[test]
fn the_same_bytes_with_one_thread_and_with_eight() {
    let case = Fixture::of_logs("sample-logs/hardened");
    let with = |threads| {
        let session =
            Session::open(&case.snapshot, &Selection::default(), &Limits { threads, ..case.limits() }).unwrap();
        told(&session, "user:bob")
    };
    let one = with(1);
    assert!(one.len() > 100_000 && one.contains("metrics-helper-binding"), "{}", one.len());
    for threads in [1, 8, 8] {
        assert!(with(threads) == one, "{threads} threads");
    }
}

/// An event of somebody's, with names that want to be more than names.
fn hostile(id: usize, verb: &str, user: &str, resource: &str, name: &str, body: &str) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let (group, place) = match resource.starts_with("cluster") {
        true => ("rbac.authorization.k8s.io", ""),
        false => ("", "\"namespace\":\"prod\","),
    };
    format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"RequestResponse\",\"auditID\":\"h{id}\",\
         \"stage\":\"ResponseComplete\",\"requestURI\":\"/x/{id}\",\"verb\":\"{verb}\",\"user\":{{\"username\":{},\
         \"groups\":[\"system:authenticated\"]}},\"sourceIPs\":[\"203.0.113.7\"],\"userAgent\":{},\"objectRef\":{{\
         \"resource\":\"{resource}\",{place}\"name\":{},\"apiGroup\":\"{group}\",\"apiVersion\":\"v1\"}},\
         \"responseStatus\":{{\"metadata\":{{}},\"code\":201}},\"requestObject\":{body},\
         \"requestReceivedTimestamp\":\"2026-11-21T20:00:{id:02}.000000Z\",\
         \"stageTimestamp\":\"2026-11-21T20:00:{id:02}.100000Z\",\
         \"annotations\":{{\"authorization.k8s.io/decision\":\"allow\"}}}}\n",
        text(user),
        text(user),
        text(name)
    )
}

const EVIL: [&str; 6] = [
    "</text></svg><script>alert(1)</script>",
    "\"]; evil [label=\"x",
    "a\\\nb: c\n---\nkind: ClusterRoleBinding",
    "\u{202e}nimda\u{1b}[2J\u{0}\u{9b}",
    "--all",
    "$(reboot) `id` ; rm -rf / #",
];

#[test]
fn names_that_an_intruder_chose_stay_text() {
    let mut log = String::new();
    for (at, name) in EVIL.iter().enumerate() {
        let role = serde_json::json!({
            "kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name, "labels": {*name: name}},
            "rules": [{"verbs": [name], "apiGroups": [name], "resources": [name]}],
        });
        let pod = serde_json::json!({"kind": "Pod", "metadata": {"name": name}, "spec": {"serviceAccountName": name,
            "containers": [{"name": name, "image": name}], "volumes": [{"secret": {"secretName": name}}]}});
        log += &hostile(2 * at, "create", EVIL[0], "clusterroles", name, &role.to_string());
        log += &hostile(2 * at + 1, "create", EVIL[0], "pods", name, &pod.to_string());
        log += &hostile(20 + at, "delete", EVIL[0], "clusterroles", name, "null");
    }
    let case = Fixture::of_texts(&[log.as_bytes()]);
    let session = case.session();
    let found = session.spread(&[seed(&format!("user:{}", EVIL[0])).unwrap()], &Bounds::default()).unwrap();
    let is_hostile = |text: &str| text.chars().any(|one| (one.is_control() && one != '\n') || one == '\u{202e}');
    let svg = spread::svg(&found, &time::render);
    assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script") && !is_hostile(&svg), "{svg}");
    assert_eq!((svg.matches("<svg").count(), svg.matches("</svg>").count()), (1, 1));
    let dot = spread::dot(&found, &time::render);
    // A line is a whole statement, and an unescaped quote begins or ends a text.
    for line in dot.lines().filter(|line| line.starts_with("  \"")) {
        let bare = line.replace("\\\\", "").replace("\\\"", "");
        assert!(bare.matches('"').count() % 2 == 0 && line.ends_with("];") && !is_hostile(line), "{line}");
    }
    let replay = session.rbac(&[]).unwrap();
    let middle = time::parse("2026-11-21T20:00:15.000000Z").unwrap();
    let (_, changes) = rbac_diff(&replay, middle, i64::MAX);
    assert_eq!(changes.len(), EVIL.len());
    let yaml = way_back(&changes);
    assert_eq!(yaml.lines().filter(|line| *line == "---").count(), EVIL.len(), "{yaml}");
    assert!(!is_hostile(&yaml) && !yaml.lines().any(|line| line.starts_with("kind: ClusterRoleBinding")), "{yaml}");
    // Of the way back from what was made: each name is one word, or none.
    let (_, changes) = rbac_diff(&replay, 0, middle);
    let yaml = way_back(&changes);
    for line in yaml.lines() {
        assert!(line.starts_with('#') && !is_hostile(line), "{line}");
    }
    assert!(yaml.contains("#   kubectl delete clusterroles -- --all\n"), "{yaml}");
    assert!(yaml.contains("kubectl delete clusterroles '$(reboot) `id` ; rm -rf / #'"), "{yaml}");
    assert!(session.rotate(&found, &replay).unwrap().batch.num_rows() > EVIL.len());
}

#[test]
fn addresses_are_looked_up_behind_all_locks() {
    let case = Fixture::of_logs("sample-logs/hardened");
    let root = std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/geoip/made.mmdb");
    let places = Arc::new(Places::read(vec![("made.mmdb".to_owned(), std::fs::read(&root).unwrap())]).unwrap());
    let open = |places| Session::open(&case.snapshot, &Selection::default(), &Limits { places, ..case.limits() });
    let ask = |session: &Session, sql: &str| {
        let statement = gate::check(sql).map_err(|refusal| refusal.to_string())?;
        let mut rows = Collected::default();
        session.sql(&statement, None, &mut rows).map_err(|error| error.to_string())?;
        Ok::<_, String>(rows.rows)
    };
    let session = open(Some(Arc::clone(&places))).unwrap();
    let rows = ask(
        &session,
        "SELECT source_ip, ip_country(source_ip) AS c, ip_info(source_ip).as_number AS n, ip_info(source_ip).organisation AS o, \
         count(*) AS k FROM requests GROUP BY ALL ORDER BY source_ip",
    )
    .unwrap();
    let told: Vec<String> =
        rows.iter().map(|row| format!("{} {} {} {}", row["source_ip"], row["c"], row["n"], row["o"])).collect();
    assert_eq!(
        told,
        [
            "\"127.0.0.1\" \"DE\" 64500 \"Made-up Hosting\"",
            "\"127.0.31.9\" \"AQ\" 64501 \"<b>Intruder & Sons</b>\"",
            "\"127.0.66.7\" null null null"
        ]
    );
    // The file was read before: DuckDB may not open it, nor anything else.
    assert!(session.protection().is_in_force());
    for sql in [
        format!("SELECT * FROM read_text('{}')", root.display()),
        format!("SELECT * FROM read_blob('{}')", root.display()),
        format!("SELECT ip_info(content) FROM read_text('{}')", root.display()),
        "CREATE MACRO ip_info(x) AS getenv('HOME')".to_owned(),
        "SELECT ip_country((SELECT content FROM read_text('/etc/passwd')))".to_owned(),
    ] {
        assert!(ask(&session, &sql).is_err(), "{sql}");
    }
    let without = open(None).unwrap();
    let error = ask(&without, "SELECT ip_info(source_ip) FROM requests").unwrap_err();
    assert!(error.contains("--geoip FILE.mmdb"), "{error}");
}
