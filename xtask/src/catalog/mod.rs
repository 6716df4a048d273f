//! The catalogue of instance types, made from recorded answers of EC2 and from what people reviewed.
//!
//! The same inputs give the same bytes, in whatever order. What does not fit is an error with its place.

mod answers;
/// The product's own code, not its crate: a chore must also build when the crates do not.
#[path = "../../../crates/spec/src/catalog/instance/mod.rs"]
pub mod instance;
mod reviewed;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use instance::{Column, Instance, write};
use reviewed::Reviewed;

/// The catalogue below the root.
pub const TABLE: &str = "crates/spec/src/catalog/instances.tsv";

/// What people reviewed, below the root.
pub const REVIEWED: &str = "crates/spec/src/catalog/reviewed.tsv";

/// A text and what it is called in errors.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Its path.
    pub path: &'a str,
    /// What stands there.
    pub text: &'a str,
}

/// The catalogue's text.
pub fn compose(answers: &[Input<'_>], reviewed: Input<'_>) -> Result<String, String> {
    let review = Reviewed::read(reviewed)?;
    let mut found: BTreeMap<String, Instance> = BTreeMap::new();
    for input in answers {
        for (place, value) in answers::read(*input)? {
            let Some(name) = value.get("InstanceType").and_then(serde_json::Value::as_str) else {
                return Err(format!("{place}: InstanceType: there is no text"));
            };
            // Only what is listed: a type of some other family may be odd without harm.
            if !review.lists(name) {
                continue;
            }
            let mut instance = Instance::from_api(&value).map_err(|misfit| format!("{place}: {name}: {misfit}"))?;
            if let Some(there) = found.get(name) {
                // Not every region sells it in every way.
                instance.capacity = instance.capacity.or(there.capacity);
                if *there != (Instance { capacity: there.capacity, ..instance.clone() }) {
                    return Err(format!("{place}: {name}: another answer describes it differently"));
                }
            }
            found.insert(name.to_owned(), instance);
        }
    }
    let mut instances = Vec::new();
    for instance in found.values() {
        instances.push(review.apply(instance)?);
    }
    for name in review.own().filter(|name| !found.contains_key(*name)) {
        instances.push(review.alone(name)?);
    }
    instances.sort_by(|a, b| a.name.cmp(&b.name));
    let mut text = String::new();
    for line in &review.head {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    Ok(text + &write(&instances))
}

/// The types that stand in one catalogue and not in the other.
pub fn gone<'a>(before: &'a str, after: &str) -> Vec<&'a str> {
    fn names(text: &str) -> impl Iterator<Item = &str> {
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|row| row.split('\t').next())
    }
    let after: BTreeSet<&str> = names(after).collect();
    names(before).filter(|name| !after.contains(name)).collect()
}

impl Reviewed<'_> {
    /// EC2's description with what people reviewed.
    fn apply(&self, described: &Instance) -> Result<Instance, String> {
        let mut instance = described.clone();
        let name = described.name.clone();
        instance.unverified.clear();
        let explicit = self.winner(&name, Column::Sockets.name());
        let cores = self.winner(&name, reviewed::SOCKET_CORES);
        let decided = explicit
            .or(cores)
            .ok_or_else(|| format!("{}: {name}: no row says `{}` of its CPU", self.path, reviewed::SOCKET_CORES))?;
        let number: u32 = decided.value.parse().map_err(|_| self.at(decided, "the value is no number"))?;
        let sockets = match explicit {
            Some(_) => number,
            None if number == 0 => return Err(self.at(decided, "no CPU has 0 cores")),
            None => instance.cores().div_ceil(number),
        };
        instance.spread_over(sockets).map_err(|misfit| self.at(decided, &format!("{name}: {misfit}")))?;
        let mut unverified = BTreeSet::new();
        // What fits on one socket is on one socket; only more is a matter of evidence.
        if !decided.is_verified && sockets > 1 {
            unverified.insert(Column::Sockets);
        }
        for column in Column::ALL.iter().filter(|column| **column != Column::Sockets) {
            let Some(row) = self.winner(&name, column.name()) else {
                // EC2 does not tell it, and neither does a row.
                if !described.is_verified(*column) {
                    unverified.insert(*column);
                }
                continue;
            };
            let set = instance.set(*column, Cow::Owned(row.value.to_owned()));
            set.map_err(|misfit| self.at(row, &misfit.to_string()))?;
            if !row.is_verified {
                unverified.insert(*column);
            }
        }
        self.finish(instance, &unverified)
    }

    /// A type that no answer has.
    fn alone(&self, name: &str) -> Result<Instance, String> {
        let mut instance = Instance { name: Cow::Owned(name.to_owned()), ..Instance::default() };
        let mut unverified = BTreeSet::new();
        for column in Column::ALL.iter().filter(|column| !matches!(column, Column::Name | Column::Unverified)) {
            let row = self.winner(name, column.name());
            let row = row.ok_or_else(|| {
                format!("{}: {name}: no answer has it, and no row says its `{}`", self.path, column.name())
            })?;
            let set = instance.set(*column, Cow::Owned(row.value.to_owned()));
            set.map_err(|misfit| self.at(row, &misfit.to_string()))?;
            if !row.is_verified {
                unverified.insert(*column);
            }
        }
        self.finish(instance, &unverified)
    }

    fn finish(&self, mut instance: Instance, unverified: &BTreeSet<Column>) -> Result<Instance, String> {
        instance.unverified = unverified.iter().map(|column| Cow::Borrowed(column.name())).collect();
        instance.check().map_err(|misfit| format!("{}: {}: {misfit}", self.path, instance.name))?;
        Ok(instance)
    }
}
