//! Names and ids: text with a pattern, checked once at the door.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Declares text with a pattern; the pattern stands in the JSON Schema and is checked from there.
macro_rules! text_type {
    ($(#[doc = $doc:literal])+ $name:ident, $pattern:literal, $example:literal) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes text that is known to fit (tests and derived names); `None` otherwise.
            pub fn new(text: &str) -> Option<Self> {
                let regex = regex_lite::Regex::new($pattern).ok()?;
                regex.is_match(text).then(|| Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let description = concat!($($doc, "\n"),+).trim().replace("\n ", "\n");
                json_schema!({
                    "type": "string", "pattern": $pattern, "description": description, "examples": [$example],
                })
            }
        }
    };
}

text_type!(
    /// The cluster's name: a letter, then letters, digits and dashes, at most 60 characters.
    ClusterName, r"^[a-zA-Z][a-zA-Z0-9-]{0,59}$", "train-1"
);
text_type!(
    /// The name of a queue, compute resource or login pool: a lower-case letter, then lower-case letters, digits and dashes, at most 25 characters.
    PartName, r"^[a-z][a-z0-9-]{0,24}$", "train"
);
text_type!(
    /// Names of compute nodes in Slurm's notation, at most 1000 characters.
    NodeNames, r"^[a-z][a-z0-9,\[\]-]{0,999}$", "train-st-gpu-[1-2]"
);
text_type!(
    /// A file or folder beside the spec, or below its folder: `./setup.sh`.
    LocalPath, r"^\./[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$", "./setup.sh"
);
text_type!(
    /// An AWS region.
    Region, r"^[a-z]{2}(-[a-z]+)+-[0-9]$", "us-east-1"
);
text_type!(
    /// An availability zone, by name or by zone id.
    Zone, r"^([a-z]{2}(-[a-z]+)+-[0-9][a-z]|[a-z]{3,5}[0-9]-az[0-9])$", "use1-az4"
);
text_type!(
    /// An EC2 instance type.
    InstanceType, r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$", "p5en.48xlarge"
);
text_type!(
    /// A range of IPv4 addresses.
    Cidr, r"^((25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})/(3[0-2]|[12]?[0-9])$", "203.0.113.7/32"
);
text_type!(
    /// The id of a VPC.
    VpcId, r"^vpc-([0-9a-f]{8}|[0-9a-f]{17})$", "vpc-0123456789abcdef0"
);
text_type!(
    /// The id of a subnet.
    SubnetId, r"^subnet-([0-9a-z]{8}|[0-9a-z]{17})$", "subnet-0123456789abcdef0"
);
text_type!(
    /// The id of a security group.
    SecurityGroupId, r"^sg-([0-9a-z]{8}|[0-9a-z]{17})$", "sg-0123456789abcdef0"
);
text_type!(
    /// The id of a capacity reservation or Capacity Block.
    ReservationId, r"^cr-[0-9a-f]{17}$", "cr-0123456789abcdef0"
);
text_type!(
    /// The id of an FSx file system.
    FileSystemId, r"^fs-[0-9a-z]{17}$", "fs-0123456789abcdef0"
);
text_type!(
    /// The id of an FSx for OpenZFS volume.
    ZfsVolumeId, r"^fsvol-[0-9a-f]{17}$", "fsvol-0123456789abcdef0"
);
text_type!(
    /// The id of an EFS file system.
    EfsId, r"^fs-([0-9a-f]{8}|[0-9a-f]{17})$", "fs-0123456789abcdef0"
);
text_type!(
    /// The id of an EBS volume.
    VolumeId, r"^vol-([0-9a-f]{8}|[0-9a-f]{17})$", "vol-0123456789abcdef0"
);
text_type!(
    /// The id of an Amazon File Cache.
    FileCacheId, r"^fc-[0-9a-f]{17}$", "fc-0123456789abcdef0"
);
text_type!(
    /// The id of a machine image.
    ImageId, r"^ami-([0-9a-z]{8}|[0-9a-z]{17})$", "ami-0123456789abcdef0"
);
text_type!(
    /// The name of an S3 bucket.
    BucketName, r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", "my-team-training-data"
);
text_type!(
    /// An Amazon Resource Name.
    Arn, r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:\S+$", "arn:aws:secretsmanager:us-east-1:111122223333:secret:db-abc"
);
text_type!(
    /// An absolute path without spaces or `..`.
    MountPath, r"^(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$", "/data"
);
text_type!(
    /// A path on the machine that rehearses: absolute, without spaces, colons or commas.
    HostPath, r"^(/[A-Za-z0-9_.@+-]+)+$", "/opt/conda"
);
text_type!(
    /// A ParallelCluster version.
    ParallelClusterVersion, r"^3\.[0-9]{1,2}\.[0-9]{1,2}$", "3.16.1"
);
text_type!(
    /// The name of a Slurm setting.
    SlurmKey, r"^[A-Za-z][A-Za-z0-9]{1,63}$", "MessageTimeout"
);
text_type!(
    /// The name of an EC2 key pair.
    KeyName, r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,254}$", "train-1"
);
text_type!(
    /// An e-mail address.
    Email, r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "ops@example.com"
);

/// The value of a Slurm setting: one line of text, or a bare number or truth.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SlurmValue(String);

impl fmt::Display for SlurmValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for SlurmValue {
    fn schema_name() -> Cow<'static, str> {
        "SlurmValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The shape check hands every scalar on as text.
        json_schema!({
            "type": ["string", "integer", "number", "boolean"],
            "pattern": r"^[^\x00-\x1f#\\]{1,1024}$",
            "description": "The value of a Slurm setting: one line of text, or a bare number.",
            "examples": ["60"],
        })
    }
}
