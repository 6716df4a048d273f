//! What ParallelCluster's published packages say: operating systems, limits, what they deny. Reviewed data, part of
//! the program; `testing/aws/parallelcluster_data.py` reads it from the packages.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::Spec;
use crate::model::Os;

/// The releases that are known, oldest first, each with its minor's data: a patch changes none of it.
static RELEASES: &[(&str, usize)] = &[
    ("3.13.0", 0),
    ("3.13.1", 0),
    ("3.13.2", 0),
    ("3.14.0", 1),
    ("3.14.1", 1),
    ("3.14.2", 1),
    ("3.15.0", 2),
    ("3.15.1", 2),
    ("3.16.0", 3),
    ("3.16.1", 3),
];

static TEXTS: [&str; 4] = [
    include_str!("data/constants-3.13.json"),
    include_str!("data/constants-3.14.json"),
    include_str!("data/constants-3.15.json"),
    include_str!("data/constants-3.16.json"),
];

static SCHEMAS: [&str; 4] = [
    include_str!("data/schema-3.13.tsv"),
    include_str!("data/schema-3.14.tsv"),
    include_str!("data/schema-3.15.tsv"),
    include_str!("data/schema-3.16.tsv"),
];

/// A key of a cluster's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// What it takes: `Str`, `Object`, `List[Object]`, …
    pub kind: &'static str,
    /// What changing it on a cluster that stands takes, in ParallelCluster's word.
    pub update_policy: &'static str,
}

/// One release of ParallelCluster.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    /// Its version.
    pub version: &'static str,
    /// What its package says.
    pub constants: &'static Constants,
    fields: &'static BTreeMap<&'static str, Field>,
}

impl Release {
    /// A key of the configuration by its path: `/Scheduling/SlurmQueues[]/Name`.
    pub fn field(&self, path: &str) -> Option<Field> {
        self.fields.get(path).copied()
    }
}

/// What a package says. Of its data only what is asked for here is read.
#[derive(Debug, Default, Deserialize)]
pub struct Constants {
    /// Ways to choose among instance types, by capacity type, in ParallelCluster's spelling.
    pub allocation_strategies_by_capacity_type: BTreeMap<String, Vec<String>>,
    /// What is asked of a head node's memory.
    pub head_node_memory: HeadMemory,
    /// Families of instance types with conditions.
    pub instance_families: Families,
    /// Lengths and counts.
    pub limits: Limits,
    /// How many days a log group may keep its events. 0 is for ever.
    pub log_retention_days: Vec<u32>,
    /// Operating systems.
    pub operating_systems: OperatingSystems,
    /// Regions.
    pub regions: Vec<String>,
    /// Where nothing may be mounted.
    pub reserved_mount_dirs: Vec<String>,
    /// The least size of a root volume: that of the official images.
    pub root_volume_minimum_gib: u32,
    /// How many file systems of a kind.
    pub shared_storage: SharedStorage,
    /// Slurm settings that are its own, in lower case.
    pub slurm_settings_denied: Denied,
}

/// `nodes / nodes_per_gib + system_gib`, but never more than `at_most_gib`.
#[derive(Debug, Default, Deserialize)]
#[allow(missing_docs)] // the names say it
pub struct HeadMemory {
    pub at_most_gib: f64,
    pub nodes_per_gib: f64,
    pub system_gib: f64,
}

/// Families of instance types with conditions; `None`: that version does not know the family.
#[derive(Debug, Default, Deserialize)]
pub struct Families {
    /// GPUs too old for the driver of the official images.
    pub denied_by_gpu_driver: Vec<String>,
    /// Operating systems that do not run on p6-b300.
    #[serde(rename = "p6-b300_denied_operating_systems")]
    pub p6_b300: Option<Vec<String>>,
    /// Operating systems that do not run on p6e-gb200.
    #[serde(rename = "p6e-gb200_denied_operating_systems")]
    pub p6e_gb200: Option<Vec<String>>,
}

/// Lengths and counts.
#[derive(Debug, Default, Deserialize)]
#[allow(missing_docs)] // the names say it
pub struct Limits {
    pub cluster_name_with_accounting: usize,
    pub compute_resources_per_cluster: usize,
    pub tags: usize,
}

