//! Wrappers in which tools leave a log, written from its lines: shared by the tests that compare values and those that plant events.
#![allow(dead_code, reason = "every program uses its own part of this")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A time of a collector.
const TIME: &str = "2026-11-21T20:37:37.365950+00:00";

/// The stream in which EKS keeps the audit log.
const STREAM: &str = "kube-apiserver-audit-9001184c2a7f";

/// A log in a wrapper, of its lines and of the events that they are.
pub(crate) type Wrap = fn(&[String], &[Value]) -> String;

/// Wrappers that keep every value, by name.
pub(crate) const WRAPPERS: &[(&str, Wrap)] = &[
    ("a subscription's payload a line", |lines, _| {
        each(lines, |line| packed(&subscription(std::slice::from_ref(line))) + "\n")
    }),
    ("a subscription's payload in quotation marks", |lines, _| {
        each(lines, |line| format!("\"{}\"\n", packed(&subscription(std::slice::from_ref(line)))))
    }),
    ("a subscription's payloads, wrapped", |lines, _| {
        each(lines, |line| wrapped(&packed(&subscription(std::slice::from_ref(line))), 76, "\n"))
    }),
    ("a log as gzip and base64, wrapped", |lines, _| wrapped(&packed(&(lines.join("\n") + "\n")), 64, "\r\n")),
    ("a log as base64, wrapped", |lines, _| wrapped(&STANDARD.encode(lines.join("\n") + "\n"), 76, "\n")),
    ("events as base64, a line each", |lines, _| each(lines, |line| STANDARD.encode(line) + "\n")),
    ("journalctl -o export", |lines, _| each(lines, |line| entry(&format!("MESSAGE={line}\n")))),
    ("journalctl -o export, with lengths", |lines, _| {
        each(lines, |line| {
            // Blanks behind the line, so that the bytes of its length are text.
            let mut line = format!("{line}\n");
            while line.len().to_le_bytes().iter().any(|byte| !byte.is_ascii()) {
                line.push('\n');
            }
            let length = String::from_utf8_lossy(&line.len().to_le_bytes()).into_owned();
            entry(&format!("MESSAGE\n{length}{line}\n"))
        })
    }),
    ("logcli without labels", |lines, _| each(lines, |line| format!("2026-11-21T20:37:38Z {{}} {line}\n"))),
    ("records of Kinesis", |lines, _| {
        let record =
            |line: &String| json!({"SequenceNumber": "1", "Data": packed(&subscription(std::slice::from_ref(line)))});
        pretty(&json!({"Records": lines.iter().map(record).collect::<Vec<_>>(), "MillisBehindLatest": 0}))
    }),
    ("flow YAML, an item a line", |_, events| each(events, |event| format!("- {}\n", flow(event)))),
    ("flow YAML, documents", |_, events| {
        each(events, |event| format!("--- {}\n", flow(event).replace(", ", ",\n    ")))
    }),
    ("flow YAML, a list", |_, events| {
        format!("[{}]\n", each(events, |event| flow(event) + ", ").trim_end_matches(", "))
    }),
    ("flow YAML in block YAML", |_, events| each(events, |event| format!("---\n{}", half_flow(event)))),
    ("aws logs tail --format json", |_, events| each(events, |event| format!("{TIME} {STREAM} \n{}\n", pretty(event)))),
    ("aws logs tail --format json, in colour", |_, events| {
        each(events, |event| format!("\u{1b}[32m{TIME}\u{1b}[0m \u{1b}[36m{STREAM}\u{1b}[0m \n{}\n", pretty(event)))
    }),
    ("aws logs tail, in colour", |lines, _| {
        each(lines, |line| format!("\u{1b}[32m{TIME}\u{1b}[0m \u{1b}[36m{STREAM}\u{1b}[0m {line}\n"))
    }),
    ("filter-log-events --output text", |lines, _| {
        let found = each(lines, |line| format!("EVENTS\t3826\t1795293422008\t{STREAM}\t{line}\t1795293421108\n"));
        format!("{found}SEARCHEDLOGSTREAMS\t{STREAM}\tTrue\n")
    }),
    ("get-log-events --output text", |lines, _| {
        let found = each(lines, |line| format!("EVENTS\t1795293422008\t{line}\t1795293421108\n"));
        format!("b/3826/s\tf/3826/s\n{found}")
    }),
    ("filter-log-events --output yaml", |lines, _| {
        let item = |line: &String| {
            format!("- eventId: '3826'\n  logStreamName: {STREAM}\n  message: {}\n", Value::from(line.as_str()))
        };
        format!(
            "events:\n{}searchedLogStreams:\n- logStreamName: {STREAM}\n  searchedCompletely: true\n",
            each(lines, item)
        )
    }),
    ("Fluentd's stdout", |lines, _| {
        each(lines, |line| format!("2026-11-21 20:37:37.000000000 +0000 kube.audit: {line}\n"))
    }),
    ("syslog with lengths, RFC 5424", |lines, _| {
        each(lines, |line| counted(&format!("<134>1 {TIME} cp-1 kube-apiserver 1 audit - {line}")))
    }),
    ("syslog with lengths, RFC 3164", |lines, _| {
        each(lines, |line| counted(&format!("<14>Nov 21 20:37:37 cp-1 audit: {line}")))
    }),
    ("syslog with lengths and line ends", |lines, _| {
        each(lines, |line| counted(&format!("<134>1 {TIME} cp-1 kube-apiserver 1 audit - {line}\n")))
    }),
    ("syslog with lengths, documents of several lines", |_, events| {
        each(events, |event| counted(&format!("<134>1 {TIME} cp-1 kube-apiserver 1 audit - {}", pretty(event))))
    }),
    ("CEF", |lines, _| each(lines, |line| format!("{CEF}rt=1795293421108 dvchost=cp-1 msg={}\n", cef(line)))),
    ("CEF behind a header of syslog", |lines, _| {
        each(lines, |line| {
            format!("<14>Nov 21 20:37:37 cp-1 {CEF}rawEvent={} rt=1795293421108 externalId=7\n", cef(line))
        })
    }),
    ("LEEF", |lines, _| {
        each(lines, |line| format!("LEEF:1.0|Kubernetes|audit|1.28|event|devTime=1\tpayload={line}\n"))
    }),
    ("LEEF behind a header of syslog", |lines, _| {
        each(lines, |line| {
            format!("<134>1 {TIME} cp-1 audit 1 - - LEEF:2.0|K|audit|1|event|x1F|payload={line}\u{1f}devTime=1\n")
        })
    }),
    ("Fluent Bit's stdout", |lines, _| {
        each(lines, |line| format!("[0] kube.audit: [[1795293421.108114000, {{}}], {{\"log\"=>\"{line}\"}}]\n"))
    }),
    ("Fluent Bit's stdout, with more members", |lines, _| {
        let more = r#""stream"=>"stdout", "time"=>"2026-11-21T20:37:37.1Z""#;
        each(lines, |line| format!("[1] kube.audit: [1795293421.108114000, {{{more}, \"log\"=>\"{line}\", {more}}}]\n"))
    }),
    ("MySQL's --batch", |lines, _| {
        format!("id\tat\tmessage\n{}", each(lines, |line| format!("7\t2026-11-21 20:37:37\t{}\n", doubled(line))))
    }),
    ("MySQL's INTO OUTFILE, enclosed", |lines, _| {
        let row = |line: &String| format!("\"7\",\"2026-11-21\",\"{}\"\n", doubled(line).replace('"', "\\\""));
        format!("\"id\",\"at\",\"log\"\n{}", each(lines, row))
    }),
    ("PostgreSQL's COPY, one column", |lines, _| each(lines, |line| doubled(line) + "\n")),
    ("ClickHouse's TSV", |lines, _| {
        let row = |line: &String| format!("2026-11-21\t{}\t\\N\n", doubled(line).replace('\'', "\\'"));
        format!("ts\tmessage\tstream\n{}", each(lines, row))
    }),
    ("CSV whose backslashes and quotation marks are doubled", |lines, _| {
        let row = |line: &String| format!("7;\"{}\"\r\n", doubled(line).replace('"', "\"\""));
        format!("id;message\r\n{}", each(lines, row))
    }),
    ("Spark's CSV", |lines, _| {
        let row = |line: &String| format!("x,\"{}\"\n", doubled(line).replace('"', "\\\""));
        format!("ts,value\n{}", each(lines, row))
    }),
    ("texts of JSON, a line each, all but ASCII escaped", |lines, _| each(lines, |line| ascii(line) + "\n")),
    ("a sequence of JSON texts, RFC 7464", |lines, _| each(lines, |line| format!("\u{1e}{line}\n"))),
    ("a sequence of JSON texts of several lines", |_, events| {
        each(events, |event| format!("\u{1e}{}\n", pretty(event)))
    }),
    ("Avro's JSON", |_, events| {
        let members = |event: &Value| avro(event)["map"].to_string();
        each(events, |event| members(event) + "\n")
    }),
    ("Grafana's frames", |lines, _| {
        let fields = json!([{"name": "Time", "type": "time"}, {"name": "Line", "type": "string"}]);
        let values = json!([vec![1_795_293_457_365_i64; lines.len()], lines]);
        json!([{"schema": {"refId": "A", "fields": fields}, "data": {"values": values}}]).to_string()
    }),
    ("a list of texts", |lines, _| json!(lines).to_string()),
    ("a list of texts in an object", |lines, _| json!({"count": [1, 2], "events": lines}).to_string() + "\n"),
    ("netstrings", |lines, _| each(lines, |line| format!("{}:{line},", line.len()))),
    ("netstrings, a line each", |lines, _| each(lines, |line| format!("{}:{line},\n", line.len()))),
    ("pandas, an object for each column", |_, events| {
        by_columns(events, |cells| {
            let cells = cells.into_iter().enumerate().map(|(row, cell)| (row.to_string(), cell));
            Value::Object(cells.collect())
        })
    }),
    ("pandas, a list for each column", |_, events| by_columns(events, Value::Array)),
    ("YAML with everything in quotation marks", |_, events| {
        each(events, |event| format!("---\n{}", quoted_yaml(event, 0)))
    }),
    ("YAML with everything in quotation marks, a list", |_, events| {
        each(events, |event| format!("- {}", quoted_yaml(event, 1).trim_start()))
    }),
    ("YAML with texts as blocks", |lines, _| each(lines, |line| format!("- time: {TIME}\n  message: |\n    {line}\n"))),
    ("JSON5, a list with comments", |_, events| {
        format!("// audit.log\n[\n{}]\n", each(events, |event| format!("  {}, // one\n", json5(event))))
    }),
    ("JSON5, objects of several lines", |_, events| each(events, |event| format!("{}\n", json5_of_lines(event)))),
    ("rubydebug", |_, events| each(events, |event| rubydebug(event, 0) + "\n")),
    ("hashes of Ruby", |_, events| each(events, |event| ruby(event) + "\n")),
    ("DynamoDB's export", |_, events| each(events, |event| json!({"Item": dynamo(event)["M"]}).to_string() + "\n")),
    ("DynamoDB's scan", |_, events| {
        let items: Vec<Value> = events.iter().map(|event| dynamo(event)["M"].clone()).collect();
        pretty(&json!({"Count": items.len(), "Items": items}))
    }),
    ("DynamoDB, the event as a text", |lines, _| {
        each(lines, |line| json!({"Item": {"id": {"S": "7"}, "message": {"S": line}}}).to_string() + "\n")
    }),
    ("Firestore's documents", |_, events| {
        let fields = |event: &Value| json!({"name": "projects/p/x", "fields": firestore(event)["mapValue"]["fields"], "createTime": TIME});
        pretty(&json!({"documents": events.iter().map(fields).collect::<Vec<_>>()}))
    }),
];

