//! Which collector shows which metrics of other programs: no name may come from two, and none may be one of ours.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trainyard_plan::metrics::{self, MetricKind};

/// What is shown now. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    /// By name, in either format.
    owners: Arc<Mutex<HashMap<String, &'static str>>>,
}

impl Claims {
    /// What collectors other than this one show.
    pub fn of_others(&self, collector: &str) -> Vec<String> {
        let owners = self.lock();
        owners.iter().filter(|(_, owner)| **owner != collector).map(|(name, _)| name.clone()).collect()
    }

    /// These are the collector's from now on, and no others; but for those that are another's, which are returned.
    pub fn take<'a>(&self, collector: &'static str, names: impl Iterator<Item = &'a str>) -> HashSet<String> {
        let mut owners = self.lock();
        owners.retain(|_, owner| *owner != collector);
        let mut taken = HashSet::new();
        for name in names {
            match owners.get(name) {
                Some(owner) if *owner != collector => _ = taken.insert(name.to_owned()),
                Some(_) => {}
                None => _ = owners.insert(name.to_owned(), collector),
            }
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, &'static str>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every name of the agent's own metrics, in either format.
pub fn ours() -> impl Iterator<Item = &'static str> {
    metrics::all().flat_map(|metric| {
        let short = match metric.kind {
            MetricKind::counter => metric.name.strip_suffix("_total"),
            MetricKind::info => metric.name.strip_suffix("_info"),
            MetricKind::gauge | MetricKind::untyped => None,
        };
        [Some(metric.name), short].into_iter().flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_belongs_to_whom_took_it_first_until_it_is_given_back() {
        let claims = Claims::default();
        assert!(claims.take("slurm", ["a", "b", "a"].into_iter()).is_empty());
        assert_eq!(claims.take("textfile", ["b", "c"].into_iter()), HashSet::from(["b".to_owned()]));
        assert_eq!(claims.of_others("slurm"), ["c"]);
        assert!(claims.take("slurm", ["a"].into_iter()).is_empty());
        assert!(claims.take("textfile", ["b", "c"].into_iter()).is_empty());
        assert_eq!(claims.of_others("textfile"), ["a"]);
    }
}
