//! The accounting database: Aurora and its secret.

use super::{properties, resource};
use crate::aws::cloudformation::{Tag, Text};

resource!(Secret = "AWS::SecretsManager::Secret" {
    description: Text, generate_secret_string: GeneratedSecret, tags: Vec<Tag>,
});
properties!(GeneratedSecret { password_length: u32, exclude_punctuation: bool });
resource!(DbSubnetGroup = "AWS::RDS::DBSubnetGroup" {
    description = "DBSubnetGroupDescription": Text, subnet_ids: Vec<Text>, tags: Vec<Tag>,
});
resource!(DbCluster = "AWS::RDS::DBCluster" {
    engine: Text, engine_version: Text, master_username: Text, master_user_password: Text,
    subnet_group = "DBSubnetGroupName": Text, vpc_security_group_ids: Vec<Text>,
    serverless = "ServerlessV2ScalingConfiguration": ServerlessScaling, storage_encrypted: bool,
    backup_retention_period: u32, deletion_protection: bool, copy_tags_to_snapshot: bool,
    enable_iam = "EnableIAMDatabaseAuthentication": bool, enable_cloudwatch_logs_exports: Vec<Text>, tags: Vec<Tag>,
    parameter_group = "DBClusterParameterGroupName": Text,
});
resource!(DbClusterParameterGroup = "AWS::RDS::DBClusterParameterGroup" {
    description: Text, family: Text, parameters: serde_json::Map<String, serde_json::Value>, tags: Vec<Tag>,
});
properties!(ServerlessScaling { min_capacity: u32, max_capacity: u32 });
resource!(DbInstance = "AWS::RDS::DBInstance" {
    cluster = "DBClusterIdentifier": Text, class = "DBInstanceClass": Text, engine: Text, publicly_accessible: bool,
    auto_minor_version_upgrade: bool, monitoring_interval: u32, monitoring_role_arn: Text, tags: Vec<Tag>,
});