/// A value as DynamoDB writes it.
fn dynamo(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            json!({"M": members.iter().map(|(name, value)| (name.clone(), dynamo(value))).collect::<serde_json::Map<_, _>>()})
        }
        Value::Array(items) => json!({"L": items.iter().map(dynamo).collect::<Vec<_>>()}),
        Value::String(text) => json!({"S": text}),
        Value::Bool(is) => json!({"BOOL": is}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::Null => json!({"NULL": true}),
    }
}

/// A value as Avro's JSON writes it where it can be absent.
fn avro(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            json!({"map": members.iter().map(|(name, value)| (name.clone(), avro(value))).collect::<serde_json::Map<_, _>>()})
        }
        Value::Array(items) => json!({"array": items.iter().map(avro).collect::<Vec<_>>()}),
        Value::String(text) => json!({"string": text}),
        Value::Bool(is) => json!({"boolean": is}),
        Value::Number(number) if number.is_i64() => json!({"int": number}),
        Value::Number(number) => json!({"double": number}),
        Value::Null => Value::Null,
    }
}

/// A value as Ruby prints it.
fn ruby(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members =
                members.iter().map(|(name, value)| format!("{}=>{}", Value::from(name.as_str()), ruby(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(ruby).collect::<Vec<_>>().join(", ")),
        Value::String(text) => Value::from(text.as_str()).to_string().replace("#{", "\\#{"),
        Value::Null => "nil".to_owned(),
        other => other.to_string(),
    }
}

/// An object as `rubydebug` prints it.
fn rubydebug(value: &Value, depth: usize) -> String {
    let indent = "    ".repeat(depth + 1);
    let end = "    ".repeat(depth);
    match value {
        Value::Object(members) if !members.is_empty() => {
            let member = |(name, value): (&String, &Value)| {
                format!("{indent}{} => {}", Value::from(name.as_str()), rubydebug(value, depth + 1))
            };
            format!("{{\n{}\n{end}}}", members.iter().map(member).collect::<Vec<_>>().join(",\n"))
        }
        Value::Array(items) if !items.is_empty() => {
            let item = |(at, item)| format!("{indent}[{at}] {}", rubydebug(item, depth + 1));
            format!("[\n{}\n{end}]", items.iter().enumerate().map(item).collect::<Vec<_>>().join(",\n"))
        }
        other => ruby(other),
    }
}

/// A table as JSON by its columns, of which each is written by `column`.
fn by_columns(events: &[Value], column: impl Fn(Vec<Value>) -> Value) -> String {
    let mut names: Vec<&String> = events.iter().filter_map(Value::as_object).flat_map(|event| event.keys()).collect();
    names.sort();
    names.dedup();
    let cells = |name: &str| events.iter().map(|event| event[name].clone()).collect();
    Value::Object(names.into_iter().map(|name| (name.clone(), column(cells(name)))).collect()).to_string()
}

/// A value as PyYAML writes it when it quotes everything.
fn quoted_yaml(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let scalar = |value: &Value| match value {
        Value::Number(number) if number.is_f64() => format!("!!float \"{number}\""),
        Value::Number(number) => format!("!!int \"{number}\""),
        Value::Bool(is) => format!("!!bool \"{is}\""),
        Value::Null => "!!null \"null\"".to_owned(),
        other => other.to_string(),
    };
    let is_block = |value: &Value| value.as_object().is_some_and(|members| !members.is_empty());
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| match (value, Value::from(name.as_str())) {
                (value, name) if is_block(value) => format!("{indent}{name}:\n{}", quoted_yaml(value, depth + 1)),
                (Value::Array(items), name) if !items.is_empty() => {
                    let item = |item: &Value| match is_block(item) {
                        true => format!("{indent}- {}", quoted_yaml(item, depth + 1).trim_start()),
                        false => format!("{indent}- {}\n", scalar(item)),
                    };
                    format!("{indent}{name}:\n{}", each(items, item))
                }
                (value, name) => format!("{indent}{name}: {}\n", scalar(value)),
            })
            .collect(),
        other => scalar(other),
    }
}

