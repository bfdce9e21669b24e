//! What is usual for an identity, and what is shared by many: the two measures that keep a search from swallowing the
//! cluster.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::{Act, Activity};

/// From so many identities on that are at home at an address, it is a load balancer, a NAT or a node, not somebody's
/// machine. Identities that an intruder only makes use of are at home elsewhere and do not count.
const HOMES_OF_A_SHARED_ADDRESS: usize = 3;

/// From so many identities on, a client is a common tool.
const USERS_OF_A_COMMON_AGENT: usize = 4;

/// With more addresses than this an identity is no longer in one place: a service account whose pods come and go has
/// a new address every day, and a new one alone is no sign.
const ADDRESSES_IN_PLACE: usize = 3;

/// From so many addresses and clients on, an identity is used by many: an account of a pipeline.
const ADDRESSES_OF_A_SHARED_IDENTITY: usize = 10;
const AGENTS_OF_A_SHARED_IDENTITY: usize = 5;

/// What is done so often, over this share of the time in which an identity is seen, is what it always does.
const REGULAR_REQUESTS: u64 = 4;
const REGULAR_SPAN_PERCENT: i64 = 25;

/// What is done within so much time is one burst, however often.
const BURST_MICROS: i64 = 3_600_000_000;

/// A client with less than this share of the requests of an identity is not its usual one.
const USUAL_AGENT_PERCENT: u64 = 20;

/// How a feature was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Use {
    requests: u64,
    first: i64,
    last: i64,
}

impl Use {
    fn add(&mut self, activity: &Activity) {
        self.requests += activity.requests;
        self.first = self.first.min(activity.first);
        self.last = self.last.max(activity.last);
    }
}

/// How activities of an identity differ from what it did before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Signs {
    pub(super) new_address: bool,
    pub(super) new_agent: bool,
    pub(super) new_act: bool,
    /// It was never seen before.
    pub(super) no_past: bool,
    /// It is used in so many places that a new address says nothing.
    roams: bool,
}

impl Signs {
    /// Whether somebody else may have held the credential.
    pub(super) fn is_out_of_place(self) -> bool {
        self.no_past || self.new_agent || (self.new_address && !self.roams)
    }

    /// Whether it does not fit its own past in any way.
    pub(super) fn is_unusual(self) -> bool {
        self.is_out_of_place() || self.new_act
    }

    /// The signs in words.
    pub(super) fn words(self) -> Vec<&'static str> {
        let all = [
            (self.no_past, "never seen before"),
            (self.new_address && !self.no_past, "new address"),
            (self.new_agent && !self.no_past, "new client"),
            (self.new_act && !self.no_past, "never done before"),
        ];
        all.into_iter().filter_map(|(is_so, word)| is_so.then_some(word)).collect()
    }
}

/// What an identity usually does, and from where.
#[derive(Debug, Default)]
pub(super) struct Habit {
    addresses: BTreeMap<String, Use>,
    agents: BTreeMap<String, Use>,
    acts: BTreeMap<Act, Use>,
    total: Option<Use>,
}

impl Habit {
    fn add(&mut self, activity: &Activity) {
        let new = || Use { requests: 0, first: i64::MAX, last: i64::MIN };
        if let Some(address) = &activity.address {
            self.addresses.entry(address.clone()).or_insert_with(new).add(activity);
        }
        if let Some(agent) = &activity.agent {
            self.agents.entry(agent.clone()).or_insert_with(new).add(activity);
        }
        self.acts.entry(activity.act.clone()).or_insert_with(new).add(activity);
        self.total.get_or_insert_with(new).add(activity);
    }

    /// The address that most of its requests come from.
    pub(super) fn home(&self) -> Option<&str> {
        most_used(&self.addresses)
    }

    /// When it was first seen.
    pub(super) fn first(&self) -> Option<i64> {
        self.total.map(|total| total.first)
    }

    /// The time in which it is seen.
    pub(super) fn life(&self) -> i64 {
        self.total.map_or(0, |total| total.last.saturating_sub(total.first))
    }

