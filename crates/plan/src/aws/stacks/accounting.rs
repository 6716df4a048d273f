//! Slurm's accounting database: Aurora MySQL serverless v2.

use trainyard_spec::model::Accounting;

use super::StackKind;
use crate::aws::cloudformation::resources::database::{
    DbCluster, DbClusterParameterGroup, DbInstance, DbSubnetGroup, GeneratedSecret, Secret, ServerlessScaling,
};
use crate::aws::cloudformation::resources::ec2::{Rule, SecurityGroup};
use crate::aws::cloudformation::resources::iam::{Role, trust_for_us};
use crate::aws::cloudformation::{Tag, Template, Text, attribute, kind, reference, sub};
use crate::aws::{Context, names};

pub(super) static STACK: StackKind = StackKind {
    name: "accounting",
    about: "Accounting: the database of Slurm's job records.",
    stays: Some("job records outlive the cluster"),
    seconds: 600,
    fill,
};

/// The user that slurmdbd logs in as.
pub const USER: &str = "slurm";
const PORT: u16 = 3306;
const VERSION: &str = "8.0.mysql_aurora.3.12.0";

fn fill(context: &Context<'_>, template: &mut Template) {
    let Some(Accounting::New { min_acu, max_acu }) = &context.spec.accounting else { return };
    let tags = template.tags(&names::label(context.spec, "accounting"));
    surroundings(context, template, &tags);
    let scaling = ServerlessScaling::new().min_capacity(*min_acu).max_capacity(*max_acu);
    database(template, &tags, scaling);
    instance(context, template, &tags);
    let parts = vec![attribute("Database", "Endpoint.Address"), attribute("Database", "Endpoint.Port")];
    template.output("DatabaseUri", "host:port of the database", Text::Join(":".into(), parts));
    template.output("DatabaseSecretArn", "The secret with its password", reference("DatabasePassword"));
}

/// What the database uses; all of it is retained with it.
fn surroundings(context: &Context<'_>, template: &mut Template, tags: &[Tag]) {
    let vpc = template.reads("VpcId", kind::VPC, "The VPC", &context.place.vpc());
    let nodes = context.reads_nodes(template);
    let mysql = Rule::new().ip_protocol("tcp").from_port(PORT).to_port(PORT).source_security_group_id(nodes);
    let group = SecurityGroup::new().group_description("Accounting database").vpc_id(vpc);
    let group = group.security_group_ingress(vec![mysql.description("MySQL from nodes")]);
    let group = group.security_group_egress(vec![Rule::nothing("Nothing")]);
    template.keep("DatabaseSecurityGroup", group.tags(tags));
    let subnets = context.reads_services(template, "Database", "A subnet of the database");
    let group = DbSubnetGroup::new().description("Accounting database").subnet_ids(subnets);
    template.keep("DatabaseSubnets", group.tags(tags));
    // slurmdbd takes the password as it stands, so it must need no quoting.
    let generated = GeneratedSecret::new().password_length(40_u32).exclude_punctuation(true);
    let secret = Secret::new().description("Password of slurmdbd").generate_secret_string(generated);
    template.keep("DatabasePassword", secret.tags(tags));
    // Slurm's manual asks for the first: its roll-ups hold locks for long.
    let settings = [("innodb_lock_wait_timeout", "900"), ("slow_query_log", "1")];
    let settings = settings.map(|(key, value)| (key.to_owned(), serde_json::Value::from(value)));
    let parameters = DbClusterParameterGroup::new().description("slurmdbd").family("aurora-mysql8.0");
    template.keep("DatabaseParameters", parameters.parameters(serde_json::Map::from_iter(settings)).tags(tags));
}

fn database(template: &mut Template, tags: &[Tag], scaling: ServerlessScaling) {
    let cluster = DbCluster::new()
        .engine("aurora-mysql")
        .engine_version(VERSION)
        .master_username(USER)
        .master_user_password(sub("{{resolve:secretsmanager:${DatabasePassword}}}"))
        .subnet_group(reference("DatabaseSubnets"))
        .parameter_group(reference("DatabaseParameters"))
        .vpc_security_group_ids(vec![attribute("DatabaseSecurityGroup", "GroupId")])
        .serverless(scaling)
        .storage_encrypted(true)
        .backup_retention_period(14_u32)
        .deletion_protection(true)
        .copy_tags_to_snapshot(true)
        .enable_iam(true)
        .enable_cloudwatch_logs_exports(["error", "slowquery"].map(Text::from).to_vec())
        .tags(tags);
    template.keep("Database", cluster);
}

fn instance(context: &Context<'_>, template: &mut Template, tags: &[Tag]) {
    let managed = sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole");
    let role = Role::new()
        .description("Writes the database's own metrics")
        .path(names::iam_path(context.spec))
        .assume_role_policy_document(trust_for_us("monitoring.rds.amazonaws.com"))
        .managed_policy_arns(vec![managed])
        .tags(tags);
    template.keep("DatabaseMonitoringRole", role);
    let instance = DbInstance::new()
        .cluster(reference("Database"))
        .class("db.serverless")
        .engine("aurora-mysql")
        .publicly_accessible(false)
        .auto_minor_version_upgrade(true)
        .monitoring_interval(60_u32)
        .monitoring_role_arn(attribute("DatabaseMonitoringRole", "Arn"))
        .tags(tags);
    template.keep("DatabaseInstance", instance);
}
