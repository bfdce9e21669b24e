//! From one clue to the whole intrusion: what an investigator concludes from requests, as pure code.
//!
//! This crate knows neither files nor DuckDB: whoever has a case gives it evidence ([`evidence::Evidence`]), and it
//! answers with values that are the same for the same evidence. It never says more than the log: every conclusion
//! carries the audit ids that it rests on, and how far it is proved.
//!
//! * [`spread`]: what else an intruder got into, from a clue.
//! * [`rbac`]: who could do what at a time, by snapshots, by writes, and by the authorizer's own words.
//! * [`rotate`]: what is to be revoked, removed and replaced after a breach.
//! * [`indicator`]: indicators of compromise, read from text, CSV and STIX.
//! * [`history`]: the states of an object in time, rebuilt from bodies and patches.
//! * [`kinds`]: which kinds of objects make pods.

pub mod certificate;
pub mod evidence;
pub mod history;
pub mod indicator;
pub mod kinds;
pub mod manifest;
pub mod patch;
pub mod rbac;
pub mod rotate;
pub mod spread;
pub mod yaml;
