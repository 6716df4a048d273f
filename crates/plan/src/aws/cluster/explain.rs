//! Why each line of ParallelCluster's configuration is there.

use serde_json::Value;

/// One line of the configuration, with its reason where it sets something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The line as it stands in the file.
    pub line: String,
    /// The setting's path: `Scheduling.SlurmQueues[].Name`. Empty for lines that only open a section.
    pub path: String,
    /// Why it is there. Empty for lines that only open a section.
    pub because: &'static str,
    /// The part of the spec that it follows from; empty where it follows from none.
    pub setting: &'static str,
}

/// A reason: what it explains (`*` for any key), why, and the part of the spec that it follows from.
type Reason = (&'static str, &'static str, &'static str);

/// Explains a configuration as it was written by the plan.
pub fn explain(text: &str, data: &Value) -> Vec<Explained> {
    let mut leaves = Vec::new();
    walk(data, &mut String::new(), &mut leaves);
    let mut leaves = leaves.into_iter();
    text.lines()
        .map(|line| {
            let sets = !line.starts_with('#') && !line.trim_end().ends_with(':') && !line.trim().is_empty();
            let path = if sets { leaves.next().unwrap_or_default() } else { String::new() };
            let (because, setting) = reason(&path).map_or(("", ""), |(_, because, setting)| (*because, *setting));
            Explained { line: line.to_owned(), path, because, setting }
        })
        .collect()
}

/// The settings that there is a reason for.
pub fn settings() -> impl Iterator<Item = &'static str> {
    REASONS.iter().map(|(path, _, _)| *path)
}

/// The paths of all scalars, in the order in which they are written.
fn walk(value: &Value, path: &mut String, leaves: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let length = path.len();
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
                walk(value, path, leaves);
                path.truncate(length);
            }
        }
        Value::Array(list) => {
            let length = path.len();
            path.push_str("[]");
            for value in list {
                walk(value, path, leaves);
            }
            path.truncate(length);
        }
        _ => leaves.push(path.clone()),
    }
}

fn reason(path: &str) -> Option<&'static Reason> {
    // Any setting of Slurm's may stand there.
    let general = path.split_once("CustomSlurmSettings").map(|(before, _)| format!("{before}CustomSlurmSettings"));
    let exact = REASONS.iter().find(|(known, _, _)| *known == path);
    exact.or_else(|| general.and_then(|general| REASONS.iter().find(|(known, _, _)| *known == general)))
}

