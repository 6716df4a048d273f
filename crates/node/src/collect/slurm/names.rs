//! Sums by a name that comes from outside: as many as there are, but no more series than are allowed.

use std::collections::HashMap;

use crate::format::label;

/// The most names of a kind that are told apart while a program's output is read.
const READ_MAX: usize = 20_000;

/// What is shown for all names that have no series of their own.
pub(super) const OTHER: &str = "_other";

/// Something that adds up.
pub(super) trait Sums: Default + Clone {
    /// Adds another's.
    fn add(&mut self, other: &Self);
    /// The names with the greatest weight have series of their own.
    fn weight(&self) -> u64;
}

/// Sums by name.
#[derive(Default)]
pub(super) struct Tally<T> {
    names: HashMap<Box<str>, T>,
    /// Of names past the limit.
    rest: Option<T>,
}

/// What is shown of a tally.
pub(super) struct Shown<'a, T> {
    /// The names with series of their own, by name.
    pub(super) names: Vec<(&'a str, &'a T)>,
    /// All others together.
    pub(super) rest: Option<T>,
    /// How many others; at least, where there were too many to tell apart.
    pub(super) merged: usize,
}

impl<T: Sums> Tally<T> {
    /// The sums of this name.
    pub(super) fn of(&mut self, name: &str) -> &mut T {
        let name = label(name);
        // A user of that name would be a second series of the same name.
        if name == OTHER || (self.names.len() >= READ_MAX && !self.names.contains_key(name)) {
            return self.rest.get_or_insert_default();
        }
        // By reference first: 50,000 jobs of one user cost one copy of the name.
        if !self.names.contains_key(name) {
            self.names.insert(name.into(), T::default());
        }
        match self.names.get_mut(name) {
            Some(sums) => sums,
            None => self.rest.get_or_insert_default(),
        }
    }

    /// The greatest `limit` by weight, and the sum of all others.
    pub(super) fn shown(&self, limit: usize) -> Shown<'_, T> {
        let mut names: Vec<(&str, &T)> = self.names.iter().map(|(name, sums)| (&**name, sums)).collect();
        names.sort_unstable_by(|(one, a), (other, b)| b.weight().cmp(&a.weight()).then_with(|| one.cmp(other)));
        let mut rest = self.rest.clone();
        let others = names.split_off(limit.min(names.len()));
        for (_, sums) in &others {
            rest.get_or_insert_default().add(sums);
        }
        names.sort_unstable_by_key(|(name, _)| *name);
        Shown { names, rest, merged: others.len() + usize::from(self.rest.is_some()) }
    }
}

impl<T> Shown<'_, T> {
    /// Every name with its sums, the others last.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &T)> {
        self.names.iter().copied().chain(self.rest.iter().map(|rest| (OTHER, rest)))
    }
}

/// A number alone.
impl Sums for u64 {
    fn add(&mut self, other: &Self) {
        *self = self.saturating_add(*other);
    }

    fn weight(&self) -> u64 {
        *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_names_are_shown_and_the_sum_stays() {
        let mut tally = Tally::<u64>::default();
        for (name, count) in [("ann", 5), ("bob", 9), ("cid", 1), ("dan", 1), (OTHER, 2)] {
            *tally.of(name) += count;
        }
        *tally.of("bob") += 1;
        let shown = tally.shown(2);
        assert_eq!(
            shown.all().map(|(name, sum)| (name, *sum)).collect::<Vec<_>>(),
            [("ann", 5), ("bob", 10), (OTHER, 4)]
        );
        assert_eq!(shown.merged, 3);
        let shown = tally.shown(100);
        assert_eq!((shown.names.len(), shown.rest, shown.merged), (4, Some(2), 1));
    }

    #[test]
    fn names_without_end_do_not_fill_the_memory() {
        let mut tally = Tally::<u64>::default();
        for number in 0..(READ_MAX + 500) {
            *tally.of(&format!("user{number}")) += 1;
        }
        assert_eq!((tally.names.len(), tally.rest), (READ_MAX, Some(500)));
    }
}
