//! Indicators of compromise, read from text, CSV and STIX 2.1. Names that a report made harmless (`1.2.3[.]4`) are read
//! as they were meant.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

/// Most indicators that are looked for at once.
pub const INDICATORS_MAX: usize = 100_000;

/// What an indicator is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sought {
    /// An address.
    Address(IpAddr),
    /// A network.
    Network(IpNet),
    /// An audit id.
    AuditId(String),
    /// A credential, `JTI=…` or `X509SHA256=…`.
    Credential(String),
    /// A user, whole.
    User(String),
    /// A client: what a user agent begins with.
    Agent(String),
    /// An object, `namespace/name` or a name.
    Object(String),
    /// Something in the bodies: an image, a digest.
    InBodies(String),
    /// The keyed hash of a value that was redacted.
    Hash(String),
    /// Anything that a user, a client, or an object may be called.
    Name(String),
}

impl Sought {
    /// The word for it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Network(_) => "network",
            Self::AuditId(_) => "audit id",
            Self::Credential(_) => "credential",
            Self::User(_) => "user",
            Self::Agent(_) => "agent",
            Self::Object(_) => "object",
            Self::InBodies(_) => "image or digest",
            Self::Hash(_) => "redacted value",
            Self::Name(_) => "name",
        }
    }
}

/// An indicator, as it was given and as it is understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Indicator {
    /// As it stands in the file.
    pub text: String,
    /// As it is looked for.
    pub sought: Sought,
}

/// What a file gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indicators {
    /// Each once, in the order of the file.
    pub all: Vec<Indicator>,
    /// What was left out, with the reason.
    pub left_out: Vec<String>,
}

impl Indicators {
    /// Reads a file: STIX when it is JSON, CSV when its first line has commas and the name of a column, else a line each.
    pub fn read(content: &str) -> Self {
        let content = content.trim_start_matches('\u{feff}');
        let mut found = Self::default();
        match serde_json::from_str::<Value>(content) {
            Ok(value) if value.is_object() || value.is_array() => found.stix(&value),
            _ => match header(content) {
                Some(column) => found.csv(content, column),
                None => found.lines(content),
            },
        }
        let mut seen = BTreeSet::new();
        found.all.retain(|indicator| seen.insert(indicator.sought.clone()));
        if found.all.len() > INDICATORS_MAX {
            found.left_out.push(format!("{} indicators beyond {INDICATORS_MAX}", found.all.len() - INDICATORS_MAX));
            found.all.truncate(INDICATORS_MAX);
        }
        found
    }

    fn add(&mut self, text: &str) {
        let text = text.trim().trim_matches('"').trim();
        if !text.is_empty() {
            self.all.push(Indicator { text: text.to_owned(), sought: sought(text) });
        }
    }

    fn lines(&mut self, content: &str) {
        for line in content.lines() {
            // A comment begins the line, or stands behind a blank: `#` can be part of a name.
            let line = line.split(" #").next().unwrap_or_default().trim();
            if !line.starts_with('#') {
                self.add(line);
            }
        }
    }

    fn csv(&mut self, content: &str, column: usize) {
        for line in content.lines().skip(1) {
            match cells(line).get(column) {
                Some(cell) => self.add(cell),
                None if line.trim().is_empty() => (),
                None => self.left_out.push(format!("a line without column {}: {line}", column + 1)),
            }
        }
    }

    fn stix(&mut self, value: &Value) {
        let objects = value.get("objects").and_then(Value::as_array).or(value.as_array());
        let Some(objects) = objects else { return self.stix_object(value) };
        for object in objects {
            match object {
                Value::String(text) => self.add(text),
                object => self.stix_object(object),
            }
        }
    }

    fn stix_object(&mut self, object: &Value) {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        match text("type") {
            Some("indicator") => {
                let pattern = text("pattern").unwrap_or_default();
                let before = self.all.len();
                for value in pattern_values(pattern) {
                    self.add(&value);
                }
                if self.all.len() == before {
                    self.left_out.push(format!("a pattern without a value that can be looked for: {pattern}"));
                }
            }
            Some("ipv4-addr" | "ipv6-addr" | "domain-name" | "url") => self.add(text("value").unwrap_or_default()),
            Some("user-account") => {
                let name = text("account_login").or_else(|| text("user_id")).unwrap_or_default();
                self.add(&format!("user:{name}"));
            }
            Some("file") => {
                for hash in object.get("hashes").and_then(Value::as_object).into_iter().flatten() {
                    self.add(hash.1.as_str().unwrap_or_default());
                }
            }
            _ => (),
        }
    }
}

/// The column of a CSV file that holds the indicators, by its header.
fn header(content: &str) -> Option<usize> {
    const NAMES: [&str; 8] =
        ["indicator", "value", "ioc", "ioc_value", "observable", "indicator_value", "pattern", "ip"];
    let first = content.lines().next()?;
    let names = cells(first);
    let at = names.iter().position(|name| NAMES.contains(&name.trim().to_ascii_lowercase().as_str()))?;
    Some(at)
}

/// The cells of a line of CSV.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                cell.push('"');
                letters.next();
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            letter => cell.push(letter),
        }
    }
    cells.push(cell);
    cells
}