    pub(super) fn requests(&self) -> u64 {
        self.total.map_or(0, |total| total.requests)
    }

    /// Whether so many use it that what one does says nothing about the other.
    pub(super) fn is_shared(&self) -> bool {
        self.addresses.len() >= ADDRESSES_OF_A_SHARED_IDENTITY && self.agents.len() >= AGENTS_OF_A_SHARED_IDENTITY
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        (self.addresses.len(), self.agents.len())
    }

    /// How activities from `since` on differ from what came before; for `None`, from what it does most.
    pub(super) fn signs(&self, activity: &Activity, since: Option<i64>) -> Signs {
        match since {
            Some(since) => self.signs_since(activity, since),
            None => self.signs_of_minority(activity),
        }
    }

    fn signs_since(&self, activity: &Activity, since: i64) -> Signs {
        let is_new = |seen: Option<&Use>| seen.is_some_and(|seen| seen.first >= since);
        let known = self.addresses.values().filter(|seen| seen.first < since).count();
        Signs {
            new_address: is_new(activity.address.as_ref().and_then(|address| self.addresses.get(address))),
            new_agent: is_new(activity.agent.as_ref().and_then(|agent| self.agents.get(agent))),
            new_act: is_new(self.acts.get(&activity.act)),
            no_past: self.total.is_none_or(|total| total.first >= since),
            roams: known > ADDRESSES_IN_PLACE,
        }
    }

    fn signs_of_minority(&self, activity: &Activity) -> Signs {
        let Some(total) = self.total else { return Signs::default() };
        let at_home = self.home().and_then(|home| self.addresses.get(home)).map_or(0, |home| home.requests);
        let address = activity.address.as_ref().and_then(|address| self.addresses.get(address));
        let agent = activity.agent.as_ref().and_then(|agent| self.agents.get(agent));
        let act = self.acts.get(&activity.act);
        let span = |seen: &Use| seen.last.saturating_sub(seen.first);
        let is_regular = |seen: &Use| {
            seen.requests >= REGULAR_REQUESTS
                && span(seen).saturating_mul(100) >= span(&total).saturating_mul(REGULAR_SPAN_PERCENT)
        };
        Signs {
            new_address: address.is_some_and(|seen| seen.requests.saturating_mul(2) < at_home),
            new_agent: agent.is_some_and(|seen| {
                seen.requests.saturating_mul(100) < total.requests.saturating_mul(USUAL_AGENT_PERCENT)
                    && !is_regular(seen)
            }),
            new_act: act.is_some_and(|seen| !is_regular(seen)),
            no_past: false,
            roams: self.addresses.len() > ADDRESSES_IN_PLACE,
        }
    }
}

/// Whether something is still regular without its densest burst. `times` are in order, `life` is the time in which the
/// identity is seen.
pub(super) fn is_regular_beyond_bursts(times: &[i64], life: i64) -> bool {
    let end_of = |begin: usize| begin + times[begin..].partition_point(|time| *time - times[begin] <= BURST_MICROS);
    let bursts = (0..times.len()).map(|begin| (begin, end_of(begin)));
    let Some((begin, end)) = bursts.max_by_key(|(begin, end)| (end - begin, std::cmp::Reverse(*begin))) else {
        return false;
    };
    let rest: Vec<i64> = times[..begin].iter().chain(&times[end..]).copied().collect();
    let span = rest.last().zip(rest.first()).map_or(0, |(last, first)| last - first);
    rest.len() as u64 >= REGULAR_REQUESTS && span.saturating_mul(100) >= life.saturating_mul(REGULAR_SPAN_PERCENT)
}

fn most_used(uses: &BTreeMap<String, Use>) -> Option<&str> {
    // Of equals the one that was used first, then by name.
    let best = uses.iter().max_by(|(left_name, left), (right_name, right)| {
        left.requests.cmp(&right.requests).then(right.first.cmp(&left.first)).then(right_name.cmp(left_name))
    });
    best.map(|(name, _)| name.as_str())
}

