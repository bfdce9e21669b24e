//! The checklist after a breach, on a case.

use kforensic_trace::rbac::Replay;
use kforensic_trace::rotate::{Done, checklist, names};
use kforensic_trace::spread::Spread;

use super::batch::{Answer, Columns};
use crate::error::QueryError;
use crate::session::Session;

impl Session {
    /// What is to be revoked, removed and replaced, for what a spread found.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn rotate(&self, found: &Spread, replay: &Replay) -> Result<Answer, QueryError> {
        let writes = self.writes_to(&names(found))?;
        let entries = checklist(found, &writes, replay);
        let rows = || entries.iter();
        Ok(Columns::default()
            .text("task", rows().map(|entry| Some(entry.task.name())))
            .text("what", rows().map(|entry| Some(&entry.what)))
            .text("strength", rows().map(|entry| Some(entry.strength.name())))
            .time("since", rows().map(|entry| entry.since))
            .text("why", rows().map(|entry| Some(&entry.why)))
            .text("how", rows().map(|entry| Some(&entry.how)))
            .text("command", rows().map(|entry| entry.command.as_ref()))
            .text("before", rows().map(|entry| entry.before.as_ref()))
            .text(
                "done",
                rows().map(|entry| Some(entry.done.as_ref().map_or_else(|| "not in the log".to_owned(), Done::text))),
            )
            .time("done_at", rows().map(|entry| entry.done.as_ref().map(|done| done.time)))
            .text("done_by", rows().map(|entry| entry.done.as_ref().map(|done| &done.user)))
            .text("done_audit_id", rows().map(|entry| entry.done.as_ref().map(|done| &done.audit_id)))
            .texts("audit_ids", rows().map(|entry| &entry.audit_ids))
            .finish())
    }
}
