//! A document as one page that needs nothing else: it opens from a USB stick, on paper, and with scripts off.
//!
//! `maud` escapes all that is put in. Beyond that the page carries a Content-Security-Policy that lets nothing load and
//! runs no script but the one whose hash it names: markup that some renderer of ours let through would still be
//! dead. There is no style but in the one style sheet, and no address but of the page's own parts.

mod block;

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::{Document, Section};
use crate::visible::escape;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page.
pub(super) fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(page(document).into_string().as_bytes())?;
    out.flush()
}

/// Nothing is allowed but the page's own style and script, told by their hashes; no form, no frame, no base.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn page(document: &Document) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(escape(&document.made_by));
                title { (escape(&document.title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (banner(document))
                header.top {
                    @if let Some(organisation) = &document.organisation { p.organisation { (escape(organisation)) } }
                    h1 { (escape(&document.title)) }
                    (block::facts(&document.facts))
                }
                nav.contents aria-label="Contents" {
                    ol { @for section in &document.sections { li { a href=(format!("#{}", section.id)) { (escape(&section.title)) } } } }
                }
                main { @for section in &document.sections { (whole(section)) } }
                footer.bottom { p { "made by " (escape(&document.made_by)) } }
                (banner(document))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn banner(document: &Document) -> Markup {
    html! { @if let Some(words) = &document.classification { p.classification { (escape(words)) } } }
}

fn whole(section: &Section) -> Markup {
    html! {
        section id=(section.id) aria-labelledby=(format!("{}-title", section.id)) {
            h2 id=(format!("{}-title", section.id)) { (escape(&section.title)) }
            (block::all(&section.blocks))
        }
    }
}
