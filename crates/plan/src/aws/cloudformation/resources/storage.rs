//! S3, FSx and snapshots of volumes.

use super::iam::PolicyDocument;
use super::{properties, resource};
use crate::aws::cloudformation::{Tag, Text};

resource!(Bucket = "AWS::S3::Bucket" {
    bucket_name: Text, versioning_configuration: Versioning, bucket_encryption: BucketEncryption,
    public_access_block_configuration: PublicAccessBlock, ownership_controls: OwnershipControls,
    lifecycle_configuration: Lifecycle, tags: Vec<Tag>,
});
properties!(Versioning { status: Text });
properties!(BucketEncryption { server_side_encryption_configuration: Vec<EncryptionRule> });
properties!(EncryptionRule { server_side_encryption_by_default: EncryptionDefault, bucket_key_enabled: bool });
properties!(EncryptionDefault { algorithm = "SSEAlgorithm": Text });
properties!(PublicAccessBlock {
    block_public_acls: bool,
    block_public_policy: bool,
    ignore_public_acls: bool,
    restrict_public_buckets: bool,
});
properties!(OwnershipControls { rules: Vec<OwnershipRule> });
properties!(OwnershipRule { object_ownership: Text });
properties!(Lifecycle { rules: Vec<LifecycleRule> });
properties!(LifecycleRule {
    id: Text,
    status: Text,
    noncurrent_version_expiration: NoncurrentExpiration,
    abort_incomplete_multipart_upload: AbortUpload,
});
properties!(NoncurrentExpiration { noncurrent_days: u32 });
properties!(AbortUpload { days_after_initiation: u32 });
resource!(BucketPolicy = "AWS::S3::BucketPolicy" { bucket: Text, policy_document: PolicyDocument });

resource!(FileSystem = "AWS::FSx::FileSystem" {
    file_system_type: Text, file_system_type_version: Text, storage_capacity: u32, storage_type: Text,
    subnet_ids: Vec<Text>, security_group_ids: Vec<Text>, lustre_configuration: LustreConfiguration,
    open_zfs_configuration = "OpenZFSConfiguration": OpenZfsConfiguration, tags: Vec<Tag>,
});
properties!(LustreConfiguration {
    deployment_type: Text,
    per_unit_storage_throughput: u32,
    data_compression_type: Text,
    efa_enabled: bool,
    metadata_configuration: MetadataConfiguration,
    automatic_backup_retention_days: u32,
    daily_automatic_backup_start_time: Text,
    weekly_maintenance_start_time: Text,
    copy_tags_to_backups: bool,
});
properties!(MetadataConfiguration { mode: Text, iops: u32 });
properties!(OpenZfsConfiguration {
    deployment_type: Text, throughput_capacity: u32, preferred_subnet_id: Text, route_table_ids: Vec<Text>,
    automatic_backup_retention_days: u32, daily_automatic_backup_start_time: Text,
    weekly_maintenance_start_time: Text, copy_tags_to_backups: bool, copy_tags_to_volumes: bool,
    root_volume_configuration: RootVolume,
});
properties!(RootVolume { data_compression_type: Text, nfs_exports: Vec<NfsExport>, copy_tags_to_snapshots: bool });
properties!(NfsExport { client_configurations: Vec<ClientConfiguration> });
properties!(ClientConfiguration { clients: Text, options: Vec<Text> });
resource!(DataRepositoryAssociation = "AWS::FSx::DataRepositoryAssociation" {
    file_system_id: Text, file_system_path: Text, data_repository_path: Text, batch_import_meta_data_on_create: bool,
    s3 = "S3": RepositoryPolicies, tags: Vec<Tag>,
});
properties!(RepositoryPolicies { auto_import_policy: EventPolicy, auto_export_policy: EventPolicy });
properties!(EventPolicy { events: Vec<Text> });

resource!(SnapshotPolicy = "AWS::DLM::LifecyclePolicy" {
    description: Text, state: Text, execution_role_arn: Text, policy_details: SnapshotPolicyDetails, tags: Vec<Tag>,
});
properties!(SnapshotPolicyDetails {
    policy_type: Text, resource_types: Vec<Text>, target_tags: Vec<Tag>, schedules: Vec<SnapshotSchedule>,
});
properties!(SnapshotSchedule { name: Text, create_rule: SnapshotRule, retain_rule: RetainRule, copy_tags: bool });
properties!(SnapshotRule { interval: u32, interval_unit: Text, times: Vec<Text> });
properties!(RetainRule { count: u32 });