/// The habits of everybody, and what is shared.
#[derive(Debug, Default)]
pub(super) struct Habits {
    pub(super) activities: Vec<Activity>,
    habits: BTreeMap<String, Habit>,
    /// Places in `activities`, by user, address, agent and credential.
    by_user: BTreeMap<String, Vec<usize>>,
    by_address: BTreeMap<String, Vec<usize>>,
    by_agent: BTreeMap<String, Vec<usize>>,
    by_credential: BTreeMap<String, Vec<usize>>,
    at_home: BTreeMap<String, usize>,
    users_of_agent: BTreeMap<String, BTreeSet<String>>,
    at_home_with_agent: BTreeMap<String, usize>,
}

impl Habits {
    pub(super) fn of(mut activities: Vec<Activity>) -> Self {
        // The order of the evidence must not matter.
        activities.sort_by(|left, right| {
            let key = |a: &Activity| (a.first, a.last, a.user.clone(), a.address.clone(), a.agent.clone());
            key(left).cmp(&key(right)).then_with(|| left.act.cmp(&right.act)).then(left.outcome.cmp(&right.outcome))
        });
        let mut habits = Self { activities, ..Self::default() };
        for (at, activity) in habits.activities.iter().enumerate() {
            let places = [
                (&activity.user, &mut habits.by_user),
                (&activity.address, &mut habits.by_address),
                (&activity.agent, &mut habits.by_agent),
                (&activity.credential, &mut habits.by_credential),
            ];
            for (value, places) in places {
                if let Some(value) = value {
                    places.entry(value.clone()).or_default().push(at);
                }
            }
            let Some(user) = &activity.user else { continue };
            habits.habits.entry(user.clone()).or_default().add(activity);
            if let Some(agent) = &activity.agent {
                habits.users_of_agent.entry(agent.clone()).or_default().insert(user.clone());
            }
        }
        for (user, habit) in &habits.habits {
            // Nobody is at home as `system:anonymous`: everybody without credentials is.
            if user == "system:anonymous" {
                continue;
            }
            if let Some(home) = habit.home() {
                *habits.at_home.entry(home.to_owned()).or_default() += 1;
            }
            if let Some(agent) = most_used(&habit.agents) {
                *habits.at_home_with_agent.entry(agent.to_owned()).or_default() += 1;
            }
        }
        habits
    }

    pub(super) fn habit(&self, user: &str) -> Option<&Habit> {
        self.habits.get(user)
    }

    pub(super) fn users(&self) -> impl Iterator<Item = (&str, &Habit)> {
        self.habits.iter().map(|(user, habit)| (user.as_str(), habit))
    }

    fn pick<'a>(&'a self, places: Option<&'a Vec<usize>>) -> impl Iterator<Item = &'a Activity> {
        places.into_iter().flatten().filter_map(|at| self.activities.get(*at))
    }

    pub(super) fn of_user(&self, user: &str) -> impl Iterator<Item = &Activity> {
        self.pick(self.by_user.get(user))
    }

    pub(super) fn of_address(&self, address: &str) -> impl Iterator<Item = &Activity> {
        self.pick(self.by_address.get(address))
    }

    pub(super) fn of_agent(&self, agent: &str) -> impl Iterator<Item = &Activity> {
        self.pick(self.by_agent.get(agent))
    }

    pub(super) fn of_credential(&self, credential: &str) -> impl Iterator<Item = &Activity> {
        self.pick(self.by_credential.get(credential))
    }

    /// How many are at home at an address, when it is shared by many.
    pub(super) fn shared_address(&self, address: &str) -> Option<usize> {
        self.at_home.get(address).copied().filter(|homes| *homes >= HOMES_OF_A_SHARED_ADDRESS)
    }

    /// How many use a client, when it is a common one.
    pub(super) fn common_agent(&self, agent: &str) -> Option<usize> {
        let users = self.users_of_agent.get(agent).map_or(0, BTreeSet::len);
        let usual = self.at_home_with_agent.get(agent).copied().unwrap_or_default();
        (users >= USERS_OF_A_COMMON_AGENT || usual >= 2).then_some(users)
    }
}
