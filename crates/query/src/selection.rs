//! Which part of a case a session sees.
//!
//! A selection is exact in times, resources, groups and the cluster: the views show the rows that it covers and no others. That it also spares
//! DuckDB from opening files is what makes it fast, and is decided here, before DuckDB sees a path.

use kforensic_event::{partition, time};
use kforensic_lake::seen::Seen;
use kforensic_lake::{DataFile, Snapshot};

use crate::error::QueryError;
use crate::window::Window;

/// The resources by which components are told from others in their name: the leases that they renew, and the nodes and
/// pods that they alone look after.
pub(crate) const COMPONENT_RESOURCES: [&str; 3] = ["leases", "nodes", "pods"];

/// The part of a case that a session sees. The default is all of it.
///
/// Rejected records have neither a time nor a resource, so every session sees all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only events at or after this time, in microseconds since 1970.
    pub since: Option<i64>,
    /// Only events before this time, in microseconds since 1970.
    pub until: Option<i64>,
    /// Only events on these resources.
    pub resources: Option<Vec<String>>,
    /// Only events on resources of these API groups. The core group, which has no name, is none of them.
    pub groups: Option<Vec<String>>,
    /// Only files that by the log may hold requests that were refused. Views show whatever else stands in these files.
    pub refusals: bool,
    /// Only events of logs of this cluster.
    pub cluster: Option<String>,
}

/// Data files of a case, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Files.
    pub files: u64,
    /// Their size in bytes. A question reads the columns that it needs, which are a part of them.
    pub bytes: u64,
    /// Events in them.
    pub rows: u64,
}

impl Extent {
    fn of(files: Vec<&DataFile>) -> Self {
        files.into_iter().fold(Self::default(), |sum, file| Self {
            files: sum.files + 1,
            bytes: sum.bytes + file.size_bytes,
            rows: sum.rows + file.stats.rows,
        })
    }
}

impl From<Window> for Selection {
    fn from(window: Window) -> Self {
        Self { since: window.since, until: window.until, ..Self::default() }
    }
}

impl Selection {
    /// What tells where the components of the cluster are at home, whatever is asked for.
    pub(crate) fn of_components() -> Self {
        let resources = COMPONENT_RESOURCES.map(str::to_owned).to_vec();
        Self { resources: Some(resources), ..Self::default() }
    }

    /// What both cover.
    pub(crate) fn intersection(self, other: Self) -> Self {
        let of_both = |ours: Option<Vec<String>>, theirs: Option<Vec<String>>| match (ours, theirs) {
            (Some(ours), Some(theirs)) => Some(ours.into_iter().filter(|name| theirs.contains(name)).collect()),
            (ours, theirs) => ours.or(theirs),
        };
        let resources = of_both(self.resources, other.resources);
        let groups = of_both(self.groups, other.groups);
        let until = match (self.until, other.until) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        // None, an open end, is less than any time.
        let refusals = self.refusals || other.refusals;
        let cluster = self.cluster.or(other.cluster);
        Self { since: self.since.max(other.since), until, resources, groups, refusals, cluster }
    }

    /// What covers both, and maybe more.
    pub(crate) fn union(self, other: Self) -> Self {
        let of_either = |ours: Option<Vec<String>>, theirs: Option<Vec<String>>| {
            ours.zip(theirs).map(|(mut ours, theirs)| {
                ours.extend(theirs);
                ours.sort_unstable();
                ours.dedup();
                ours
            })
        };
        let resources = of_either(self.resources, other.resources);
        let groups = of_either(self.groups, other.groups);
        let since = self.since.zip(other.since).map(|(ours, theirs)| ours.min(theirs));
        let until = self.until.zip(other.until).map(|(ours, theirs)| ours.max(theirs));
        let cluster = self.cluster.filter(|ours| other.cluster.as_ref() == Some(ours));
        Self { since, until, resources, groups, refusals: self.refusals && other.refusals, cluster }
    }

    /// The files with events that have to be opened, in the order of the case's log.
    pub(crate) fn event_files<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a DataFile> {
        let partitions = self.partitions(snapshot);
        let wanted = |file: &&DataFile| {
            partitions.as_ref().is_none_or(|names| names.contains(&file.resource_partition.as_str()))
                && self.may_hold_times_of(file)
                && self.may_hold_objects_of(file)
                && self.may_hold_refusals_of(file)
        };
        snapshot.event_files().filter(wanted).collect()
    }

