//! ParallelCluster's configuration as types: the sections and keys that we write, in the order of its reference.
//! Absent settings are left out: ParallelCluster takes no null and no empty list (D-A01, D-A02, D-A07).

// The names of keys are ParallelCluster's.
#![allow(clippy::struct_field_names)]

use serde::Serialize;

use crate::aws::wire::Wire;

/// Declares sections: keys in ParallelCluster's spelling, absent ones left out.
macro_rules! section {
    ($($(#[doc = $doc:literal])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $name {
            $(#[serde(skip_serializing_if = "is_absent")] pub $field: $type,)*
        }
    )*};
}

/// Whether a setting is left out.
trait Absent {
    fn is_absent(&self) -> bool;
}

impl<T> Absent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for serde_json::Map<String, serde_json::Value> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

macro_rules! always_present {
    ($($type:ty),*) => {$(impl Absent for $type { fn is_absent(&self) -> bool { false } })*};
}

always_present!(bool, u32, i32, &'static str, String, Wire);
always_present!(
    Image,
    HeadNode,
    HeadNetworking,
    Scheduling,
    SlurmSettings,
    QueueNetworking,
    PoolNetworking,
    LocalStorage
);
always_present!(RootVolume, Ssh, Imds, HeadIam, Iam, ComputeSettings, Monitoring, Logs, CloudWatchLogs, Dashboards);
always_present!(CloudWatchDashboards, DevSettings, Timeouts, Enabled, HeadImds);

fn is_absent(value: &impl Absent) -> bool {
    value.is_absent()
}

section! {
    /// The whole configuration.
    Configuration {
        region: String, image: Image, imds: Imds, head_node: HeadNode, login_nodes: Option<LoginNodes>,
        scheduling: Scheduling, shared_storage: Vec<SharedStorage>, directory_service: Option<DirectoryService>,
        monitoring: Monitoring, tags: Vec<Tag>, dev_settings: DevSettings,
    }
    Image { os: Option<&'static str>, custom_ami: Option<String> }
    Imds { imds_support: &'static str }
    HeadImds { secured: bool }
    HeadNode {
        instance_type: String, disable_simultaneous_multithreading: Option<bool>, networking: HeadNetworking, ssh: Ssh,
        local_storage: LocalStorage, dcv: Option<Dcv>, custom_actions: Option<CustomActions>, iam: HeadIam, imds: HeadImds,
        image: Option<Image>,
    }
    HeadNetworking {
        subnet_id: Wire, elastic_ip: Option<bool>, additional_security_groups: Vec<Wire>, proxy: Option<Proxy>,
    }
    Proxy { http_proxy_address: String }
    Ssh { key_name: Option<String>, allowed_ips: &'static str }
    LocalStorage { root_volume: RootVolume, ephemeral_volume: Option<EphemeralVolume> }
    RootVolume { size: u32, volume_type: &'static str, iops: Option<u32>, throughput: Option<u32>, encrypted: bool }
    EphemeralVolume { mount_dir: String }
    Dcv { enabled: bool, allowed_ips: &'static str }
    CustomActions { on_node_start: Option<Sequence>, on_node_configured: Option<Sequence> }
    Sequence { sequence: Vec<Action> }
    Action { script: String, args: Vec<String> }
    HeadIam { additional_iam_policies: Vec<Policy> }
    Iam { additional_iam_policies: Vec<Policy> }
    Policy { policy: Wire }
    LoginNodes { pools: Vec<Pool> }
    Pool {
        name: String, instance_type: String, count: u32, gracetime_period: u32, image: Option<Image>,
        networking: PoolNetworking, ssh: Ssh, dcv: Option<Dcv>, custom_actions: Option<CustomActions>, iam: Iam,
    }
    PoolNetworking { subnet_ids: Vec<Wire>, additional_security_groups: Vec<Wire>, proxy: Option<Proxy> }
    Scheduling {
        scheduler: &'static str, scaling_strategy: Option<&'static str>, slurm_settings: SlurmSettings, slurm_queues: Vec<Queue>,
    }
    SlurmSettings {
        scaledown_idletime: i32, queue_update_strategy: &'static str, enable_memory_based_scheduling: bool, dns: Option<Dns>,
        database: Option<Database>, munge_key_secret_arn: Option<String>,
        custom_slurm_settings: Vec<serde_json::Map<String, serde_json::Value>>,
    }
    Dns { disable_managed_dns: bool, use_ec2_hostnames: bool }
    Database { uri: Wire, user_name: String, password_secret_arn: Wire }
    Queue {
        name: String, capacity_type: &'static str, allocation_strategy: Option<&'static str>,
        capacity_reservation_target: Option<ReservationTarget>, networking: QueueNetworking,
        job_exclusive_allocation: bool, compute_settings: ComputeSettings, health_checks: Option<HealthChecks>,
        custom_actions: Option<CustomActions>, iam: Iam, image: Option<Image>,
        custom_slurm_settings: serde_json::Map<String, serde_json::Value>, tags: Vec<Tag>,
        compute_resources: Vec<ComputeResource>,
    }
    ReservationTarget {
        capacity_reservation_id: Option<String>, capacity_reservation_resource_group_arn: Option<String>,
    }
    QueueNetworking {
        subnet_ids: Vec<Wire>, additional_security_groups: Vec<Wire>, placement_group: Option<PlacementGroup>,
        proxy: Option<Proxy>,
    }
    PlacementGroup { enabled: bool, name: Option<String> }
    ComputeSettings { local_storage: LocalStorage }
    HealthChecks { gpu: Enabled }
    Enabled { enabled: bool }
    ComputeResource {
        name: String, instance_type: Option<String>, instances: Vec<Instance>, min_count: u32, max_count: u32,
        spot_price: Option<serde_json::Number>, disable_simultaneous_multithreading: Option<bool>,
        schedulable_memory: Option<u32>, static_node_priority: Option<u32>, dynamic_node_priority: Option<u32>,
        efa: Option<Enabled>, health_checks: Option<HealthChecks>,
        custom_slurm_settings: serde_json::Map<String, serde_json::Value>,
    }
    Instance { instance_type: String }
    SharedStorage {
        name: String, storage_type: &'static str, mount_dir: String, ebs_settings: Option<VolumeSettings>,
        efs_settings: Option<EfsSettings>, fsx_lustre_settings: Option<FileSystemSettings>,
        fsx_open_zfs_settings: Option<VolumeSettings>, fsx_ontap_settings: Option<VolumeSettings>,
        file_cache_settings: Option<CacheSettings>,
    }
    VolumeSettings { volume_id: Wire }
    FileSystemSettings { file_system_id: Wire }
    EfsSettings { file_system_id: Wire, encryption_in_transit: bool }
    CacheSettings { file_cache_id: Wire }
    DirectoryService {
        domain_name: String, domain_addr: String, password_secret_arn: Wire, domain_read_only_user: String,
        ldap_tls_ca_cert: Option<String>, ldap_tls_req_cert: Option<&'static str>, ldap_access_filter: Option<String>,
    }
    Monitoring { detailed_monitoring: bool, logs: Logs, dashboards: Dashboards }
    Logs { cloud_watch: CloudWatchLogs }
    CloudWatchLogs { enabled: bool, retention_in_days: Option<u32>, deletion_policy: Option<&'static str> }
    Dashboards { cloud_watch: CloudWatchDashboards }
    CloudWatchDashboards { enabled: bool }
    Tag { key: String, value: String }
    DevSettings { timeouts: Timeouts }
    Timeouts { head_node_bootstrap_timeout: u32, compute_node_bootstrap_timeout: u32 }
}
