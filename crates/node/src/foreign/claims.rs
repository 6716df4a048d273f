//! Which collector shows which metrics of other programs: no name may come from two, and none may be one of ours.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trainyard_plan::metrics::{self, MetricKind};

use super::ForeignFamily;

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

    /// These are the collector's from now on, and no others. One that has a name of another collector's is taken out of
    /// them, and given back.
    pub fn take(&self, collector: &'static str, families: &mut Vec<ForeignFamily>) -> Vec<ForeignFamily> {
        let mut owners = self.lock();
        owners.retain(|_, owner| *owner != collector);
        let others: HashSet<String> = owners.keys().cloned().collect();
        let taken = families.extract_if(.., |family| family.names().any(|name| others.contains(name))).collect();
        owners.extend(families.iter().flat_map(ForeignFamily::names).map(|name| (name.to_owned(), collector)));
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
    use super::super::ForeignKind;
    use super::*;

    /// Counters of these names; those that are not given back.
    fn take(claims: &Claims, collector: &'static str, names: &[&str]) -> Vec<String> {
        let family = |name: &&str| {
            let (name, kind) = ((*name).to_owned(), ForeignKind::Counter);
            ForeignFamily { name, kind, help: String::new(), samples: Vec::new() }
        };
        let mut families = names.iter().map(family).collect();
        claims.take(collector, &mut families);
        families.into_iter().map(|family| family.name).collect()
    }

    #[test]
    fn a_name_belongs_to_whom_took_it_first_until_it_is_given_back() {
        let claims = Claims::default();
        assert_eq!(take(&claims, "slurm", &["a", "b"]), ["a", "b"]);
        assert_eq!(take(&claims, "textfile", &["b", "c"]), ["c"]);
        assert_eq!(claims.of_others("slurm"), ["c"]);
        assert_eq!(take(&claims, "slurm", &["a"]), ["a"]);
        assert_eq!(take(&claims, "textfile", &["b", "c"]), ["b", "c"]);
        assert_eq!(claims.of_others("textfile"), ["a"]);
        // A counter is called otherwise in OpenMetrics. Of one that is not shown, no name is kept.
        assert!(take(&claims, "slurm", &["c_total"]).is_empty());
        assert_eq!(take(&claims, "textfile", &["c_total"]), ["c_total"]);
    }
}