/// Operating systems, in ParallelCluster's spelling.
#[derive(Debug, Default, Deserialize)]
pub struct OperatingSystems {
    /// All that a configuration may name.
    pub all: Vec<String>,
    /// Those without an official image.
    pub needing_custom_ami: Vec<String>,
    /// Those without remote desktops.
    pub without_dcv: Vec<String>,
    /// Those without remote desktops on ARM.
    pub without_dcv_on_arm: Vec<String>,
}

/// How many file systems of a kind.
#[derive(Debug, Default, Deserialize)]
#[allow(missing_docs)] // the names say it
pub struct SharedStorage {
    pub ebs_maximum: usize,
    pub existing_maximum: Existing,
}

/// How many file systems that are already there.
#[derive(Debug, Default, Deserialize)]
#[allow(missing_docs)] // the names say it
pub struct Existing {
    pub efs: usize,
    pub fsx: usize,
}

/// Slurm settings that are ParallelCluster's own, in lower case.
#[derive(Debug, Default, Deserialize)]
pub struct Denied {
    /// In slurm.conf, with accounting.
    pub accounting: Vec<String>,
    /// In slurm.conf.
    pub cluster: Vec<String>,
    /// On a node's line.
    pub compute_resource: Vec<String>,
    /// On a partition's line.
    pub queue: Vec<String>,
}

/// The release of that version, if it is known.
pub fn release(version: &str) -> Option<Release> {
    let (version, data) = RELEASES.iter().find(|(known, _)| *known == version)?;
    Some(Release { version, constants: constants().get(*data)?, fields: fields().get(*data)? })
}

/// The newest release.
pub fn newest() -> Release {
    static NOTHING: OnceLock<Constants> = OnceLock::new();
    static NO_FIELDS: OnceLock<BTreeMap<&'static str, Field>> = OnceLock::new();
    let known = RELEASES.last().and_then(|(version, _)| release(version));
    known.unwrap_or_else(|| Release {
        version: "",
        constants: NOTHING.get_or_init(Constants::default),
        fields: NO_FIELDS.get_or_init(BTreeMap::new),
    })
}

/// The versions that are known, oldest first.
pub fn versions() -> impl DoubleEndedIterator<Item = &'static str> {
    RELEASES.iter().map(|(version, _)| *version)
}

/// The release that a spec asks for; of one that is not known, the newest's data.
pub(crate) fn of(spec: &Spec) -> Release {
    release(spec.parallelcluster.version.as_str()).unwrap_or_else(newest)
}

/// ParallelCluster's name of an operating system.
pub fn os(os: Os) -> &'static str {
    match os {
        Os::Alinux2 => "alinux2",
        Os::Alinux2023 => "alinux2023",
        Os::Ubuntu2204 => "ubuntu2204",
        Os::Ubuntu2404 => "ubuntu2404",
        Os::Rhel8 => "rhel8",
        Os::Rhel9 => "rhel9",
        Os::Rocky8 => "rocky8",
        Os::Rocky9 => "rocky9",
    }
}

fn fields() -> &'static [BTreeMap<&'static str, Field>] {
    static FIELDS: OnceLock<Vec<BTreeMap<&'static str, Field>>> = OnceLock::new();
    FIELDS.get_or_init(|| SCHEMAS.iter().map(|text| text.lines().filter_map(field).collect()).collect())
}

/// `path`, what it takes, whether it must be there, and the policy, by tabs.
fn field(line: &'static str) -> Option<(&'static str, Field)> {
    let mut columns = line.split('\t');
    let (path, kind, _, update_policy) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    path.starts_with('/').then_some((path, Field { kind, update_policy }))
}

fn constants() -> &'static [Constants] {
    static CONSTANTS: OnceLock<Vec<Constants>> = OnceLock::new();
    // Data that cannot be read is a defect of ours, which a test finds; nothing is known then.
    CONSTANTS.get_or_init(|| TEXTS.iter().map(|text| serde_json::from_str(text).unwrap_or_default()).collect())
}
