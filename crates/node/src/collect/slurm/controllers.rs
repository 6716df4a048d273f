//! The controllers that answer `scontrol ping`, and what `scontrol show config` says of the cluster.

use std::collections::BTreeMap;

use trainyard_plan::metrics::slurm as m;

use crate::format::label;
use crate::sheet::Sheet;

/// A cluster has a primary controller and a few backups.
const CONTROLLERS_MAX: usize = 16;

/// Controllers by role.
#[derive(Default)]
pub(super) struct Controllers {
    up: BTreeMap<Box<str>, bool>,
}

impl Controllers {
    /// One line: `Slurmctld(primary) at head is UP`.
    pub(super) fn line(&mut self, line: &str) {
        let role = line.split_once("lurmctld(").and_then(|(_, rest)| rest.split_once(')'));
        if let Some((role, rest)) = role
            && self.up.len() < CONTROLLERS_MAX
        {
            self.up.insert(label(role).into(), rest.trim_end().ends_with(" UP"));
        }
    }

    pub(super) fn any_is_up(&self) -> bool {
        self.up.values().any(|is_up| *is_up)
    }

    /// All of it.
    pub(super) fn put(&self, sheet: &mut Sheet) {
        for (role, is_up) in &self.up {
            sheet.put(&m::slurm_controller_up, &[role], *is_up);
        }
    }
}

/// What the agent must know of the cluster's configuration.
#[derive(Default, Clone)]
pub(super) struct Configuration {
    version: String,
    cluster: String,
    storage: String,
    tracked: String,
    /// `MetricsType`, of 25.11 and newer.
    pub(super) metrics: String,
    /// `PrivateData`.
    pub(super) private: String,
    /// `CommunicationParameters`.
    pub(super) communication: String,
    /// `TLSType`.
    pub(super) tls: String,
    /// `SlurmctldHost`, in the order in which they take over.
    pub(super) hosts: Vec<String>,
    /// `SlurmctldPort`, which may be a range.
    pub(super) port: String,
}

impl Configuration {
    /// One line: `Name = value`.
    pub(super) fn line(&mut self, line: &str) {
        let Some((name, value)) = line.split_once('=') else { return };
        let place = match name.trim() {
            "SLURM_VERSION" => &mut self.version,
            "ClusterName" => &mut self.cluster,
            "AccountingStorageType" => &mut self.storage,
            "AccountingStorageTRES" => &mut self.tracked,
            "MetricsType" => &mut self.metrics,
            "PrivateData" => &mut self.private,
            "CommunicationParameters" => &mut self.communication,
            "TLSType" => &mut self.tls,
            "SlurmctldPort" => &mut self.port,
            host if host.starts_with("SlurmctldHost[") && self.hosts.len() < CONTROLLERS_MAX => {
                self.hosts.push(value.trim().to_owned());
                return;
            }
            _ => return,
        };
        value.trim().clone_into(place);
    }

    /// Whether there is a daemon that knows accounts and shares.
    pub(super) fn has_accounting(&self) -> bool {
        self.storage.ends_with("slurmdbd")
    }

    /// Whether a job says how many GPUs it has.
    pub(super) fn tracks_gpus(&self) -> bool {
        self.tracked.split(',').any(|tracked| tracked == "gres/gpu")
    }

    /// All of it.
    pub(super) fn put(&self, sheet: &mut Sheet) {
        if !self.version.is_empty() {
            sheet.put(&m::slurm_info, &[&self.version, &self.cluster], 1_u32);
        }
    }
}
