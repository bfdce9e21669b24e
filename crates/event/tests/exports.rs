//! Exports that people have give the events of the plain log: member by member, as far as an export holds the members.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod told;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kforensic_event::shape::{Position, mentions_event};
use kforensic_event::{Decoded, Event, Reading};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/logs/exports")
}

/// Text as it is, UTF-16 as UTF-8: the lake reads it so.
fn content(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    match bytes.strip_prefix(b"\xff\xfe") {
        Some(units) => {
            let units: Vec<u16> = units.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).unwrap().into_bytes()
        }
        None => bytes,
    }
}

/// Columns that analysts ask for.
const ASKED: [&str; 21] = [
    "audit_id",
    "stage",
    "level",
    "verb",
    "request_uri",
    "user_name",
    "user_groups",
    "source_ips",
    "user_agent",
    "resource",
    "subresource",
    "namespace",
    "name",
    "api_group",
    "status_code",
    "decision",
    "decision_reason",
    "request_object",
    "response_object",
    "event_time",
    "stage_time",
];

/// An event as the columns that analysts ask for; absent ones are left out.
fn members(event: &Event<'_>) -> Members {
    let mut told = told::of_the_event(event);
    for body in ["request_object", "response_object"] {
        // GKE adds it.
        told.get_mut(body).and_then(Value::as_object_mut).map(|body| body.remove("@type"));
    }
    let told = ASKED.into_iter().filter_map(|name| Some((name, told.remove(name)?)));
    told.filter(|(_, value)| !value.is_null()).collect()
}

type Members = BTreeMap<&'static str, Value>;

/// The events of a source, and the reasons of its rejects.
fn read(bytes: &[u8], borders: &[usize]) -> (Vec<Members>, Vec<String>) {
    let reading = Reading::of(bytes);
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    let (mut start, mut done) = (Position::START, 0);
    for end in borders.iter().copied().chain([bytes.len()]) {
        let piece = &bytes[done..end];
        reading.decode(piece, start, end == bytes.len(), &mut |record| {
            let at = usize::try_from(record.position.offset).unwrap();
            assert_eq!(&bytes[at..at + record.bytes.len()], record.bytes, "a record stands where it says");
            match record.decoded {
                Decoded::Event(event) => {
                    assert!(event.salvaged.is_none(), "{:?} of {reading:?} is {:?}", event.audit_id, event.salvaged);
                    events.push(members(&event));
                }
                Decoded::Reject(reason) => rejects.push(reason.to_string()),
            }
        });
        start = start.after(piece);
        done = end;
    }
    (events, rejects)
}

fn plain() -> Vec<Members> {
    read(&content(&folder().join("00-plain.log")), &[]).0
}

/// What an export says of the events of the plain log, in the order of the plain log. `wanting` are the members that its kind cannot
/// hold, or tells otherwise.
fn says_the_same(file: &str, bytes: &[u8], borders: &[usize], wanting: &[&str]) {
    let (events, rejects) = read(bytes, borders);
    assert_eq!(rejects, Vec::<String>::new(), "{file}");
    let plain = plain();
    // Google's entries have no stages: each tells the answer to a request.
    let has_stages = events.iter().any(|event| event.contains_key("stage"));
    let told: Vec<&Members> = plain.iter().filter(|event| has_stages || event["stage"] != "RequestReceived").collect();
    assert_eq!(events.len(), told.len(), "{file}");
    for expected in told {
        let same: Vec<&Members> = events
            .iter()
            .filter(|event| {
                event["audit_id"] == expected["audit_id"]
                    && (!has_stages || event.get("stage") == expected.get("stage"))
            })
            .collect();
        assert!(!same.is_empty(), "{file}: {} is missing", expected["audit_id"]);
        for (name, value) in expected.iter().filter(|(name, _)| !wanting.contains(name)) {
            let told = same[0].get(name);
            // Google tells codes of gRPC: what succeeded, an exec among it, is OK.
            let is_ok = |code: Option<&Value>| code.and_then(Value::as_i64).is_some_and(|code| code < 300);
            if !has_stages && *name == "status_code" && is_ok(Some(value)) && is_ok(told) {
                continue;
            }
            assert_eq!(told, Some(value), "{file}: `{name}` of {}", expected["audit_id"]);
        }
    }
}

