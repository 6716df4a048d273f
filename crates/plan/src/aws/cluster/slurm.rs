//! Slurm's settings, accounting, the directory service, monitoring.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use trainyard_spec::Spec;
use trainyard_spec::model::{Accounting, Directory, QueueUpdate, Scaling, SlurmKey, SlurmValue};

use super::config::{
    CloudWatchDashboards, CloudWatchLogs, Dashboards, Database, DirectoryService, Dns, Logs, Monitoring, SlurmSettings,
};
use crate::aws::{Context, Wire};

pub(super) fn settings(context: &Context<'_>) -> SlurmSettings {
    let spec = context.spec;
    SlurmSettings {
        scaledown_idletime: spec.slurm.idle_minutes,
        queue_update_strategy: match spec.slurm.queue_update {
            QueueUpdate::Drain => "DRAIN",
            QueueUpdate::Terminate => "TERMINATE",
            QueueUpdate::ComputeFleetStop => "COMPUTE_FLEET_STOP",
        },
        enable_memory_based_scheduling: spec.slurm.memory_scheduling,
        dns: without_internet(spec).then_some(Dns { disable_managed_dns: true, use_ec2_hostnames: true }),
        database: database(context),
        munge_key_secret_arn: spec.slurm.munge_key_secret.as_ref().map(ToString::to_string),
        custom_slurm_settings: custom(spec),
    }
}

/// Route 53 has no VPC endpoint, so without a way out the cluster's own DNS cannot be kept.
fn without_internet(spec: &Spec) -> bool {
    !spec.network.nat && spec.network.existing.is_none()
}

pub(super) fn scaling(scaling: Scaling) -> &'static str {
    match scaling {
        Scaling::AllOrNothing => "all-or-nothing",
        Scaling::GreedyAllOrNothing => "greedy-all-or-nothing",
        Scaling::BestEffort => "best-effort",
    }
}

/// One setting to a list entry: ParallelCluster looks at those for what it forbids (D-A08).
fn custom(spec: &Spec) -> Vec<Map<String, Value>> {
    let mut all: Vec<(String, Value)> = vec![
        ("KillWait".into(), spec.slurm.kill_wait_seconds.into()),
        ("SlurmdTimeout".into(), spec.slurm.slurmd_timeout_seconds.into()),
        // A step that hangs in the kernel drains its node instead of blocking it for ever.
        ("UnkillableStepTimeout".into(), 180.into()),
    ];
    if spec.accounting.is_some() {
        all.push(("AccountingStorageTRES".into(), "gres/gpu".into()));
    } else {
        // Without a database, finished jobs are remembered in a file that outlives the head (A20).
        all.push(("JobCompType".into(), "jobcomp/filetxt".into()));
        all.push(("JobCompLoc".into(), "/home/slurm/slurm-job-completions.txt".into()));
        all.push(("JobAcctGatherType".into(), "jobacct_gather/cgroup".into()));
    }
    all.retain(|(key, _)| !spec.slurm.settings.keys().any(|own| own.as_str().eq_ignore_ascii_case(key)));
    all.extend(spec.slurm.settings.iter().map(|(key, value)| (key.to_string(), value.to_string().into())));
    all.into_iter().map(|pair| Map::from_iter([pair])).collect()
}

pub(super) fn map(settings: &BTreeMap<SlurmKey, SlurmValue>) -> Map<String, Value> {
    settings.iter().map(|(key, value)| (key.to_string(), value.to_string().into())).collect()
}

fn database(context: &Context<'_>) -> Option<Database> {
    Some(match context.spec.accounting.as_ref()? {
        Accounting::New { .. } => Database {
            uri: context.resolve(&Wire::output("accounting", "DatabaseUri")),
            user_name: crate::aws::stacks::DATABASE_USER.to_owned(),
            password_secret_arn: context.resolve(&Wire::output("accounting", "DatabaseSecretArn")),
        },
        Accounting::Existing { uri, user, password_secret } => Database {
            uri: uri.as_str().into(),
            user_name: user.clone(),
            password_secret_arn: password_secret.to_string().into(),
        },
    })
}

/// Fields that are not given are left out, never null (D-A07).
pub(super) fn directory(context: &Context<'_>) -> Option<DirectoryService> {
    Some(match context.spec.directory.as_ref()? {
        Directory::Existing(directory) => DirectoryService {
            domain_name: directory.domain.clone(),
            domain_addr: directory.address.clone(),
            password_secret_arn: directory.password_secret.to_string().into(),
            domain_read_only_user: directory.read_only_user.clone(),
            ldap_tls_ca_cert: directory.ca_certificate.clone(),
            ldap_tls_req_cert: directory.address.starts_with("ldaps://").then_some("hard"),
            ldap_access_filter: directory.access_filter.clone(),
        },
        Directory::New { domain, access_filter, .. } => DirectoryService {
            domain_name: domain.clone(),
            domain_addr: format!("ldaps://{domain}"),
            password_secret_arn: context.resolve(&Wire::output("directory", "ReaderSecretArn")),
            domain_read_only_user: crate::aws::stacks::directory_reader(domain),
            ldap_tls_ca_cert: None,
            ldap_tls_req_cert: Some("hard"),
            ldap_access_filter: access_filter.clone(),
        },
    })
}

pub(super) fn monitoring(spec: &Spec) -> Monitoring {
    let asked = &spec.monitoring;
    Monitoring {
        detailed_monitoring: asked.detailed,
        logs: Logs {
            cloud_watch: CloudWatchLogs {
                enabled: asked.logs,
                retention_in_days: asked.logs.then_some(asked.log_days),
                deletion_policy: asked.logs.then_some("Retain"),
            },
        },
        dashboards: Dashboards { cloud_watch: CloudWatchDashboards { enabled: asked.cloudwatch_dashboard } },
    }
}
