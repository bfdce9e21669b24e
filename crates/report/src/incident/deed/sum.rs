//! The sentence of a row that stands for many requests.

use super::{details_of, listed, short};
use crate::document::Text;
use crate::incident::row::Row;

/// What a row tells that stands for many requests.
pub(super) fn looked(row: Row<'_>) -> Option<Text> {
    if row.text("verb").is_some() {
        return None;
    }
    let count = |name: &str, one: &str, many: &str| {
        row.number(name).map(|number| format!("{number} {}", if number == 1 { one } else { many }))
    };
    if let Some(credential) = row.text("credential") {
        return Some(shared(row, credential));
    }
    if let Some(text) = deleted(row) {
        return Some(text);
    }
    let requests = count("requests", "request", "requests")?;
    let (is_in_vain, became) = refused(row);
    let text = match (row.number("kinds"), row.number("secrets"), row.text("user_agent")) {
        (Some(kinds), ..) if is_in_vain => Text::plain(format!("tried to list {kinds} kinds in {requests}{became}")),
        (Some(kinds), ..) => Text::plain(format!("listed {kinds} kinds in {requests}{became}")),
        (None, Some(secrets), _) => {
            let secrets = format!("{secrets} {}", if secrets == 1 { "secret" } else { "secrets" });
            let did = if is_in_vain { "tried to read" } else { "read" };
            Text::plain(format!("{did} {secrets} in {requests}{became}"))
        }
        (None, None, Some(agent)) => {
            Text::plain("used ").and_name(client(agent)).and(format!(" for {requests}{became}"))
        }
        (None, None, None) => Text::plain(format!("sent {requests}{became}")),
    };
    let text = match row.texts("actions").as_slice() {
        [] => text,
        actions => {
            let actions: Vec<String> = actions.iter().map(|action| (*action).to_owned()).collect();
            listed(text.and(": "), &actions)
        }
    };
    Some(details_of(row, text, &["resources"]))
}

/// `deleted 31 pods in a burst`, `deleted a collection of secrets in prod, of how many objects the log does not tell`.
///
/// How many objects a collection held stands in its answer alone, and a namespace takes along what nobody counted.
fn deleted(row: Row<'_>) -> Option<Text> {
    let collections = row.number("collections")?;
    let (resources, with_all) = (owned(row.texts("resources")), owned(row.texts("with_all_in_it")));
    let singles = row.number("requests").unwrap_or_default() - collections;
    if collections == 0 {
        return Some(match resources.as_slice() {
            [resource] => Text::plain(format!("deleted {singles} ")).and_name(short(resource)).and(" in a burst"),
            _ => listed(Text::plain(format!("deleted {singles} objects in a burst, of ")), &resources),
        });
    }
    let text = match (singles, collections) {
        (0, 1) if !with_all.is_empty() => {
            return Some(listed(Text::plain("deleted "), &with_all).and(" with all in it"));
        }
        (0, 1) => Text::plain("deleted a collection"),
        (0, _) => Text::plain(format!("deleted {collections} collections in a burst")),
        (1, 1) => Text::plain("deleted 1 object and a collection in a burst"),
        (_, 1) => Text::plain(format!("deleted {singles} objects and a collection in a burst")),
        _ => Text::plain(format!("deleted {singles} objects and {collections} collections in a burst")),
    };
    let mut text = listed(text.and(" of "), &resources);
    for (words, names) in [(" in ", owned(row.texts("namespaces"))), (", among them ", with_all)] {
        if !names.is_empty() {
            text = listed(text.and(words), &names);
        }
    }
    Some(match row.number("deleted") {
        None | Some(0) => text.and(", of how many objects the log does not tell"),
        Some(1) => text.and(", at least 1 object"),
        Some(objects) => text.and(format!(", at least {objects} objects")),
    })
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

/// Whether nothing came of all that was sent, and what became of it in words: `, 3 refused, 2 not found`.
fn refused(row: Row<'_>) -> (bool, String) {
    let number = |name: &str| row.number(name).filter(|number| *number > 0);
    let all = row.number("requests").unwrap_or_default();
    // What was refused is counted once, however often it was asked for, where the column says `refused`.
    let (refused, denied, missing) = (number("refused"), number("denied"), number("not_found"));
    let in_vain = denied.unwrap_or_default() + missing.unwrap_or_default();
    let is_in_vain = all > 0 && in_vain >= all;
    let told = |number: Option<i64>, what: &str| match number {
        Some(1) if all == 1 => format!(", {what}"),
        Some(number) if is_in_vain && number == all => format!(", all {what}"),
        Some(number) => format!(", {number} {what}"),
        None => String::new(),
    };
    (is_in_vain, told(refused.or(denied), "refused") + &told(missing, "not found"))
}

/// `came from 2 addresses with kubectl, curl`.
fn shared(row: Row<'_>, credential: &str) -> Text {
    let addresses = match row.source_ips().len() {
        1 => "1 address".to_owned(),
        number => format!("{number} addresses"),
    };
    let clients: Vec<String> = row.texts("clients").into_iter().map(str::to_owned).collect();
    match row.users().as_slice() {
        // Where the log has no ids of credentials, one is called like its user, who may have several.
        [user] if *user == credential => listed(Text::plain(format!("came from {addresses} with ")), &clients)
            .and(" (the log does not tell credentials apart)"),
        _ => listed(
            Text::plain("used the credential ").and_name(credential).and(format!(" from {addresses} with ")),
            &clients,
        ),
    }
}

/// A client as people say it: `curl/8.5.0` of all that it says about itself.
pub(super) fn client(agent: &str) -> String {
    short(agent.split(' ').next().unwrap_or(agent))
}