fn check(file: &str, wanting: &[&str]) {
    let bytes = content(&folder().join(file));
    says_the_same(file, &bytes, &[], wanting);
    // Wherever a piece ends.
    let reading = Reading::of(&bytes);
    for number in 1..20 {
        let cut = reading.cut(&bytes[..bytes.len() * number / 20]);
        if cut > 0 {
            says_the_same(file, &bytes, &[cut], wanting);
        }
    }
}

#[test]
fn cloudwatch_logs_insights() {
    check("05-insights/logs-insights-results.csv", &[]);
    check("05-insights/get-query-results.json", &[]);
    // The fields that were discovered hold no bodies, and no empty texts.
    check("05-insights/fields-flat.json", &["request_object", "response_object", "decision_reason"]);
}

#[test]
fn log_analytics() {
    check("06-azurediagnostics/query_data.csv", &[]);
    check("07-aksaudit/az-cli-AKSAudit.json", &[]);
    check("07-aksaudit/query_data-AKSAudit.csv", &[]);
    check("34-only-unread/export-rule-PT05M.json", &[]);
}

/// What Google's entries do not hold: stages, groups, the path of a request for a resource.
const NOT_GOOGLES: [&str; 5] = ["stage", "level", "user_groups", "request_uri", "stage_time"];

#[test]
fn google_s_cloud_audit_logs() {
    check("09-gke/gcloud.yaml", &NOT_GOOGLES);
    check("10-bigquery/results.json", &NOT_GOOGLES);
    check("11-pubsub/pull.json", &NOT_GOOGLES);
}

#[test]
fn events_in_a_cell() {
    check("12-splunk/export.csv", &[]);
    check("15-grafana/Explore-logs.csv", &[]);
    check("15-grafana/Explore-logs.txt", &[]);
    check("16-datadog/extract.csv", &[]);
    check("28-odd/csv-pretty-cell.csv", &[]);
    check("28-odd/excel-utf16.txt", &[]);
    check("28-odd/raw.tsv", &[]);
}

#[test]
fn members_as_columns_or_fields() {
    let kibana = [
        "user_groups",
        "user_agent",
        "subresource",
        "api_group",
        "decision",
        "decision_reason",
        "request_object",
        "response_object",
        "event_time",
        "stage_time",
    ];
    check("13-elastic/discover.csv", &kibana);
    check("18-otel/body-kvlist.json", &[]);
    check("19-saas/sls-download.json", &[]);
}

/// A cell as a writer of CSV quotes it.
fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

/// The plain log as a table: for each event the cells of a row.
fn table(header: &[&str], delimiter: &str, line_end: &str, row: &dyn Fn(usize, &str) -> Vec<String>) -> String {
    let plain = String::from_utf8(content(&folder().join("00-plain.log"))).unwrap();
    let mut out = header.join(delimiter) + line_end;
    for (number, line) in plain.lines().enumerate() {
        out += &(row(number, line).join(delimiter) + line_end);
    }
    out
}

#[test]
fn any_delimiter_quoting_line_end_column_order_and_header() {
    let pretty = |line: &str| serde_json::to_string_pretty(&serde_json::from_str::<Value>(line).unwrap()).unwrap();
    for delimiter in [",", ";", "\t", "|", "^"] {
        for line_end in ["\n", "\r\n"] {
            for mark in ["", "\u{feff}", "sep=D\n"] {
                let mark = mark.replace('D', delimiter);
                for header in
                    [["Time", "MESSAGE", "Host"], ["_time", "_raw", "source"], ["\"ts\"", "\"log_s\"", "\"x y\""]]
                {
                    let text = table(&header, delimiter, line_end, &|number, line| {
                        let line = if number % 2 == 0 { line.to_owned() } else { pretty(line).replace('\n', line_end) };
                        vec![quoted("2026-11-21, 8:37"), quoted(&line), String::new()]
                    });
                    says_the_same(&format!("{header:?} {delimiter:?}"), format!("{mark}{text}").as_bytes(), &[], &[]);
                }
            }
        }
    }
    let text = table(&["log"], ",", "\n", &|_, line| vec![quoted(line)]);
    says_the_same("one column", text.as_bytes(), &[], &[]);
    let text = table(&["a", "event", "z"], ",", "\n", &|_, line| vec!["1".to_owned(), quoted(line), "2".to_owned()]);
    // Nobody knows what is in a column without a name: the beginning of the table may be missing, and a body stand there.
    let body = text.split_once('\n').unwrap().1.as_bytes();
    let mut marks = Vec::new();
    Reading::of(body).decode(body, Position::START, true, &mut |record| match record.decoded {
        Decoded::Event(event) => marks.push(event.salvaged.unwrap().into_owned()),
        Decoded::Reject(reason) => panic!("{reason}"),
    });
    assert_eq!(marks, ["unknown-wrapper"; 8]);
    // Files that were put together: the header comes twice.
    let lines: Vec<&str> = text.lines().collect();
    let two = [&lines[..4], &lines[..1], &lines[4..]].concat().join("\n");
    says_the_same("two files", two.as_bytes(), &[], &[]);
}

