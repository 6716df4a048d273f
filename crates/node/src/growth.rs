//! A counter that somebody else keeps, and that may begin anew.

/// By how much a counter grew between two looks.
#[derive(Debug, Clone, Default)]
pub struct Growth {
    before: Option<u64>,
    now: Option<u64>,
}

impl Growth {
    /// Takes what the counter shows now.
    pub fn see(&mut self, value: Option<u64>) {
        self.now = value;
    }

    /// Since the last time that this was asked; `None` where the counter does not say. One that begins anew has grown by
    /// what it shows, and one that was never seen before by nothing that anybody saw.
    pub fn grown(&mut self) -> Option<u64> {
        let now = self.now?;
        let grown = match self.before {
            Some(before) if before <= now => now - before,
            Some(_) => now,
            None => 0,
        };
        self.before = Some(now);
        Some(grown)
    }
}

/// Counters of the same kind by what tells them apart, in its order.
#[derive(Debug)]
pub struct Growths<K>(Vec<(K, Growth)>);

impl<K> Default for Growths<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord> Growths<K> {
    /// Takes what they show now, and gives by how much each grew that says. One that is not among them is forgotten.
    pub fn see(&mut self, now: impl Iterator<Item = (K, Option<u64>)>) -> impl Iterator<Item = (&K, u64)> {
        let mut now: Vec<(K, Option<u64>)> = now.collect();
        now.sort_by(|(one, _), (other, _)| one.cmp(other));
        now.dedup_by(|(one, _), (other, _)| one == other);
        // Both are in order: one walk over the two, for hundreds of links every few seconds.
        let mut before = std::mem::take(&mut self.0).into_iter().peekable();
        self.0.reserve(now.len());
        let mut all_grown = Vec::with_capacity(now.len());
        for (key, value) in now {
            while before.next_if(|(known, _)| *known < key).is_some() {}
            let mut growth = before.next_if(|(known, _)| *known == key).map(|(_, growth)| growth).unwrap_or_default();
            growth.see(value);
            all_grown.push(growth.grown());
            self.0.push((key, growth));
        }
        self.0.iter().zip(all_grown).filter_map(|((key, _), grown)| Some((key, grown?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_that_come_and_go_keep_to_themselves() {
        let mut growths = Growths::default();
        for (now, grown) in [
            (vec![("b", Some(5)), ("a", Some(1))], vec![("a", 0), ("b", 0)]),
            (vec![("a", Some(2)), ("b", Some(9)), ("c", Some(7))], vec![("a", 1), ("b", 4), ("c", 0)]),
            (vec![("b", None), ("c", Some(8)), ("c", Some(9))], vec![("c", 1)]),
            (vec![("a", Some(9)), ("b", Some(10)), ("c", Some(8))], vec![("a", 0), ("b", 1), ("c", 0)]),
            (vec![], vec![]),
        ] {
            let seen: Vec<(&str, u64)> = growths.see(now.into_iter()).map(|(key, grown)| (*key, grown)).collect();
            assert_eq!(seen, grown);
        }
    }

    #[test]
    fn a_counter_that_begins_anew_grows_by_what_it_shows() {
        let mut growth = Growth::default();
        for (value, grown) in [
            (None, None),
            (Some(7), Some(0)),
            (Some(9), Some(2)),
            (None, None),
            (Some(12), Some(3)),
            (Some(4), Some(4)),
        ] {
            growth.see(value);
            assert_eq!(growth.grown(), grown, "{value:?}");
        }
    }
}