/// A value as JSON5, in a line.
fn json5(value: &Value) -> String {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let name = |name: &str| match name.bytes().all(|byte| byte.is_ascii_alphabetic()) && !name.is_empty() {
                true => name.to_owned(),
                false => Value::from(name).to_string(),
            };
            let members = members.iter().map(|(key, value)| format!("{}: {},", name(key), json5(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(" "))
        }
        Value::Array(items) if !items.is_empty() => format!("[{}]", each(items, |item| json5(item) + ",")),
        other => other.to_string(),
    }
}

/// An object as JSON5, a line for each member.
fn json5_of_lines(event: &Value) -> String {
    let members = event.as_object().into_iter().flatten();
    let lines = members.map(|(name, value)| format!("  {name}: {},\n", json5(value)));
    format!("{{\n{}}}", lines.collect::<String>())
}

/// A value as Firestore writes it.
fn firestore(value: &Value) -> Value {
    match value {
        Value::Object(members) if members.is_empty() => json!({"mapValue": {}}),
        Value::Object(members) => {
            let fields: serde_json::Map<_, _> =
                members.iter().map(|(name, value)| (name.clone(), firestore(value))).collect();
            json!({"mapValue": {"fields": fields}})
        }
        Value::Array(items) if items.is_empty() => json!({"arrayValue": {}}),
        Value::Array(items) => json!({"arrayValue": {"values": items.iter().map(firestore).collect::<Vec<_>>()}}),
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(is) => json!({"booleanValue": is}),
        Value::Number(number) if number.is_i64() => json!({"integerValue": number.to_string()}),
        Value::Number(number) => json!({"doubleValue": number}),
        Value::Null => json!({"nullValue": null}),
    }
}