/// The plain log as text.
fn lines() -> String {
    String::from_utf8(content(&folder().join("00-plain.log"))).unwrap()
}

/// A table in the words of PowerShell, with a title, with a column that nobody knows, or behind lines of a log.
#[test]
fn tables_that_begin_with_something_else() {
    let text = table(&["time", "message"], ",", "\r\n", &|_, line| vec![quoted("t"), quoted(line)]);
    let typed = format!("#TYPE System.Management.Automation.PSCustomObject\r\n{text}");
    says_the_same("Export-Csv", typed.as_bytes(), &[], &[]);
    let behind = table(&["time", "message"], ",", "\n", &|_, line| {
        vec!["t".to_owned(), quoted(&format!("2026-11-21T20:37:01.101111Z stdout F {line}"))]
    });
    says_the_same("a header in the cell", behind.as_bytes(), &[], &[]);
    let strange = table(&["when", "what"], ",", "\n", &|_, line| vec!["t".to_owned(), quoted(line)]);
    let titled = format!("Audit of Monday\n\n{strange}");
    let changed = format!("{}\n{strange}", lines().lines().next().unwrap());
    for (text, rejected) in [(&strange, 0), (&titled, 2), (&changed, 1)] {
        let (mut marked, mut rejects) = (0, 0);
        Reading::of(text.as_bytes()).decode(
            text.as_bytes(),
            Position::START,
            true,
            &mut |record| match record.decoded {
                Decoded::Event(event) => marked += usize::from(event.salvaged.as_deref() == Some("unknown-wrapper")),
                Decoded::Reject(_) => rejects += 1,
            },
        );
        assert_eq!((marked, rejects), (8, rejected), "{text}");
    }
}

