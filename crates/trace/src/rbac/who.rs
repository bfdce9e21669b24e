//! Who holds a right, and who can come to hold it: by impersonation, by a token, by a pod, by writing roles.

use std::collections::BTreeSet;
use std::fmt;

use super::authorize::{BoundSubject, MASTERS, Who, World, label};
use super::replay::Known;
use super::rule::{Asked, Rule};
use super::way::{Deputy, Way, raises};

/// Steps that are followed from those who hold a right to those who can come to it.
const STEPS_MAX: usize = 6;

/// Somebody to whom rights are given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: String,
    /// Namespace of a service account, or empty.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(to, "{}/{}", self.kind, self.name),
            namespace => write!(to, "{}/{namespace}/{}", self.kind, self.name),
        }
    }
}

impl From<&BoundSubject> for Subject {
    fn from(bound: &BoundSubject) -> Self {
        let namespace = if bound.kind == "ServiceAccount" { bound.namespace.clone() } else { String::new() };
        Self { kind: bound.kind.clone(), namespace, name: bound.name.clone() }
    }
}

/// A right that somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Power {
    /// Where it counts: a namespace, or everywhere.
    pub namespace: Option<String>,
    /// The rule.
    pub rule: Rule,
    /// The binding that gives it, `RoleBinding/prod/x`.
    pub binding: String,
    /// The role, `ClusterRole/edit`.
    pub role: String,
    /// To whom the binding gives it.
    pub subject: Subject,
    /// By what the binding is known.
    pub binding_known: Known,
    /// By what the role is known.
    pub role_known: Known,
}

/// How somebody comes to a right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// A binding gives it.
    Directly,
    /// By acting as somebody who has it.
    As {
        /// How, in words.
        how: &'static str,
        /// Whom.
        whom: String,
    },
    /// By giving it to themselves.
    ByRaising {
        /// How, in words.
        how: &'static str,
    },
}

/// Somebody who has a right, or can come to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub subject: Subject,
    /// How.
    pub reach: Reach,
    /// Steps from having it: 0 for those who do.
    pub steps: usize,
    /// The right that it rests on; `None` for what is built in.
    pub power: Option<Power>,
}

/// Whom to act as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Goal<'a> {
    subject: Subject,
    /// What for, where that is known.
    wanted: Option<&'a Asked>,
    /// Whether it comes to the right by impersonation alone. It needs a request of its own for that, with its own credential: one
    /// that is sent in its name by impersonation is in nobody else's.
    impersonates: bool,
}

impl Goal<'_> {
    fn ways(&self, deputy: &Deputy<'_>) -> impl Iterator<Item = Way> + use<> {
        let impersonates = self.impersonates;
        deputy.ways(&self.subject, self.wanted).filter(move |way| !(impersonates && way.is_impersonation))
    }
}

impl World {
    /// All rights that bindings give.
    pub fn all_powers(&self) -> Vec<Power> {
        let mut powers = Vec::new();
        for binding in &self.bindings {
            let namespace = (!binding.key.namespace.is_empty()).then(|| binding.key.namespace.clone());
            for rule in binding.given.rules.iter().flat_map(|rules| rules.iter()) {
                for subject in &binding.subjects {
                    powers.push(Power {
                        namespace: namespace.clone(),
                        rule: rule.clone(),
                        binding: binding.text(),
                        role: label(&binding.role),
                        subject: Subject::from(subject),
                        binding_known: binding.known.clone(),
                        role_known: binding.given.known.clone(),
                    });
                }
            }
        }
        powers
    }

    /// What somebody can do.
    pub fn can(&self, who: &Who) -> Vec<Power> {
        let mut powers = self.all_powers();
        powers.retain(|power| {
            self.bindings.iter().any(|binding| binding.text() == power.binding && binding.is_for(who))
                && power.subject.is(who)
        });
        powers
    }

    /// Who can do something, and who can come to it.
    pub fn who_can(&self, asked: &Asked) -> Vec<Holder> {
        let powers = self.all_powers();
        let masters = Subject { kind: "Group".into(), namespace: String::new(), name: MASTERS.into() };
        let mut holders = vec![Holder { subject: masters, reach: Reach::Directly, steps: 0, power: None }];
        for power in &powers {
            if power.allows(asked) {
                let (subject, power) = (power.subject.clone(), Some(power.clone()));
                holders.push(Holder { subject, reach: Reach::Directly, steps: 0, power });
            }
        }
        let mut known: BTreeSet<Subject> = holders.iter().map(|holder| holder.subject.clone()).collect();
        for power in &powers {
            if let Some(how) = raises(power, asked)
                && known.insert(power.subject.clone())
            {
                let (subject, power) = (power.subject.clone(), Some(power.clone()));
                holders.push(Holder { subject, reach: Reach::ByRaising { how }, steps: 1, power });
            }
        }
        // Whom to act as, and what for, where that is what was asked: who only comes to a right does something else first.
        let mut newest: BTreeSet<Goal<'_>> = holders
            .iter()
            .map(|holder| {
                let wanted = (holder.reach == Reach::Directly).then_some(asked);
                Goal { subject: holder.subject.clone(), wanted, impersonates: false }
            })
            .collect();
        // Those who come to it in whatever request is sent as them.
        let mut in_any_request = known.clone();
        let deputies: Vec<Deputy<'_>> = powers.iter().map(|power| Deputy::of(power, &powers)).collect();
        for steps in 1..=STEPS_MAX {
            let (mut found, mut next) = (Vec::new(), BTreeSet::new());
            for deputy in &deputies {
                let subject = &deputy.power.subject;
                if in_any_request.contains(subject) {
                    continue;
                }
                let ways = || newest.iter().flat_map(|goal| goal.ways(deputy).map(move |way| (way, &goal.subject)));
                let impersonates = ways().all(|(way, _)| way.is_impersonation);
                let Some((way, target)) = ways().next().filter(|_| !impersonates || !known.contains(subject)) else {
                    continue;
                };
                next.insert(Goal { subject: subject.clone(), wanted: None, impersonates });
                if !impersonates {
                    in_any_request.insert(subject.clone());
                }
                if known.insert(subject.clone()) {
                    let reach = Reach::As { how: way.how, whom: target.to_string() };
                    found.push(Holder { subject: subject.clone(), reach, steps, power: Some(deputy.power.clone()) });
                }
            }
            if next.is_empty() {
                break;
            }
            newest = next;
            holders.extend(found);
        }
        holders.sort_by(|left, right| {
            let key = |one: &Holder| {
                let binding = one.power.as_ref().map(|power| (power.binding.clone(), power.rule.clone()));
                (one.steps, one.subject.clone(), one.reach.clone(), binding)
            };
            key(left).cmp(&key(right))
        });
        holders
    }
}

impl Subject {
    /// Whether somebody is it, or a member of it.
    pub(super) fn is(&self, who: &Who) -> bool {
        match self.kind.as_str() {
            "User" => self.name == who.user,
            "Group" => who.groups.contains(&self.name),
            _ => who.user == format!("system:serviceaccount:{}:{}", self.namespace, self.name),
        }
    }
}

impl Power {
    pub(super) fn allows(&self, asked: &Asked) -> bool {
        self.counts_in(&asked.namespace) && self.rule.allows(asked)
    }

    pub(super) fn counts_in(&self, namespace: &str) -> bool {
        self.namespace.as_ref().is_none_or(|own| own == namespace)
    }
}