    /// Which part of a case a session of this selection opens for its events.
    pub fn extent(&self, snapshot: &Snapshot) -> Extent {
        Extent::of(self.event_files(snapshot))
    }

    /// From where the events of the selection were sent, as the log tells of each of its files; `None` where it does not
    /// tell of one of them, or of more than the selection holds of it.
    pub(crate) fn sent(&self, files: &[&DataFile]) -> Option<Vec<String>> {
        files.iter().map(|file| file.sent.clone().filter(|_| self.holds_all_of(file))).collect()
    }

    /// Whether every event of a file is in the selection, as far as the log tells.
    fn holds_all_of(&self, file: &DataFile) -> bool {
        let of_resources = self.resources.as_ref().is_none_or(|names| names.contains(&file.resource_partition))
            && self.groups.is_none()
            && self.cluster.is_none();
        let is_after = |(first, _)| self.since.is_none_or(|since| first >= since);
        let is_before = |(_, last)| self.until.is_none_or(|until| last < until);
        let times = file.stats.event_time;
        let is_open = self.since.is_none() && self.until.is_none();
        of_resources && (is_open || times.is_some_and(|times| is_after(times) && is_before(times)))
    }

    /// Folders that can hold what is selected; `None` when all can.
    fn partitions(&self, snapshot: &Snapshot) -> Option<Vec<&'static str>> {
        let (resources, folders) = (self.resources.as_ref()?, snapshot.folders()?);
        Some(resources.iter().map(|resource| folders.of_resource(Some(resource))).collect())
    }

    /// What the log does not tell about a file is no reason to leave it out.
    fn may_hold_times_of(&self, file: &DataFile) -> bool {
        let (since, until) = (self.since.unwrap_or(i64::MIN), self.until.unwrap_or(i64::MAX));
        let before = until.saturating_sub(1);
        let by_day = file.day.is_none_or(|day| (time::day(since)..=time::day(before)).contains(&day));
        let by_stats = file.stats.event_time.is_none_or(|(min, max)| max >= since && min <= before);
        by_day && by_stats
    }

    /// A partition says which resources its files hold, unless it is the one for all the rest.
    fn may_hold_objects_of(&self, file: &DataFile) -> bool {
        let resources = self.resources.as_deref().filter(|_| file.resource_partition == partition::OTHER);
        match (&file.seen, resources, self.groups.as_deref()) {
            (None, ..) | (_, None, None) => true,
            (Some(seen), resources, groups) => Seen::may_hold(seen, resources, groups),
        }
    }

    /// What a file says of a request is what its last stage says, unless nobody has folded its stages.
    fn may_hold_refusals_of(&self, file: &DataFile) -> bool {
        let tells_of_none = || file.seen.as_deref().is_some_and(|seen| !Seen::may_hold_refusals(seen));
        !(self.refusals && file.is_folded() && tells_of_none())
    }

    /// Refuses to answer `who`, which asks for `asked`, from less than that.
    ///
    /// # Errors
    /// When the session leaves out times or resources of it.
    pub(crate) fn check_covers_all_of(&self, who: &str, asked: &Self) -> Result<(), QueryError> {
        let too_narrow = |asked: String| Err(QueryError::TooNarrow { query: who.to_owned(), asked });
        if let Some(since) = self.since.filter(|since| asked.since.is_none_or(|asked| asked < *since)) {
            return too_narrow(format!("requests before {}", time::render(since)));
        }
        if let Some(until) = self.until.filter(|until| asked.until.is_none_or(|asked| asked > *until)) {
            return too_narrow(format!("requests from {} on", time::render(until)));
        }
        if self.refusals && !asked.refusals {
            return too_narrow("requests that were not refused".to_owned());
        }
        if self.cluster.is_some() && self.cluster != asked.cluster {
            return too_narrow("requests of other clusters".to_owned());
        }
        for (kind, seen, asked) in
            [("resource", &self.resources, &asked.resources), ("API group", &self.groups, &asked.groups)]
        {
            let Some(seen) = seen else { continue };
            let Some(asked) = asked else { return too_narrow(format!("all {kind}s")) };
            if let Some(name) = asked.iter().find(|name| !seen.contains(name)) {
                return too_narrow(format!("the {kind} `{name}`"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