/// Splunk's fields: `user.groups{}`, a line for each value.
#[test]
fn splunk_s_fields_with_several_values() {
    let names = "auditID stage verb requestURI level requestReceivedTimestamp user.username user.groups{} sourceIPs{} \
        objectRef.resource responseStatus.code requestObject.roleRef.kind requestObject.roleRef.name \
        requestObject.subjects{}.kind requestObject.subjects{}.name requestObject.spec.containers{}.image";
    let names: Vec<&str> = names.split_whitespace().collect();
    let told = |event: &Value, name: &str| -> String {
        let mut values = vec![event.clone()];
        for part in name.split('.') {
            let part = part.trim_end_matches("{}");
            values = values
                .iter()
                .map(|value| value[part].clone())
                .flat_map(|value| value.as_array().cloned().unwrap_or_else(|| vec![value]))
                .collect();
        }
        let texts = values.iter().filter(|value| !value.is_null());
        texts.map(|value| value.as_str().map_or(value.to_string(), str::to_owned)).collect::<Vec<_>>().join("\n")
    };
    let row = |line: &str| -> Vec<String> {
        let event: Value = serde_json::from_str(line).unwrap();
        names.iter().map(|name| quoted(&told(&event, name))).collect()
    };
    let quoted_names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let header: Vec<&str> = quoted_names.iter().map(String::as_str).collect();
    let text = table(&header, ",", "\n", &|_, line| row(line));
    let lost = "stage_time user_agent subresource namespace name api_group decision decision_reason request_object \
        response_object";
    says_the_same("fields", text.as_bytes(), &[], &lost.split_whitespace().collect::<Vec<_>>());
    let body = |id: &str| {
        let (events, _) = read(text.as_bytes(), &[]);
        let event = events.iter().find(|event| event["audit_id"].as_str().unwrap().ends_with(id)).unwrap();
        let body = &event["request_object"];
        body.as_str().map_or(body.clone(), |text| serde_json::from_str(text).unwrap())
    };
    let binding = serde_json::json!({"roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}, "subjects": [{"kind": "User", "name": "mallory"}]});
    assert_eq!(body("005"), binding);
    assert_eq!(body("006"), serde_json::json!({"spec": {"containers": [{"image": "alpine:3"}]}}));
    // The raw event beside them is the one that counts.
    let header = [&header[..], &["_raw"]].concat();
    let text = table(&header, ",", "\n", &|_, line| [row(line), vec![quoted(line)]].concat());
    says_the_same("_raw", text.as_bytes(), &[], &[]);
}

#[test]
fn splunk_s_xml() {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let result = |(number, line): (usize, &str)| {
        // What the server writes as `\u0026` other writers give as it is.
        let line = escaped(&line.replace("\\u0026", "&"));
        format!(
            "\t<result offset='{number}'>\n\t\t<field k='_time'>\n\t\t\t<value><text>x</text></value>\n\t\t</field>\n\t\t<field k='_raw'><v xml:space='preserve' trunc='0'>{line}</v></field>\n\t</result>\n"
        )
    };
    let plain = lines();
    let results: Vec<String> = plain.lines().enumerate().map(result).collect();
    let head = "<?xml version='1.0' encoding='UTF-8'?>\n<results preview='0'>\n<meta>\n<fieldOrder>\n<field>_raw</field>\n</fieldOrder>\n</meta>\n";
    let text = format!("{head}{}</results>\n", results.concat());
    says_the_same("xml", text.as_bytes(), &[], &[]);
    let reading = Reading::of(text.as_bytes());
    assert_eq!(reading.shape.name, "splunk");
    let cut = reading.cut(&text.as_bytes()[..text.len() / 2]);
    assert!(cut > 0);
    says_the_same("xml in two pieces", text.as_bytes(), &[cut], &[]);
    // One that breaks off costs itself.
    let torn = format!("{head}{}{}{}</results>\n", results[0], &results[1][..300], results[2]);
    let (events, rejects) = read(torn.as_bytes(), &[]);
    assert_eq!((events.len(), rejects.len()), (2, 1), "{rejects:?}");
}

/// The payload of a message by itself: what holds no log, what is torn, and what stands beside it cost nothing but themselves.
#[test]
fn packed_text_that_is_a_record_by_itself() {
    let pack = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        STANDARD.encode(encoder.finish().unwrap())
    };
    let lines = lines();
    let control =
        pack(r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"Checking health of destination"}]}"#);
    let log = format!("{control}\n{}\n{}\n", pack(&lines), &pack(&lines)[..400]);
    let (events, rejects) = read(log.as_bytes(), &[]);
    assert_eq!(events, plain());
    assert_eq!(rejects.len(), 2, "{rejects:?}");
    assert_eq!(rejects[0], "not an audit event: no audit event in this packed text");
    assert!(rejects[1].starts_with("the packed text in it cannot be unpacked: "), "{rejects:?}");
    // In a folder it is told from other files, by what is in it, where only its beginning is known, too.
    assert!(mentions_event(log.as_bytes()) && mentions_event(&pack(&lines).as_bytes()[..500]));
    assert!(mentions_event(format!("\"{}\"", pack(&lines)).as_bytes()));
    // The time of the message in front is no part of it, and no other word may be.
    let timed = format!("2026-11-21T20:37:10.123Z {}\n", pack(&lines)).repeat(2);
    let (events, rejects) = read(timed.as_bytes(), &[]);
    assert_eq!((events.len(), rejects.len()), (2 * plain().len(), 0), "{rejects:?}");
    assert!(mentions_event(timed.as_bytes()));
    let named = format!("I1121 agent=\"curl {}\"\n", pack(&lines));
    assert_eq!(read(named.as_bytes(), &[]).0.len(), 0);
    assert!(!mentions_event(control.as_bytes()) && !mentions_event(b"H4sI is how gzip begins in base64"));
}

