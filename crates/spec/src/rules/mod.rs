//! Rules over the typed spec: what the shape cannot say. One rule is one file and one line of [`RULES`].

mod capacity_block_counts;
mod counts;
mod dead_monitoring_ids;
mod instance_known;
mod instance_needed;
mod login_outside;
mod lustre_size;
mod names_unique;
mod region_needed;
mod reserved_tags;
mod slurm_settings;
mod world_open;
mod zones_differ;

use crate::diagnostic::Diagnostic;
use crate::model::Spec;

/// One rule: a code, a story, and a function from the spec to findings.
pub struct Rule {
    /// The stable name of its findings.
    pub code: &'static str,
    /// One sentence: what it asks for.
    pub summary: &'static str,
    /// The long story: why, and what to do.
    pub explain: &'static str,
    /// Reports every place that breaks it.
    pub check: fn(&Spec) -> Vec<Diagnostic>,
}

/// Every rule, in the order of the reference.
pub static RULES: &[&Rule] = &[
    &names_unique::RULE,
    &counts::RULE,
    &region_needed::RULE,
    &instance_needed::RULE,
    &instance_known::RULE,
    &capacity_block_counts::RULE,
    &zones_differ::RULE,
    &login_outside::RULE,
    &world_open::RULE,
    &lustre_size::RULE,
    &dead_monitoring_ids::RULE,
    &slurm_settings::RULE,
    &reserved_tags::RULE,
];

/// Runs every rule.
pub fn run(spec: &Spec) -> Vec<Diagnostic> {
    RULES.iter().flat_map(|rule| (rule.check)(spec)).collect()
}