/// The values that a STIX pattern compares with: `[ipv4-addr:value = '1.2.3.4']`.
fn pattern_values(pattern: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('\'') {
        let mut value = String::new();
        let mut letters = after.char_indices();
        let mut end = after.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
                '\'' => {
                    end = at + 1;
                    break;
                }
                letter => value.push(letter),
            }
        }
        rest = after.get(end..).unwrap_or_default();
        let before = before.trim_end();
        // A quote in a path (`hashes.'SHA-256'`) names a member, and compares with nothing.
        if before.ends_with('=') || before.ends_with(',') || before.ends_with('(') || before.ends_with("LIKE") {
            values.push(value);
        }
    }
    values
}

/// What a text is meant to be looked for as.
pub fn sought(text: &str) -> Sought {
    let text = refanged(text.trim());
    if let Some((prefix, rest)) = text.split_once(':') {
        let rest = rest.to_owned();
        match prefix {
            "user" => return Sought::User(rest),
            "sa" if rest.contains('/') => {
                return Sought::User(format!("system:serviceaccount:{}", rest.replace('/', ":")));
            }
            "node" => return Sought::User(format!("system:node:{rest}")),
            "agent" => return Sought::Agent(rest),
            "image" | "digest" => return Sought::InBodies(rest),
            "audit" => return Sought::AuditId(rest),
            "credential" => return Sought::Credential(rest),
            "object" | "secret" | "pod" => return Sought::Object(rest),
            "ip" => return sought(&rest),
            "redacted" if is_hex(&rest, 16) => return Sought::Hash(text),
            "sha256" if is_hex(&rest, 64) => return Sought::InBodies(text),
            _ => (),
        }
    }
    // Any bracket in an address was put there to break it.
    let bare: String = text.chars().filter(|letter| !"[](){}".contains(*letter)).collect();
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Sought::Address(address.to_canonical());
    }
    if let Ok(network) = text.parse::<IpNet>() {
        return Sought::Network(network);
    }
    let is_uuid = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    match () {
        () if is_uuid => Sought::AuditId(text),
        () if text.starts_with("JTI=") || text.starts_with("X509SHA256=") => Sought::Credential(text),
        () if text.contains("@sha256:") || is_hex(&text, 64) => Sought::InBodies(text),
        () if is_image(&text) => Sought::InBodies(text),
        () if text.matches('/').count() == 1 && !text.contains([' ', ':', '.']) => Sought::Object(text),
        () => Sought::Name(text),
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `registry.example/x/y:tag`: a host before the first slash.
fn is_image(text: &str) -> bool {
    let Some((host, _)) = text.split_once('/') else { return false };
    !text.contains([' ', '(']) && !text.contains("://") && host.contains('.') && !host.starts_with('.')
}

/// A text that was made harmless, as it was.
pub fn refanged(text: &str) -> String {
    let mut text = text.to_owned();
    for (harmless, meant) in [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("[:]", ":"),
        ("[@]", "@"),
        ("[at]", "@"),
        ("[/]", "/"),
    ] {
        text = text.replace(harmless, meant);
    }
    for (harmless, meant) in [("hxxps", "https"), ("hxxp", "http")] {
        if text.starts_with(harmless) {
            text = text.replacen(harmless, meant, 1);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(content: &str) -> Vec<String> {
        Indicators::read(content).all.iter().map(|one| format!("{} {}", one.sought.kind(), one.text)).collect()
    }

    #[test]
    fn lines_are_understood_by_their_form() {
        let text = "# a report\n1.2.3[.]4\n10[.]0.0.0/8 # net\n2001:db8[:][:]1\nuser:bob\nagent:curl\nJTI=1\n\
                    8a68baa0-b034-41a3-b08f-c2503e6715b1\nprod/db-credentials\nsha256:AAAA\nevil.example/miner:1\n\
                    redacted:0123456789abcdef\nhxxp://evil[.]example/x\n1.2.3.4\n\n";
        assert_eq!(
            kinds(text),
            [
                "address 1.2.3[.]4",
                "network 10[.]0.0.0/8",
                "address 2001:db8[:][:]1",
                "user user:bob",
                "agent agent:curl",
                "credential JTI=1",
                "audit id 8a68baa0-b034-41a3-b08f-c2503e6715b1",
                "object prod/db-credentials",
                "name sha256:AAAA",
                "image or digest evil.example/miner:1",
                "redacted value redacted:0123456789abcdef",
                "name hxxp://evil[.]example/x",
            ]
        );
        assert_eq!(sought("::ffff:1.2.3.4"), sought("1.2.3[.]4"));
        assert_eq!(sought("[2001:db8::1]"), sought("2001:db8::[1]"));
        assert_eq!(sought("sa:prod/web"), Sought::User("system:serviceaccount:prod:web".into()));
    }

    #[test]
    fn csv_and_stix_give_their_values() {
        assert_eq!(
            kinds("type,value,note\nip,1.2.3[.]4,\"a, b\"\nuser,\"user:x\",\n"),
            ["address 1.2.3[.]4", "user user:x"]
        );
        let stix = r#"{"type":"bundle","objects":[
            {"type":"indicator","pattern":"[ipv4-addr:value = '1.2.3.4' OR file:hashes.'SHA-256' = 'aaaa']"},
            {"type":"indicator","pattern":"[user-account:user_id IN ('it\\'s', 'y')]"},
            {"type":"ipv6-addr","value":"2001:db8::1"},{"type":"user-account","account_login":"bob"},{"type":"malware"}]}"#;
        assert_eq!(
            kinds(stix),
            ["address 1.2.3.4", "name aaaa", "name it's", "name y", "address 2001:db8::1", "user user:bob"]
        );
        assert_eq!(Indicators::read(r#"{"type":"indicator","pattern":"[x:y EXISTS]"}"#).left_out.len(), 1);
    }
}