/// Lengths that are no text, that are wrong, and an export that breaks off.
#[test]
fn a_journal_s_export_is_read_by_its_lengths() {
    let entry = |value: &[u8], length: usize| {
        let mut entry = b"__CURSOR=s=1\n_BOOT_ID=b\nMESSAGE\n".to_vec();
        entry.extend_from_slice(&(length as u64).to_le_bytes());
        entry.extend_from_slice(value);
        entry.extend_from_slice(b"\n_PID=1\n\n");
        entry
    };
    let lines = lines();
    let whole: Vec<Vec<u8>> = lines.lines().map(|line| entry(line.as_bytes(), line.len())).collect();
    let export = whole.concat();
    says_the_same("with lengths", &export, &[], &[]);
    says_the_same("with lengths, in pieces", &export, &[Reading::of(&export).cut(&export[..export.len() / 2])], &[]);
    // What is between them, and what breaks off, are a reject each.
    let other = entry(b"started\n\n__CURSOR=x\nMESSAGE=no", 30);
    let (events, rejects) = read(&[&other, export.as_slice(), &whole[0][..200]].concat(), &[]);
    assert_eq!(events, plain());
    assert_eq!(rejects.len(), 2, "{rejects:?}");
    // A length that is wrong: the next events say that they stand behind damage.
    for wrong in [7, 90_000, usize::MAX] {
        let damaged = [&entry(b"a\n\n__CURSOR=x\nMESSAGE=no", wrong), export.as_slice()].concat();
        let (mut marks, mut rejects) = (Vec::new(), 0);
        Reading::of(&damaged).decode(&damaged, Position::START, true, &mut |record| match record.decoded {
            Decoded::Event(event) => marks.push(event.salvaged.is_some()),
            Decoded::Reject(_) => rejects += 1,
        });
        assert_eq!((marks.len(), rejects), (whole.len(), 2), "{wrong}");
        assert_eq!(marks.iter().take_while(|mark| **mark).count(), 3, "{wrong}");
    }
}

#[test]
fn what_journald_writes_as_bytes() {
    let entry = |line: &str, blank: &str| {
        let bytes: Vec<String> = line.bytes().map(|byte| byte.to_string()).collect();
        let list = format!("[{blank}{}{blank}]", bytes.join(&format!(",{blank}")));
        format!("{{\"__CURSOR\":\"c\",\"_BOOT_ID\":\"b\",\"MESSAGE\":{list}}}\n")
    };
    let plain = lines();
    for blank in ["", " "] {
        let text: String = plain.lines().map(|line| entry(line, blank)).collect();
        says_the_same("bytes", text.as_bytes(), &[], &[]);
    }
    let mixed: String = plain
        .lines()
        .enumerate()
        .map(|(number, line)| match number % 2 {
            0 => entry(line, ""),
            _ => format!("{{\"__CURSOR\":\"c\",\"MESSAGE\":{}}}\n", Value::from(line)),
        })
        .collect();
    says_the_same("bytes and text", mixed.as_bytes(), &[], &[]);
    // Not all of it is text: the event says that it is not as the server wrote it.
    let mut line = entry(plain.lines().next().unwrap(), "");
    line = line.replacen("107,117,98,101,99,116,108", "107,255,98,101,99,116,108", 1);
    let mut marks = Vec::new();
    Reading::of(line.as_bytes()).decode(line.as_bytes(), Position::START, true, &mut |record| match record.decoded {
        Decoded::Event(event) => marks.push(event.salvaged.unwrap().into_owned()),
        Decoded::Reject(reason) => panic!("{reason}"),
    });
    assert_eq!(marks, ["unknown-wrapper"]);
}

