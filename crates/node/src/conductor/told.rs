//! How collectors fare, as metrics.

use std::sync::Arc;
use std::time::Duration;

use trainyard_plan::metrics::agent as m;

use crate::sheet::{Page, Sheet};

/// How one collector fares.
#[derive(Debug, Clone)]
pub struct Told {
    /// The collector.
    pub name: &'static str,
    /// Whether it ever came to an end.
    pub has_run: bool,
    /// How long its last run took, or its present one takes by now.
    pub took: Duration,
    /// Whether its last run gave all that it could.
    pub is_good: bool,
    /// How old its values are.
    pub age: Option<Duration>,
    /// Runs that failed or came too late.
    pub failures: u64,
    /// Series that were left out.
    pub dropped: u64,
    /// What is wrong, in a sentence.
    pub problem: Option<String>,
    /// Whether its values are young enough to be shown.
    pub is_shown: bool,
    /// Its values.
    pub page: Arc<Page>,
}

/// What the agent says of itself and of its collectors.
pub(super) fn page(all: &[Told], scrapes: u64) -> Page {
    let mut sheet = Sheet::default();
    sheet.put(&m::trainyard_agent_build_info, &[env!("CARGO_PKG_VERSION"), std::env::consts::ARCH], 1_u32);
    for told in all.iter().filter(|told| told.has_run) {
        let name = &[told.name];
        sheet.put(&m::node_scrape_collector_duration_seconds, name, told.took.as_secs_f64());
        sheet.put(&m::node_scrape_collector_success, name, told.is_good);
        sheet.put(&m::trainyard_agent_collector_stale, name, !told.is_good);
        if let Some(age) = told.age {
            sheet.put(&m::trainyard_agent_collector_age_seconds, name, (age.as_secs_f64() * 1e3).round() / 1e3);
        }
        sheet.put(&m::trainyard_agent_collector_failures_total, name, told.failures);
        sheet.put(&m::trainyard_agent_series_dropped_total, name, told.dropped);
    }
    sheet.put(&m::trainyard_agent_scrapes_total, &[], scrapes);
    sheet.into_page()
}
