//! What is true outside: what a provider's survey found. Facts are data, can be saved and replayed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Spec;
use crate::model::{Capacity, Lustre, LustreDeployment, Shared, Zone};

/// What a survey found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
pub enum Facts {
    /// Facts of the machine that rehearses.
    Local(LocalFacts),
    /// Facts of an AWS account and region.
    Aws(AwsFacts),
}

/// The machine that rehearses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalFacts {
    /// Who rehearses.
    pub user: String,
    /// Their user id.
    pub uid: u32,
    /// Their group id.
    pub gid: u32,
    /// How nodes are kept apart.
    pub isolation: Isolation,
    /// The cluster's folder, absolute.
    pub folder: String,
    /// This program, absolute: Slurm's hooks call it.
    pub program: String,
    /// Slurm's version as (year, month, patch).
    pub slurm: (u32, u32, u32),
    /// Programs that were found, by name, with their absolute paths.
    pub programs: BTreeMap<String, String>,
    /// Where daemons that share this machine's network can be bound: 127.0.0.1 when the host name stands
    /// for it. `None`: it stands for another address, and they listen on all.
    pub loopback: Option<String>,
    /// A free range of TCP ports: the first of `ports_needed`.
    pub first_port: u16,
}

/// How nodes of a rehearsal are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// Each node has its own network, host name, processes and file system view.
    Namespaces,
    /// Nodes share this machine's network and processes; each has its own ports and folders.
    Shared,
}

impl LocalFacts {
    /// Facts of an imagined machine: for golden tests, and for `plan` where nothing is installed.
    pub fn assumed() -> Self {
        let found = [
            "munged",
            "slurmctld",
            "slurmd",
            "scontrol",
            "sinfo",
            "squeue",
            "sbatch",
            "srun",
            "scancel",
            "trainyard-agent",
        ];
        let sbin = |name: &str| if name.ends_with('d') && name != "srun" { "/usr/sbin/" } else { "/usr/bin/" };
        Self {
            user: "root".to_owned(),
            uid: 0,
            gid: 0,
            isolation: Isolation::Namespaces,
            folder: "/var/lib/trainyard/demo".to_owned(),
            program: "/usr/bin/trainyard".to_owned(),
            slurm: (22, 5, 8),
            programs: found.iter().map(|name| ((*name).to_owned(), format!("{}{name}", sbin(name)))).collect(),
            loopback: Some("127.0.0.1".to_owned()),
            first_port: 17_800,
        }
    }
}

/// An AWS account and region, as a survey found them or as they are assumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsFacts {
    /// The account's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The zone of the nodes.
    pub zone: String,
    /// The other zone, for what must stand in two.
    pub second_zone: String,
    /// The name of the zone of an existing network's head subnet.
    pub head_zone: String,
    /// Whether FSx for Lustre has PERSISTENT_2 in the zone.
    pub has_persistent_2: bool,
    /// Reservations and Capacity Blocks, by id.
    #[serde(default)]
    pub reservations: BTreeMap<String, ReservationFacts>,
    /// Seconds since 1970 at the time of the survey: whether a Capacity Block has started is told from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surveyed_at: Option<i64>,
    /// Files beside the spec that it names, by their path without `./`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, FileFacts>,
    /// What the spec names and does not make, by id or name: what it is like, or `null` where it was not found. What is
    /// not listed was not looked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub existing: BTreeMap<String, Option<BTreeMap<String, String>>>,
    /// Quotas of the account, by their code in Service Quotas; vCPUs where they are about instances.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quotas: BTreeMap<String, u64>,
    /// The key pair's kind (`rsa`, `ed25519`), where it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Actions that the caller may not do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<String>,
    /// What stacks that stand give out: by stack (`network`), then by output.
    #[serde(default)]
    pub outputs: BTreeMap<String, BTreeMap<String, String>>,
    /// What nobody asked the cloud about: by the fact's name, in a sentence.
    #[serde(default)]
    pub assumed: BTreeMap<String, String>,
}

/// A file beside the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// The SHA-256 of its content, in hex.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Its Unix mode: 0644, or 0755 where it can be run.
    pub mode: u32,
}

/// A capacity reservation or Capacity Block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationFacts {
    /// The instance type.
    pub instance: String,
    /// The zone's name.
    pub zone: String,
    /// How many instances; 0: EC2 does not say (a block that has not started).
    pub count: u32,
    /// Whether it is a Capacity Block.
    pub is_block: bool,
    /// The placement group that it was made with, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement_group: Option<String>,
    /// When a block starts, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<i64>,
}

