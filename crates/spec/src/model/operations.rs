//! Monitoring, time limits, accounting, directory, budget, rehearsal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arn, Auto, Email, HostPath, Replayed};

/// Where metrics go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Monitoring {
    /// Which servers keep and show them.
    pub mode: MonitoringMode,
    /// An Amazon Managed Prometheus workspace that is already there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^ws-[0-9a-f-]{36}$"), extend("examples" = ["ws-12345678-90ab-cdef-1234-567890abcdef"]))]
    pub amp_workspace: Option<String>,
    /// An Amazon Managed Grafana workspace that is already there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^g-[0-9a-f]{10}$"), extend("examples" = ["g-0123456789"]))]
    pub amg_workspace: Option<String>,
    /// The certificate of a self-hosted Grafana (ACM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Arn>,
    /// Seconds between two readings.
    #[schemars(range(min = 5, max = 300))]
    pub interval_seconds: u32,
    /// Keep the nodes' logs in CloudWatch.
    pub logs: bool,
    /// Days that they are kept there.
    #[schemars(range(min = 1, max = 3653))]
    pub log_days: u32,
    /// ParallelCluster's own CloudWatch dashboard.
    pub cloudwatch_dashboard: bool,
    /// EC2's metrics by the minute instead of every five. Paid for by the instance.
    pub detailed: bool,
}

impl Default for Monitoring {
    fn default() -> Self {
        Self {
            mode: MonitoringMode::None,
            amp_workspace: None,
            amg_workspace: None,
            certificate: None,
            interval_seconds: 15,
            logs: true,
            log_days: 30,
            cloudwatch_dashboard: true,
            detailed: false,
        }
    }
}

/// Which servers keep and show metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonitoringMode {
    /// None beyond the agents.
    None,
    /// Prometheus and Grafana on an instance of your own.
    SelfHosted,
    /// Amazon Managed Prometheus.
    Amp,
    /// Amazon Managed Prometheus and Grafana.
    AmpAmg,
}

/// How long nodes may take to come up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Timeouts {
    /// Derived from what is set up.
    Auto(Auto),
    /// Your own.
    Given(GivenTimeouts),
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::Auto(Auto::Auto)
    }
}

/// Time limits of your own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenTimeouts {
    /// The head node, in seconds; its static compute nodes included.
    #[schemars(range(min = 60, max = 3600), extend("examples" = [1800]))]
    pub head_seconds: u32,
    /// A compute node, in seconds.
    #[schemars(range(min = 15, max = 3600), extend("examples" = [900]))]
    pub compute_seconds: u32,
}

/// Job accounting in a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum Accounting {
    /// A new Aurora MySQL database.
    New {
        /// Aurora capacity units at least.
        #[serde(default = "acu_min")]
        #[schemars(range(min = 1, max = 128))]
        min_acu: u32,
        /// Aurora capacity units at most.
        #[serde(default = "acu_max")]
        #[schemars(range(min = 1, max = 128))]
        max_acu: u32,
    },
    /// A database that is already there.
    Existing {
        /// `host:port`.
        #[schemars(regex(pattern = r"^[A-Za-z0-9.-]+(:[0-9]+)?$"), extend("examples" = ["db.example.com:3306"]))]
        uri: String,
        /// Its user.
        #[schemars(regex(pattern = r"^\S{1,80}$"), extend("examples" = ["slurm"]))]
        user: String,
        /// The secret with the password.
        password_secret: Arn,
    },
}

fn acu_min() -> u32 {
    1
}

fn acu_max() -> u32 {
    4
}

/// Users from a directory service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum Directory {
    /// A directory that is already there.
    Existing(ExistingDirectory),
    /// AWS Managed Microsoft AD behind LDAPS, in two zones.
    New {
        /// Its domain; the certificate is for this name.
        #[schemars(regex(pattern = r"^[a-z0-9-]{1,15}(\.[a-z0-9-]{1,63})+$"), extend("examples" = ["corp.example.com"]))]
        domain: String,
        /// The certificate of its servers (ACM), from an authority that the nodes' system knows.
        certificate: Arn,
        /// Who may log in, as an LDAP filter.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        access_filter: Option<String>,
    },
}

/// A directory that is already there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExistingDirectory {
    /// The domain, as a name or as `dc=…`.
    #[schemars(extend("examples" = ["dc=example,dc=com"]))]
    pub domain: String,
    /// Its servers.
    #[schemars(regex(pattern = r"^ldaps?://\S+$"), extend("examples" = ["ldaps://ldap.example.com"]))]
    pub address: String,
    /// The secret with the read-only user's password.
    pub password_secret: Arn,
    /// The read-only user.
    #[schemars(extend("examples" = ["cn=readonly,dc=example,dc=com"]))]
    pub read_only_user: String,
    /// Path of the authority's certificate on the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// Who may log in, as an LDAP filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_filter: Option<String>,
}

/// A budget with an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// US dollars a month.
    #[schemars(range(min = 1, max = 100_000_000), extend("examples" = [20000]))]
    pub usd_per_month: u32,
    /// Who is told.
    #[schemars(length(min = 1, max = 10), extend("examples" = ["[ops@example.com]"]))]
    pub notify: Vec<Email>,
}

/// Settings of the rehearsal alone; without meaning on AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rehearsal {
    /// How nodes are kept apart. `auto`: by name spaces where this user may, otherwise not.
    pub isolation: IsolationChoice,
    /// Seconds that an idle dynamic node stays on (a rehearsal does not wait for `idle_minutes`).
    #[schemars(range(min = 5, max = 86_400))]
    pub idle_seconds: u32,
    /// Seconds that a node takes to come up, on top of what it takes here.
    #[schemars(range(min = 0, max = 600))]
    pub boot_seconds: u32,
    /// Folders of this machine that the nodes see too, read-only (a Python environment, say).
    #[schemars(length(max = 32))]
    pub expose: Vec<HostPath>,
    /// Nodes whose agents show replayed GPUs, EFA, Lustre and kernel log, labelled as a replay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("examples" = ["[{ profile: p5 }]"]))]
    pub replay: Vec<Replayed>,
}

impl Default for Rehearsal {
    fn default() -> Self {
        Self {
            isolation: IsolationChoice::Auto,
            idle_seconds: 120,
            boot_seconds: 0,
            expose: Vec::new(),
            replay: Vec::new(),
        }
    }
}

/// How the nodes of a rehearsal are kept apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IsolationChoice {
    /// By name spaces where this user may, otherwise not.
    #[default]
    Auto,
    /// Each node has its own network, host name, processes and file system view. Needs root.
    Namespaces,
    /// Nodes share this machine's network, processes and files; each has its own ports.
    Shared,
}
