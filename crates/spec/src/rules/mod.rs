//! Rules over the typed spec: what the shape cannot say. One rule is one file and one line of [`RULES`].

mod access_ranges;
mod accounting_capacity;
mod allocation;
mod architectures;
mod arn_service;
mod capacity_block_counts;
mod capacity_sold;
mod certificate_needed;
mod counts;
mod data_bucket_linked;
mod dcv_supported;
mod dead_monitoring_ids;
mod directory;
mod efa_supported;
mod elastic_ip;
mod gpu_health_check;
mod head_memory;
mod instance_choice;
mod instance_known;
mod instance_needed;
mod instance_supported;
mod instances_alike;
mod log_days;
mod login_outside;
mod lustre_metadata;
mod lustre_persistent2;
mod lustre_size;
mod lustre_throughput;
mod mount_count;
mod mount_ids;
mod mount_paths;
pub mod name_clash;
mod name_length;
mod names_unique;
mod network_addresses;
mod openzfs_throughput;
mod operating_system;
mod parallelcluster_version;
mod placement_group;
mod queue_zones;
mod region_needed;
mod region_supported;
mod replay_faults;
mod replay_nodes;
mod reservations;
mod reserved_tags;
mod reserved_words;
mod resource_count;
mod root_volume;
mod schedulable_memory;
mod setting_repeated;
mod setup_scripts;
mod several_zones;
mod slurm_denied;
mod slurm_settings;
mod spot_price;
mod tag_count;
mod time_limits;
mod two_zones;
mod volume_speed;
mod world_open;
mod zone_region;
mod zones_differ;

use crate::diagnostic::Diagnostic;
use crate::model::{ProviderKind, Spec};

/// One rule: a code, a story, and a function from the spec to findings.
pub struct Rule {
    /// The stable name of its findings.
    pub code: &'static str,
    /// One sentence: what it asks for.
    pub summary: &'static str,
    /// The long story: why, and what to do.
    pub explain: &'static str,
    /// Which specs it is about.
    pub scope: Scope,
    /// Reports every place that breaks it.
    pub check: fn(&Spec) -> Vec<Diagnostic>,
}

/// Which specs a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Everywhere,
    /// Those of `provider: aws`: a rehearsal does not look at these settings.
    Aws,
}

/// Every rule, in the order of the reference.
pub static RULES: &[&Rule] = &[
    &names_unique::RULE,
    &name_clash::RULE,
    &counts::RULE,
    &name_length::RULE,
    &region_needed::RULE,
    &region_supported::RULE,
    &parallelcluster_version::RULE,
    &operating_system::RULE,
    &resource_count::RULE,
    &instance_needed::RULE,
    &instance_choice::RULE,
    &instance_known::RULE,
    &instance_supported::RULE,
    &instances_alike::RULE,
    &architectures::RULE,
    &capacity_sold::RULE,
    &capacity_block_counts::RULE,
    &reservations::RULE,
    &spot_price::RULE,
    &allocation::RULE,
    &placement_group::RULE,
    &efa_supported::RULE,
    &gpu_health_check::RULE,
    &several_zones::RULE,
    &queue_zones::RULE,
    &head_memory::RULE,
    &schedulable_memory::RULE,
    &root_volume::RULE,
    &volume_speed::RULE,
    &elastic_ip::RULE,
    &dcv_supported::RULE,
    &zones_differ::RULE,
    &zone_region::RULE,
    &two_zones::RULE,
    &network_addresses::RULE,
    &login_outside::RULE,
    &world_open::RULE,
    &access_ranges::RULE,
    &lustre_size::RULE,
    &lustre_throughput::RULE,
    &lustre_persistent2::RULE,
    &lustre_metadata::RULE,
    &openzfs_throughput::RULE,
    &data_bucket_linked::RULE,
    &mount_paths::RULE,
    &mount_ids::RULE,
    &mount_count::RULE,
    &dead_monitoring_ids::RULE,
    &certificate_needed::RULE,
    &log_days::RULE,
    &time_limits::RULE,
    &setup_scripts::RULE,
    &slurm_settings::RULE,
    &setting_repeated::RULE,
    &reserved_words::RULE,
    &slurm_denied::RULE,
    &accounting_capacity::RULE,
    &directory::RULE,
    &arn_service::RULE,
    &reserved_tags::RULE,
    &tag_count::RULE,
    &replay_nodes::RULE,
    &replay_faults::RULE,
];

/// Runs every rule that is about this spec.
pub fn run(spec: &Spec) -> Vec<Diagnostic> {
    let is_about = |rule: &&&Rule| rule.scope == Scope::Everywhere || spec.provider == ProviderKind::Aws;
    RULES.iter().filter(is_about).flat_map(|rule| (rule.check)(spec)).collect()
}
