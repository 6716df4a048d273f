//! Slurm's accounting database: Aurora MySQL serverless v2.

use trainyard_spec::model::Accounting;

use super::StackKind;
use crate::aws::cloudformation::resources::database::{
    DbCluster, DbClusterParameterGroup, DbInstance, DbSubnetGroup, GeneratedSecret, Secret, ServerlessScaling,
};
use crate::aws::cloudformation::resources::ec2::{Rule, SecurityGroup};
use crate::aws::cloudformation::resources::iam::{Role, trust_for_us};
use crate::aws::cloudformation::{Template, Text, attribute, kind, reference, sub};
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
    let spec = context.spec;
    let vpc = template.reads("VpcId", kind::VPC, "The VPC", &context.place.vpc());
    let nodes = template.reads(
        "NodesSecurityGroupId",
        kind::SECURITY_GROUP,
        "The group of every node",
        &context.place.nodes_group(),
    );
    let mysql = Rule::new().ip_protocol("tcp").from_port(PORT).to_port(PORT).source_security_group_id(nodes);
    let nothing = Rule::new().ip_protocol("-1").cidr_ip("127.0.0.1/32").description("Nothing");
    let group = SecurityGroup::new().group_description("Accounting database").vpc_id(vpc);
    let group =
        group.security_group_ingress(vec![mysql.description("MySQL from nodes")]).security_group_egress(vec![nothing]);
    // Retained with the database, which uses it; so are the next ones.
    template.keep("DatabaseSecurityGroup", group.tags(template.tags(&names::label(spec, "accounting"))));

    let names_of = ["DatabaseSubnetId", "SecondDatabaseSubnetId"];
    let subnets: Vec<Text> = context
        .place
        .service_subnets()
        .iter()
        .zip(names_of)
        .map(|(subnet, name)| template.reads(name, kind::SUBNET, "A subnet of the database", subnet))
        .collect();
    let tags = template.tags(&names::label(spec, "accounting"));
    template.keep(
        "DatabaseSubnets",
        DbSubnetGroup::new().description("Accounting database").subnet_ids(subnets).tags(tags.clone()),
    );
    // slurmdbd takes the password as it stands, so it must need no quoting.
    let generated = GeneratedSecret::new().password_length(40_u32).exclude_punctuation(true);
    let secret = Secret::new().description("Password of slurmdbd").generate_secret_string(generated).tags(tags.clone());
    template.keep("DatabasePassword", secret);
    // Slurm's manual asks for the first: its roll-ups hold locks for long.
    let settings = [("innodb_lock_wait_timeout", "900"), ("slow_query_log", "1")];
    let settings =
        settings.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect::<serde_json::Map<_, _>>();
    let parameters =
        DbClusterParameterGroup::new().description("slurmdbd").family("aurora-mysql8.0").parameters(settings);
    template.keep("DatabaseParameters", parameters.tags(tags.clone()));
    let cluster = DbCluster::new()
        .engine("aurora-mysql")
        .engine_version(VERSION)
        .master_username(USER)
        .master_user_password(sub("{{resolve:secretsmanager:${DatabasePassword}}}"))
        .subnet_group(reference("DatabaseSubnets"))
        .parameter_group(reference("DatabaseParameters"))
        .vpc_security_group_ids(vec![attribute("DatabaseSecurityGroup", "GroupId")])
        .serverless(ServerlessScaling::new().min_capacity(*min_acu).max_capacity(*max_acu))
        .storage_encrypted(true)
        .backup_retention_period(14_u32)
        .deletion_protection(true)
        .copy_tags_to_snapshot(true)
        .enable_iam(true)
        .enable_cloudwatch_logs_exports(["error", "slowquery"].map(Text::from).to_vec())
        .tags(tags.clone());
    template.keep("Database", cluster);
    let managed = sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole");
    let role = Role::new()
        .description("Writes the database's own metrics")
        .path(names::iam_path(spec))
        .assume_role_policy_document(trust_for_us("monitoring.rds.amazonaws.com"))
        .managed_policy_arns(vec![managed])
        .tags(tags.clone());
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
    let uri =
        Text::Join(":".into(), vec![attribute("Database", "Endpoint.Address"), attribute("Database", "Endpoint.Port")]);
    template.output("DatabaseUri", "host:port of the database", uri);
    template.output("DatabaseSecretArn", "The secret with its password", reference("DatabasePassword"));
}