/// The AWS CLI folds long texts, PyYAML writes lists at the margin.
#[test]
fn yaml_of_other_tools() {
    let plain = lines();
    let folded = |line: &str| {
        let quoted = line.replace('\'', "''");
        // A blank at which it is folded becomes a line end; two stay one.
        quoted.split(' ').collect::<Vec<_>>().join("\n    ")
    };
    let item =
        |line: &str| format!("- eventId: '37'\n  logStreamName: s\n  message: '{}'\n  timestamp: 1\n", folded(line));
    let text = format!("events:\n{}searchedLogStreams: []\n", plain.lines().map(item).collect::<String>());
    says_the_same("aws --output yaml", text.as_bytes(), &[], &[]);
    let document = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        let members = event.as_object().unwrap().iter().map(|(name, value)| match value.as_array() {
            Some(list) => format!("{name}:\n{}", list.iter().map(|item| format!("- {item}\n")).collect::<String>()),
            None => format!("{name}: {value}\n"),
        });
        members.collect::<String>()
    };
    let documents: Vec<String> = plain.lines().map(document).collect();
    says_the_same("documents", documents.join("---\n").as_bytes(), &[], &[]);
    let reading = Reading::of(documents.join("---\n").as_bytes());
    let text = documents.join("---\n");
    let cut = reading.cut(&text.as_bytes()[..text.len() / 2]);
    says_the_same("documents in two pieces", text.as_bytes(), &[cut], &[]);
}

#[test]
fn kubectl_logs_with_prefix_and_timestamps() {
    let line = |line: &str| format!("[pod/kube-apiserver-cp1/kube-apiserver] 2026-11-21T20:37:01.101111000Z {line}\n");
    says_the_same("kubectl", lines().lines().map(line).collect::<String>().as_bytes(), &[], &[]);
}

#[test]
fn members_as_columns_whatever_their_case_and_order() {
    for (names, delimiter) in [
        ("requestURI auditID user.username verb stage level requestReceivedTimestamp responseStatus.code", ","),
        ("requesturi auditid user_username verb stage level requestreceivedtimestamp responsestatus_code", ";"),
        ("REQUESTURI AUDITID USER.USERNAME VERB STAGE LEVEL REQUESTRECEIVEDTIMESTAMP RESPONSESTATUS.CODE", "\t"),
        ("request_uri audit_id user_name verb stage level request_received_timestamp response_status_code", "|"),
        (
            "l.requestURI l.auditID l.user.username l.verb l.stage l.level l.requestReceivedTimestamp l.responseStatus.code",
            ",",
        ),
    ] {
        let names: Vec<&str> = names.split(' ').collect();
        let text = table(&[names.as_slice(), &["extra"]].concat(), delimiter, "\n", &|_, line| {
            let event: Value = serde_json::from_str(line).unwrap();
            let cell =
                |value: &Value| quoted(&value.as_str().map_or(value.to_string(), str::to_owned).replace("null", ""));
            let status = &event["responseStatus"]["code"];
            let members = ["requestURI", "auditID"].map(|name| cell(&event[name]));
            let rest = ["verb", "stage", "level", "requestReceivedTimestamp"].map(|name| cell(&event[name]));
            let cells = members.into_iter().chain([cell(&event["user"]["username"])]).chain(rest);
            cells.chain([cell(status), "x".to_owned()]).collect()
        });
        let lost = "user_groups source_ips user_agent resource subresource namespace name \
            api_group decision decision_reason request_object response_object stage_time";
        let lost: Vec<&str> = lost.split_whitespace().collect();
        says_the_same(&names.join(","), text.as_bytes(), &[], &lost);
    }
}

#[test]
fn a_torn_quotation_mark_costs_its_row() {
    let text = table(&["time", "_raw"], ",", "\n", &|_, line| vec!["t".to_owned(), quoted(line)]);
    let rows: Vec<&str> = text.lines().collect();
    for torn in 1..rows.len() {
        let mut damaged: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
        damaged[torn].truncate(300);
        // Half of a doubled quotation mark would end the cell, which is a message that was cut then.
        damaged[torn] = damaged[torn].trim_end_matches('"').to_owned();
        let (events, rejects) = read((damaged.join("\n") + "\n").as_bytes(), &[]);
        assert_eq!((events.len(), rejects.len()), (rows.len() - 2, 1), "row {torn}: {rejects:?}");
    }
}