/// Every setting that is ever written.
#[rustfmt::skip]
static REASONS: &[Reason] = &[
    ("Region", "where the cluster stands", "region"),
    ("Image.Os", "operating system of every node", "parallelcluster.os"),
    ("Imds.ImdsSupport", "instance metadata answers only to version 2: a page that is made to fetch it cannot", ""),
    ("HeadNode.InstanceType", "memory follows the number of nodes", "head.instance"),
    ("HeadNode.DisableSimultaneousMultithreading", "one thread to a core", "head.hyperthreads"),
    ("HeadNode.Networking.SubnetId", "private or public, as asked", "head.subnet"),
    ("HeadNode.Networking.ElasticIp", "an address that outlives a restart", "head.elastic_ip"),
    ("HeadNode.Networking.AdditionalSecurityGroups[]", "the group of all nodes, the one that lets people in, and your own", "access.cidrs"),
    ("HeadNode.Networking.Proxy.HttpProxyAddress", "the way out for web traffic", "network.http_proxy"),
    ("HeadNode.Ssh.KeyName", "the key that opens the default user's account", "access.key"),
    ("HeadNode.Ssh.AllowedIps", "ParallelCluster's own rule lets nobody in (its default is the world); the access group does", "access.cidrs"),
    ("HeadNode.LocalStorage.RootVolume.Size", "in GiB; /home is not on it", "head.root_volume_gib"),
    ("HeadNode.LocalStorage.RootVolume.VolumeType", "gp3: the same speed at any size", ""),
    ("HeadNode.LocalStorage.RootVolume.Iops", "faster than gp3's 3000", "head.root_volume_speed"),
    ("HeadNode.LocalStorage.RootVolume.Throughput", "faster than gp3's 125 MB/s", "head.root_volume_speed"),
    ("HeadNode.LocalStorage.RootVolume.Encrypted", "disks are encrypted at rest", ""),
    ("HeadNode.Dcv.Enabled", "remote desktop", "head.dcv"),
    ("HeadNode.Dcv.AllowedIps", "as with SSH: the access group lets people in", "access.cidrs"),
    ("HeadNode.CustomActions.OnNodeStart.Sequence[].Script", "your script", "setup.scripts"),
    ("HeadNode.CustomActions.OnNodeStart.Sequence[].Args[]", "its argument", "setup.scripts"),
    ("HeadNode.CustomActions.OnNodeConfigured.Sequence[].Script", "your script", "setup.scripts"),
    ("HeadNode.CustomActions.OnNodeConfigured.Sequence[].Args[]", "its argument", "setup.scripts"),
    ("HeadNode.Iam.AdditionalIamPolicies[].Policy", "this cluster's buckets and workspace only; Session Manager where asked for", "access.ssm"),
    ("HeadNode.Imds.Secured", "only root may take the head's role", ""),
    ("HeadNode.Image.CustomAmi", "your image", "head.image"),
    ("LoginNodes.Pools[].Name", "its name", "login[].name"),
    ("LoginNodes.Pools[].InstanceType", "its type", "login[].instance"),
    ("LoginNodes.Pools[].Count", "how many", "login[].count"),
    ("LoginNodes.Pools[].GracetimePeriod", "minutes to leave before a node goes", "login[].grace_minutes"),
    ("LoginNodes.Pools[].Image.CustomAmi", "your image", "login[].image"),
    ("LoginNodes.Pools[].Networking.SubnetIds[]", "private or public, as asked", "login[].subnet"),
    ("LoginNodes.Pools[].Networking.AdditionalSecurityGroups[]", "as on the head", "access.cidrs"),
    ("LoginNodes.Pools[].Networking.Proxy.HttpProxyAddress", "the way out for web traffic", "network.http_proxy"),
    ("LoginNodes.Pools[].Ssh.AllowedIps", "as on the head: the access group lets people in", "access.cidrs"),
    ("LoginNodes.Pools[].Dcv.Enabled", "remote desktop", "login[].dcv"),
    ("LoginNodes.Pools[].Dcv.AllowedIps", "as with SSH", "access.cidrs"),
    ("LoginNodes.Pools[].CustomActions.OnNodeStart.Sequence[].Script", "your script", "setup.scripts"),
    ("LoginNodes.Pools[].CustomActions.OnNodeStart.Sequence[].Args[]", "its argument", "setup.scripts"),
    ("LoginNodes.Pools[].CustomActions.OnNodeConfigured.Sequence[].Script", "your script", "setup.scripts"),
    ("LoginNodes.Pools[].CustomActions.OnNodeConfigured.Sequence[].Args[]", "its argument", "setup.scripts"),
    ("LoginNodes.Pools[].Iam.AdditionalIamPolicies[].Policy", "as on every node", "access.ssm"),
    ("Scheduling.Scheduler", "the only one", ""),
    ("Scheduling.ScalingStrategy", "what happens when EC2 cannot give all nodes of a job", "slurm.scaling"),
    ("Scheduling.SlurmSettings.ScaledownIdletime", "minutes that an idle dynamic node stays", "slurm.idle_minutes"),
    ("Scheduling.SlurmSettings.QueueUpdateStrategy", "what a change of queues does to running jobs", "slurm.queue_update"),
    ("Scheduling.SlurmSettings.EnableMemoryBasedScheduling", "whether jobs are held to the memory that they ask for", "slurm.memory_scheduling"),
    ("Scheduling.SlurmSettings.Dns.DisableManagedDns", "Route 53 cannot be reached without a way out", "network.nat"),
    ("Scheduling.SlurmSettings.Dns.UseEc2Hostnames", "so nodes are called as EC2 calls them", "network.nat"),
    ("Scheduling.SlurmSettings.Database.Uri", "host and port, nothing secret (D-A06)", "accounting"),
    ("Scheduling.SlurmSettings.Database.UserName", "who slurmdbd logs in as", "accounting"),
    ("Scheduling.SlurmSettings.Database.PasswordSecretArn", "where the password lies", "accounting"),
    ("Scheduling.SlurmSettings.MungeKeySecretArn", "your munge key", "slurm.munge_key_secret"),
    ("Scheduling.SlurmSettings.CustomSlurmSettings", "slurm.conf: time limits, job records, and your own", "slurm.settings"),
    ("Scheduling.SlurmQueues[].Name", "jobs ask for it with --partition", "queues[].name"),
    ("Scheduling.SlurmQueues[].CapacityType", "how its capacity is bought", "queues[].capacity"),
    ("Scheduling.SlurmQueues[].AllocationStrategy", "how EC2 chooses among the types", "queues[].allocation"),
    ("Scheduling.SlurmQueues[].CapacityReservationTarget.CapacityReservationId", "the reservation that its nodes come from", "queues[].capacity.reservation"),
    ("Scheduling.SlurmQueues[].CapacityReservationTarget.CapacityReservationResourceGroupArn", "the reservations that its nodes come from", "queues[].capacity.group"),
    ("Scheduling.SlurmQueues[].Networking.SubnetIds[]", "where its nodes stand: private, in the network's zone or yours", "network.zone"),
    ("Scheduling.SlurmQueues[].Networking.AdditionalSecurityGroups[]", "the group of all nodes: EFA and file systems go by it", "network"),
    ("Scheduling.SlurmQueues[].Networking.PlacementGroup.Enabled", "close together where EC2 chooses the place; off where a reservation has chosen it", "queues[].capacity"),
    ("Scheduling.SlurmQueues[].Networking.PlacementGroup.Name", "the group that the reservation was made in", "queues[].capacity.placement_group"),
    ("Scheduling.SlurmQueues[].Networking.Proxy.HttpProxyAddress", "the way out for web traffic", "network.http_proxy"),
    ("Scheduling.SlurmQueues[].JobExclusiveAllocation", "whether each job gets whole nodes", "queues[].exclusive"),
    ("Scheduling.SlurmQueues[].ComputeSettings.LocalStorage.RootVolume.Size", "in GiB", "queues[].root_volume_gib"),
    ("Scheduling.SlurmQueues[].ComputeSettings.LocalStorage.RootVolume.VolumeType", "gp3: the same speed at any size", ""),
    ("Scheduling.SlurmQueues[].ComputeSettings.LocalStorage.RootVolume.Iops", "faster than gp3's 3000", "queues[].root_volume_speed"),
    ("Scheduling.SlurmQueues[].ComputeSettings.LocalStorage.RootVolume.Throughput", "faster than gp3's 125 MB/s", "queues[].root_volume_speed"),
    ("Scheduling.SlurmQueues[].ComputeSettings.LocalStorage.RootVolume.Encrypted", "disks are encrypted at rest", ""),
    ("Scheduling.SlurmQueues[].ComputeSettings.LocalStorage.EphemeralVolume.MountDir", "the nodes' own NVMe disks", "storage.scratch"),
    ("Scheduling.SlurmQueues[].CustomActions.OnNodeStart.Sequence[].Script", "your script", "setup.scripts"),
    ("Scheduling.SlurmQueues[].CustomActions.OnNodeStart.Sequence[].Args[]", "its argument", "setup.scripts"),
    ("Scheduling.SlurmQueues[].CustomActions.OnNodeConfigured.Sequence[].Script", "your script", "setup.scripts"),
    ("Scheduling.SlurmQueues[].CustomActions.OnNodeConfigured.Sequence[].Args[]", "its argument", "setup.scripts"),
    ("Scheduling.SlurmQueues[].Iam.AdditionalIamPolicies[].Policy", "this cluster's buckets only; Session Manager where asked for", "access.ssm"),
    ("Scheduling.SlurmQueues[].Image.CustomAmi", "your image", "queues[].image"),
    ("Scheduling.SlurmQueues[].CustomSlurmSettings", "the partition's own settings", "queues[].settings"),
    ("Scheduling.SlurmQueues[].Tags[].Key", "a tag on its nodes", "queues[].tags"),
    ("Scheduling.SlurmQueues[].Tags[].Value", "its value", "queues[].tags"),
    ("Scheduling.SlurmQueues[].ComputeResources[].Name", "the middle of its nodes' names", "queues[].compute[].name"),
    ("Scheduling.SlurmQueues[].ComputeResources[].InstanceType", "the type of its nodes", "queues[].compute[].instance"),
    ("Scheduling.SlurmQueues[].ComputeResources[].Instances[].InstanceType", "one of the types that its nodes may be", "queues[].compute[].instances"),
    ("Scheduling.SlurmQueues[].ComputeResources[].MinCount", "nodes that are always on", "queues[].compute[].min"),
    ("Scheduling.SlurmQueues[].ComputeResources[].MaxCount", "nodes at most", "queues[].compute[].max"),
    ("Scheduling.SlurmQueues[].ComputeResources[].SpotPrice", "US dollars for a node-hour, at most", "queues[].capacity.max_price_cents"),
    ("Scheduling.SlurmQueues[].ComputeResources[].DisableSimultaneousMultithreading", "one thread to a core", "queues[].compute[].hyperthreads"),
    ("Scheduling.SlurmQueues[].ComputeResources[].SchedulableMemory", "MiB that jobs may ask for", "queues[].compute[].schedulable_memory_mib"),
    ("Scheduling.SlurmQueues[].ComputeResources[].StaticNodePriority", "Slurm's weight of static nodes", "queues[].compute[].static_weight"),
    ("Scheduling.SlurmQueues[].ComputeResources[].DynamicNodePriority", "Slurm's weight of dynamic nodes", "queues[].compute[].dynamic_weight"),
    ("Scheduling.SlurmQueues[].ComputeResources[].Efa.Enabled", "the type has it: without, ranks talk over TCP", "queues[].compute[].efa"),
    ("Scheduling.SlurmQueues[].ComputeResources[].HealthChecks.Gpu.Enabled", "a node with a bad GPU is drained before the job starts", "queues[].compute[].gpu_health_check"),
    ("Scheduling.SlurmQueues[].ComputeResources[].CustomSlurmSettings", "sockets, so that ranks are bound beside their GPUs; and your own", "queues[].compute[].settings"),
    ("SharedStorage[].Name", "its name in ParallelCluster", "storage"),
    ("SharedStorage[].StorageType", "what it is", "storage"),
    ("SharedStorage[].MountDir", "where it appears on every node", "storage"),
    ("SharedStorage[].EbsSettings.VolumeId", "a volume that outlives the cluster", "storage"),
    ("SharedStorage[].EfsSettings.FileSystemId", "your file system", "storage.mounts"),
    ("SharedStorage[].EfsSettings.EncryptionInTransit", "nothing travels in the clear", "storage.mounts"),
    ("SharedStorage[].FsxLustreSettings.FileSystemId", "a file system that outlives the cluster", "storage"),
    ("SharedStorage[].FsxOpenZfsSettings.VolumeId", "a volume that outlives the cluster", "storage"),
    ("SharedStorage[].FsxOntapSettings.VolumeId", "your volume", "storage.mounts"),
    ("SharedStorage[].FileCacheSettings.FileCacheId", "your cache", "storage.mounts"),
    ("DirectoryService.DomainName", "the directory", "directory.domain"),
    ("DirectoryService.DomainAddr", "its servers", "directory.address"),
    ("DirectoryService.PasswordSecretArn", "where the reader's password lies", "directory.password_secret"),
    ("DirectoryService.DomainReadOnlyUser", "who reads it", "directory.read_only_user"),
    ("DirectoryService.LdapTlsCaCert", "the authority that signed its certificate", "directory.ca_certificate"),
    ("DirectoryService.LdapTlsReqCert", "its certificate must be good", "directory.address"),
    ("DirectoryService.LdapAccessFilter", "who may log in", "directory.access_filter"),
    ("Monitoring.DetailedMonitoring", "EC2's metrics by the minute", "monitoring.detailed"),
    ("Monitoring.Logs.CloudWatch.Enabled", "logs outlive their nodes", "monitoring.logs"),
    ("Monitoring.Logs.CloudWatch.RetentionInDays", "and go after this many days", "monitoring.log_days"),
    ("Monitoring.Logs.CloudWatch.DeletionPolicy", "they tell why a cluster failed, also after it is gone", ""),
    ("Monitoring.Dashboards.CloudWatch.Enabled", "ParallelCluster's own dashboard", "monitoring.cloudwatch_dashboard"),
    ("Tags[].Key", "a tag on everything that is made: yours, and the cluster's own", "tags"),
    ("Tags[].Value", "its value", "tags"),
    ("DevSettings.Timeouts.HeadNodeBootstrapTimeout", "seconds: the head's own steps, and those of the static nodes that it waits for", "timeouts"),
    ("DevSettings.Timeouts.ComputeNodeBootstrapTimeout", "seconds: the slowest kind of node", "timeouts"),
];
