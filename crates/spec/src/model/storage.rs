//! The shared file system, /home, scratch and the data bucket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BucketName, Choice, EfsId, FileCacheId, FileSystemId, MountPath, VolumeId, ZfsVolumeId, yes};

/// Where data lives, and what outlives the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// The fast shared file system at /fsx.
    pub shared: Shared,
    /// /home.
    pub home: Home,
    /// The nodes' own fast disks at /scratch.
    pub scratch: Scratch,
    /// An S3 bucket for data sets and results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_bucket: Option<DataBucket>,
    /// More file systems that are already there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), extend("examples" = ["[{ kind: efs, path: /shared, id: fs-0123456789abcdef0 }]"]))]
    pub mounts: Vec<Mount>,
}

/// The fast shared file system at /fsx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum Shared {
    /// FSx for Lustre.
    Lustre(Lustre),
    /// An FSx for Lustre file system that is already there.
    Existing {
        /// Its id.
        id: FileSystemId,
    },
    /// None.
    None {},
}

impl Default for Shared {
    fn default() -> Self {
        Self::Lustre(Lustre::default())
    }
}

/// FSx for Lustre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lustre {
    /// Size in GiB: 1200, 2400 and then in steps of 2400.
    #[schemars(range(min = 1200, max = 2_000_000))]
    pub size_gib: u32,
    /// `auto`: PERSISTENT_2 where the zone has it, otherwise PERSISTENT_1.
    pub deployment: LustreDeployment,
    /// MB/s per TiB. `auto`: 250 (PERSISTENT_2) or 200 (PERSISTENT_1).
    pub throughput_mb_s_per_tib: Choice<u32>,
    /// Compression of data at rest.
    pub compression: Compression,
    /// Lustre over EFA (PERSISTENT_2 only).
    pub efa: bool,
    /// Metadata operations per second (PERSISTENT_2 only).
    pub metadata_iops: Choice<u32>,
}

impl Default for Lustre {
    fn default() -> Self {
        Self {
            size_gib: 1200,
            deployment: LustreDeployment::Auto,
            throughput_mb_s_per_tib: Choice::default(),
            compression: Compression::Lz4,
            efa: false,
            metadata_iops: Choice::default(),
        }
    }
}

/// FSx for Lustre's deployment types.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LustreDeployment {
    /// The best that the zone has.
    #[default]
    Auto,
    /// PERSISTENT_1.
    Persistent1,
    /// PERSISTENT_2.
    Persistent2,
    /// SCRATCH_2: no replication, for data that can be fetched again.
    Scratch2,
}

/// Compression of data at rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// LZ4.
    #[default]
    Lz4,
    /// None.
    None,
}

/// /home. Never the head's root volume unless you say `ephemeral`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum Home {
    /// A retained, encrypted gp3 volume with daily snapshots, exported by the head.
    Volume {
        /// Size in GiB.
        #[serde(default = "home_gib")]
        #[schemars(range(min = 10, max = 16384))]
        size_gib: u32,
    },
    /// FSx for OpenZFS: for dozens of users.
    Openzfs {
        /// Size in GiB.
        #[serde(default = "zfs_gib")]
        #[schemars(range(min = 64, max = 524_288))]
        size_gib: u32,
        /// MB/s.
        #[serde(default = "zfs_mb_s")]
        #[schemars(range(min = 64, max = 10240))]
        throughput_mb_s: u32,
        /// In two zones.
        #[serde(default)]
        multi_zone: bool,
    },
    /// An OpenZFS volume that is already there.
    Existing {
        /// Its id.
        id: ZfsVolumeId,
    },
    /// The head's root volume: lost with the cluster.
    Ephemeral {},
}

impl Default for Home {
    fn default() -> Self {
        Self::Volume { size_gib: home_gib() }
    }
}

fn home_gib() -> u32 {
    200
}

fn zfs_gib() -> u32 {
    512
}

fn zfs_mb_s() -> u32 {
    160
}

/// A file system that is already there, and where it appears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum Mount {
    /// An EFS file system, encrypted on its way.
    Efs {
        /// Where it appears.
        path: MountPath,
        /// Its id.
        id: EfsId,
    },
    /// An EBS volume in the head node's zone, exported by the head.
    Volume {
        /// Where it appears.
        path: MountPath,
        /// Its id.
        id: VolumeId,
    },
    /// Another FSx for Lustre file system.
    Lustre {
        /// Where it appears.
        path: MountPath,
        /// Its id.
        id: FileSystemId,
    },
    /// A volume of FSx for OpenZFS.
    Openzfs {
        /// Where it appears.
        path: MountPath,
        /// Its id.
        id: ZfsVolumeId,
    },
    /// A volume of FSx for NetApp ONTAP.
    Ontap {
        /// Where it appears.
        path: MountPath,
        /// Its id.
        id: ZfsVolumeId,
    },
    /// An Amazon File Cache.
    FileCache {
        /// Where it appears.
        path: MountPath,
        /// Its id.
        id: FileCacheId,
    },
}

impl Mount {
    /// Where it appears.
    pub fn path(&self) -> &MountPath {
        match self {
            Self::Efs { path, .. }
            | Self::Volume { path, .. }
            | Self::Lustre { path, .. }
            | Self::Openzfs { path, .. }
            | Self::Ontap { path, .. }
            | Self::FileCache { path, .. } => path,
        }
    }
}

/// The nodes' own fast disks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scratch {
    /// Mount them.
    pub enabled: bool,
    /// Where.
    pub path: MountPath,
}

impl Default for Scratch {
    fn default() -> Self {
        let path = MountPath::new("/scratch").unwrap_or_else(|| unreachable!("a mount path"));
        Self { enabled: true, path }
    }
}

/// An S3 bucket for data sets and results, linked into /fsx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataBucket {
    /// Its name. Unique in the world; never deleted unasked.
    pub name: BucketName,
    /// It is already there: nothing is made, and its settings stay as they are.
    #[serde(default)]
    pub existing: bool,
    /// Where under /fsx its objects appear.
    #[serde(default = "data_path")]
    pub path: MountPath,
    /// Bring new, changed and deleted objects in. Those that are there at the start appear in any case.
    #[serde(default = "yes")]
    pub import: bool,
    /// Write new, changed and deleted files back.
    #[serde(default = "yes")]
    pub export: bool,
}

fn data_path() -> MountPath {
    MountPath::new("/data").unwrap_or_else(|| unreachable!("a mount path"))
}