/// A text whose backslashes are doubled.
fn doubled(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n")
}

/// A text as JSON, with escapes for all that is not ASCII.
fn ascii(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    let mut units = [0; 2];
    let escaped = |letter: char| match letter.is_ascii() {
        true => letter.to_string(),
        false => letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    quoted.chars().map(escaped).collect()
}

/// The header of ArcSight's Common Event Format.
const CEF: &str = "CEF:0|Kubernetes|kube-apiserver|1.28|audit|Audit \\| event|3|";

/// A value as CEF writes it.
fn cef(value: &str) -> String {
    value.replace('\\', "\\\\").replace('=', "\\=")
}

fn pretty(event: &Value) -> String {
    serde_json::to_string_pretty(event).unwrap_or_default()
}

/// What CloudWatch sends to who subscribed.
fn subscription(lines: &[String]) -> String {
    let event = |line: &String| json!({"id": "3826", "timestamp": 1_795_293_422_008_u64, "message": line});
    let events: Vec<Value> = lines.iter().map(event).collect();
    json!({"messageType": "DATA_MESSAGE", "logGroup": "/aws/eks/p/cluster", "logStream": STREAM, "logEvents": events})
        .to_string()
}

/// An entry of a journal around a field.
fn entry(message: &str) -> String {
    format!(
        "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795293458000000\nSYSLOG_IDENTIFIER=kube-apiserver\n{message}_PID=1\n\n"
    )
}

/// A text as gzip, as base64.
fn packed(text: &str) -> String {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let written = std::io::Write::write_all(&mut encoder, text.as_bytes());
    STANDARD.encode(written.and_then(|()| encoder.finish()).unwrap_or_default())
}

/// A text in lines of one width.
fn wrapped(text: &str, width: usize, line_end: &str) -> String {
    let mut lines = String::new();
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % width == 0 {
            lines.push_str(line_end);
        }
        lines.push(letter);
    }
    lines + line_end
}

/// A message of syslog over TCP.
fn counted(message: &str) -> String {
    format!("{} {message}", message.len())
}

fn each<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    items.iter().map(one).collect()
}

/// A value in YAML's brackets, names without quotation marks.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let name = |name: &str| {
                let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
                if is_plain {
                    name.to_owned()
                } else {
                    format!("'{}'", name.replace('\'', "''").replace('\n', "\n\n    "))
                }
            };
            let members = members.iter().map(|(key, value)| format!("{}: {}", name(key), flow(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// The members a line each, what they hold in brackets: what PyYAML makes of an event.
fn half_flow(event: &Value) -> String {
    let members = event.as_object().into_iter().flatten();
    members.map(|(name, value)| format!("{name}: {}\n", flow(value))).collect()
}