impl AwsFacts {
    /// What can be said without asking the cloud; each guess that matters to the spec is listed in `assumed`.
    pub fn assumed(spec: &Spec) -> Self {
        Self::around(spec, None)
    }

    /// The same, around a zone that is known.
    fn around(spec: &Spec, known: Option<&str>) -> Self {
        let region = spec.region.as_ref().map_or("us-east-1", |region| region.as_str());
        let given = |zone: &Option<Zone>| zone.as_ref().map(ToString::to_string);
        let known = known.map(str::to_owned);
        let zone = known.or_else(|| given(&spec.network.zone)).unwrap_or_else(|| format!("{region}a"));
        let second_zone = given(&spec.network.second_zone).unwrap_or_else(|| neighbour(&zone));
        let head_zone = if zone.contains("-az") { format!("{region}a") } else { zone.clone() };
        let mut facts = Self {
            account: None,
            zone,
            second_zone,
            head_zone,
            has_persistent_2: true,
            reservations: BTreeMap::new(),
            surveyed_at: None,
            files: BTreeMap::new(),
            existing: BTreeMap::new(),
            quotas: BTreeMap::new(),
            key: None,
            denied: Vec::new(),
            outputs: BTreeMap::new(),
            assumed: BTreeMap::new(),
        };
        facts.files = imagined_files(spec);
        facts.assumed = facts.guesses(spec);
        facts
    }

    /// What a file knows, and the rest assumed from it. Fails on what is no fact.
    pub fn known(spec: &Spec, known: serde_json::Value) -> Result<Self, serde_json::Error> {
        let mut facts = Self::around(spec, known["zone"].as_str());
        let mut whole = serde_json::to_value(&facts)?;
        if let (Some(whole), serde_json::Value::Object(known)) = (whole.as_object_mut(), known) {
            for (name, value) in known {
                facts.assumed.remove(&name);
                whole.insert(name, value);
            }
            whole.insert("assumed".to_owned(), serde_json::to_value(&facts.assumed)?);
        }
        serde_json::from_value(whole)
    }

    fn guesses(&self, spec: &Spec) -> BTreeMap<String, String> {
        let mut guesses = BTreeMap::new();
        let mut guess = |fact: &str, text: String| guesses.insert(fact.to_owned(), text);
        if spec.network.zone.is_none() {
            guess("zone", format!("the nodes stand in zone {}: `network.zone` is not set", self.zone));
        }
        if spec.network.existing.is_some() {
            guess("head_zone", format!("the head's subnet is in zone {}", self.head_zone));
        }
        let is_auto = |lustre: &Lustre| lustre.deployment == LustreDeployment::Auto;
        if matches!(&spec.storage.shared, Shared::Lustre(lustre) if is_auto(lustre)) {
            guess("has_persistent_2", format!("FSx for Lustre has PERSISTENT_2 in {}", self.zone));
        }
        if !self.files.is_empty() {
            guess("files", "files beside the spec are there; nobody looked at what is in them".to_owned());
        }
        if spec.queues.iter().any(|queue| !matches!(queue.capacity, Capacity::OnDemand { .. } | Capacity::Spot { .. }))
        {
            guess("reservations", "reservations have the type, the zone and the size that the spec needs".to_owned());
        }
        guesses
    }
}

/// The spec's own files as if they were there.
fn imagined_files(spec: &Spec) -> BTreeMap<String, FileFacts> {
    let file = FileFacts { sha256: "0".repeat(64), bytes: 0, mode: 0o644 };
    let scripts = spec.setup.scripts.iter().filter_map(|script| script.script.strip_prefix("./").map(str::to_owned));
    let folder = spec.setup.files.iter().map(|folder| format!("{}/README", folder.as_str().trim_start_matches("./")));
    scripts.chain(folder).map(|path| (path, file.clone())).collect()
}

/// Another zone of the same region, in the same spelling: `us-east-1a` → `us-east-1b`, `use1-az4` → `use1-az1`.
fn neighbour(zone: &str) -> String {
    let (stem, last) = zone.split_at(zone.len().saturating_sub(1));
    let first = if zone.contains("-az") { ["1", "2"] } else { ["a", "b"] };
    format!("{stem}{}", if last == first[0] { first[1] } else { first[0] })
}