#[test]
fn what_is_none_of_the_api_server_s_is_named() {
    for (file, what) in [
        // One of its lines has a member without a value, as Rancher writes empty bodies.
        ("01-rancher/rancher-api-audit.log", "Rancher"),
        ("27-foreign/falco-alert.jsonl", "Falco"),
        ("27-foreign/teleport.jsonl", "Teleport"),
        ("27-foreign/gdc-audit-logger.json", "another API"),
        ("20-ocsf/eks.json", "OCSF"),
    ] {
        let (events, rejects) = read(&content(&folder().join(file)), &[]);
        assert!(events.is_empty() && !rejects.is_empty(), "{file}");
        assert!(rejects.iter().all(|reason| reason.contains(what)), "{file}: {rejects:?}");
    }
}

/// Log Analytics cuts `log_s` at 32,766 bytes, wherever that is: a padded body must not hide what was done.
#[test]
fn what_azure_cut_is_an_event_that_says_so_or_a_reject_with_its_id() {
    const ID: &str = "f1e1d000-0000-4000-8000-000000000007";
    let bytes = content(&folder().join("06-azurediagnostics/az-cli-cut-32766.json"));
    let rows: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let whole = rows.iter().map(|row| row["log_s"].as_str().unwrap()).find(|log| !log.contains("\n\n")).unwrap();
    let lengths: Vec<usize> = rows.iter().map(|row| row["log_s"].as_str().unwrap().len()).collect();
    assert!(lengths.contains(&32_766), "{lengths:?}");
    let outcome = |text: &str| {
        let reading = Reading::of(text.as_bytes());
        let (mut cut, mut told) = (Vec::new(), 0);
        reading.decode(text.as_bytes(), Position::START, true, &mut |record| match record.decoded {
            Decoded::Event(event) => match event.salvaged {
                Some(mark) => cut.push((event.audit_id.unwrap_or_default().into_owned(), mark.into_owned())),
                None => told += 1,
            },
            Decoded::Reject(reason) => cut.push((reason.to_string(), "reject".to_owned())),
        });
        (told, cut)
    };
    let given = outcome(std::str::from_utf8(&bytes).unwrap());
    assert_eq!((given.0, given.1.len(), given.1[0].1.as_str()), (1, 1, "cut"), "{given:?}");
    // The binding is there: what it is for came before the cut.
    let binding = read_any(&bytes).into_iter().find(|members| members["verb"] == "create").unwrap();
    assert_eq!(binding["resource"], "clusterrolebindings");
    let long = whole.replacen("f1e1d000-0000-4000-8000-000000000001", ID, 1);
    let long = long.replacen("\"stage\"", &format!("\"x\":\"{}\",\"stage\"", "\\u00e4\\\"".repeat(8)), 1);
    let named = long.find(ID).unwrap() + ID.len() + 2;
    for end in named..long.len() - 1 {
        let cells = |log: &str| serde_json::json!({"Category": "kube-audit", "TimeGenerated": "2026-11-21T20:37:01Z", "log_s": log});
        let json = serde_json::to_string_pretty(&[cells(whole), cells(&long[..end]), cells(whole)]).unwrap();
        let row = |log: &str| format!("kube-audit,{},\"2026-11-21T20:37:01Z\"\n", quoted(log));
        let csv = format!("Category,log_s,TimeGenerated\n{}{}{}", row(whole), row(&long[..end]), row(whole));
        for (form, text) in [("az", json), ("CSV", csv)] {
            let (told, mut cut) = outcome(&text);
            // Where a value can follow, what is behind could be a part of it, and says so.
            let behind = cut.len();
            cut.retain(|(_, mark)| mark != "behind-damage");
            assert_eq!((told + behind - cut.len(), cut.len()), (2, 1), "{form} cut at {end}: {cut:?}");
            assert!(
                cut[0].0.contains(ID) && (cut[0].1 == "cut" || cut[0].1 == "reject"),
                "{form} cut at {end}: {cut:?}"
            );
        }
    }
}

/// The events of a source, marked or not.
fn read_any(bytes: &[u8]) -> Vec<Members> {
    let mut events = Vec::new();
    Reading::of(bytes).decode(bytes, Position::START, true, &mut |record| {
        if let Decoded::Event(event) = record.decoded {
            events.push(members(&event));
        }
    });
    events
}
