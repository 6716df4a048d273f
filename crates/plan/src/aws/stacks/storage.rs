//! The shared file system. It is retained, and backed up where FSx can.

use trainyard_spec::model::{Choice, Compression, DataBucket, Lustre, LustreDeployment, Shared};

use super::StackKind;
use crate::aws::cloudformation::resources::ec2::{Rule, SecurityGroup, SecurityGroupEgress, SecurityGroupIngress};
use crate::aws::cloudformation::resources::storage::{
    DataRepositoryAssociation, EventPolicy, FileSystem, LustreConfiguration, MetadataConfiguration, RepositoryPolicies,
};
use crate::aws::cloudformation::{Template, Text, attribute, kind, reference, sub};
use crate::aws::{Context, Wire, names};

pub(super) static STACK: StackKind = StackKind {
    name: "storage",
    about: "Storage: the shared file system. Retained when the stack goes.",
    stays: Some("the shared file system holds people's data"),
    seconds: 900,
    fill,
};

/// When backups are made and maintenance is done, in UTC: at night in America, before work in Europe.
pub(super) const BACKUP_TIME: &str = "05:00";
pub(super) const MAINTENANCE_TIME: &str = "7:06:00";

fn fill(context: &Context<'_>, template: &mut Template) {
    if let Shared::Lustre(lustre) = &context.spec.storage.shared {
        shared(context, template, lustre);
    }
}

/// Gives any kind of rule the protocol and the ports.
macro_rules! on_port {
    ($port:expr, $rule:expr) => {
        match $port {
            Port::All => $rule.ip_protocol("-1"),
            Port::Tcp(from, to) => $rule.ip_protocol("tcp").from_port(from).to_port(to),
            Port::Udp(from, to) => $rule.ip_protocol("udp").from_port(from).to_port(to),
        }
    };
}

/// The group of a file system: nodes reach it, by group id.
pub(super) fn group(context: &Context<'_>, template: &mut Template, name: &str, about: &str, ports: &[Port]) -> Text {
    let vpc = template.reads("VpcId", kind::VPC, "The VPC", &context.place.vpc());
    let nodes = context.reads_nodes(template);
    let ingress =
        |port: &Port| on_port!(*port, Rule::new()).source_security_group_id(nodes.clone()).description("Nodes");
    let egress =
        |port: &Port| on_port!(*port, Rule::new()).destination_security_group_id(nodes.clone()).description("Nodes");
    let label = name.trim_end_matches("SecurityGroup").to_lowercase();
    let group = SecurityGroup::new().group_description(about).vpc_id(vpc);
    let group = group.security_group_ingress(ports.iter().map(ingress).collect::<Vec<_>>());
    let back: Vec<Rule> = ports.iter().map(egress).collect();
    let group = group.security_group_egress(back).tags(template.tags(&names::label(context.spec, &label)));
    // It stays with the file system, whose interfaces carry it.
    template.keep(name, group);
    attribute(name, "GroupId")
}

/// What a file system listens on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Port {
    /// Everything, EFA's traffic with it.
    All,
    Tcp(u16, u16),
    Udp(u16, u16),
}

fn shared(context: &Context<'_>, template: &mut Template, lustre: &Lustre) {
    let choice = Chosen::new(context, lustre);
    let subnet = template.reads(
        "StorageSubnetId",
        kind::SUBNET,
        "The subnet of the file system",
        &context.place.storage_subnet(),
    );
    // 988 and 1018-1023 (D-A48); Lustre over EFA needs all traffic, in both directions.
    let ports: &[Port] = if lustre.efa { &[Port::All] } else { &[Port::Tcp(988, 988), Port::Tcp(1018, 1023)] };
    let group = group(context, template, "LustreSecurityGroup", "FSx for Lustre", ports);
    let rules = lustre_rules(context, template, &group, ports);
    let settings = lustre_settings(context, lustre, &choice);
    let system = FileSystem::new()
        .file_system_type("LUSTRE")
        .file_system_type_version("2.15")
        .storage_capacity(lustre.size_gib)
        .storage_type("SSD")
        .subnet_ids(vec![subnet])
        .security_group_ids(vec![group])
        .lustre_configuration(settings)
        .tags(template.tags(&names::label(context.spec, "fsx")));
    template.keep_after("Lustre", system, &rules);
    template.output("LustreId", "The shared file system", reference("Lustre"));
    template.output("LustreMountName", "The name that clients mount", attribute("Lustre", "LustreMountName"));
    if let Some(bucket) = &context.spec.storage.data_bucket {
        link(context, template, bucket);
    }
}

/// Lustre's servers among themselves, and to and from nodes. Returns what the file system waits for.
fn lustre_rules(context: &Context<'_>, template: &mut Template, group: &Text, ports: &[Port]) -> Vec<String> {
    for (number, port) in ports.iter().enumerate() {
        let rule = on_port!(*port, SecurityGroupIngress::new()).group_id(group.clone());
        let rule = rule.source_security_group_id(group.clone()).description("Lustre servers among themselves");
        template.keep(&format!("LustreFromLustre{}", number + 1), rule);
        let back = on_port!(*port, SecurityGroupEgress::new())
            .group_id(group.clone())
            .destination_security_group_id(group.clone());
        let back = back.description("Lustre servers among themselves");
        template.keep(&format!("LustreToLustre{}", number + 1), back);
        // Servers call back; with EFA, both sides name each other both ways.
        let nodes = context.reads_nodes(template);
        let calls = on_port!(*port, SecurityGroupIngress::new())
            .group_id(nodes.clone())
            .source_security_group_id(group.clone());
        template.keep(&format!("NodesFromLustre{}", number + 1), calls.description("Lustre servers"));
        let asks =
            on_port!(*port, SecurityGroupEgress::new()).group_id(nodes).destination_security_group_id(group.clone());
        template.keep(&format!("NodesToLustre{}", number + 1), asks.description("Lustre servers"));
    }
    // FSx looks at the rules when the file system is made.
    (1..=ports.len())
        .flat_map(|number| ["LustreFromLustre", "LustreToLustre"].map(|name| format!("{name}{number}")))
        .collect()
}

fn lustre_settings(context: &Context<'_>, lustre: &Lustre, choice: &Chosen) -> LustreConfiguration {
    let mut settings = LustreConfiguration::new()
        .deployment_type(choice.deployment)
        .data_compression_type(if lustre.compression == Compression::Lz4 { "LZ4" } else { "NONE" })
        .weekly_maintenance_start_time(MAINTENANCE_TIME);
    if let Some(throughput) = choice.throughput {
        settings = settings.per_unit_storage_throughput(throughput);
    }
    if choice.deployment == "PERSISTENT_2" {
        let metadata = match lustre.metadata_iops {
            Choice::Given(iops) => MetadataConfiguration::new().mode("USER_PROVISIONED").iops(iops),
            Choice::Auto(_) => MetadataConfiguration::new().mode("AUTOMATIC"),
        };
        settings = settings.metadata_configuration(metadata);
        if lustre.efa {
            settings = settings.efa_enabled(true);
        }
    }
    if can_back_up(context, choice.deployment) {
        settings = settings
            .automatic_backup_retention_days(30_u32)
            .daily_automatic_backup_start_time(BACKUP_TIME)
            .copy_tags_to_backups(true);
    } else if choice.deployment != "SCRATCH_2" {
        // Left out, the days of before would stay, and FSx refuses the link to S3.
        settings = settings.automatic_backup_retention_days(0_u32);
    }
    settings
}

/// The data bucket as a folder of the file system.
fn link(context: &Context<'_>, template: &mut Template, bucket: &DataBucket) {
    let events = || EventPolicy::new().events(["NEW", "CHANGED", "DELETED"].map(Text::from).to_vec());
    let mut policies = RepositoryPolicies::new();
    if bucket.import {
        policies = policies.auto_import_policy(events());
    }
    if bucket.export {
        policies = policies.auto_export_policy(events());
    }
    template.reads("DataBucketName", kind::TEXT, "The data bucket", &data_bucket(bucket));
    let association = DataRepositoryAssociation::new()
        .file_system_id(reference("Lustre"))
        .file_system_path(bucket.path.as_str())
        .data_repository_path(sub("s3://${DataBucketName}"))
        .batch_import_meta_data_on_create(true)
        .tags(template.tags(&names::label(context.spec, "data")));
    let association = if bucket.import || bucket.export { association.s3(policies) } else { association };
    template.keep("DataLink", association);
    template.output(
        "DataLinkId",
        "The link between the data bucket and the file system",
        attribute("DataLink", "AssociationId"),
    );
}

/// The data bucket's name: the data stack's, or that of one which is already there.
pub(super) fn data_bucket(bucket: &DataBucket) -> Wire {
    if bucket.existing { bucket.name.to_string().into() } else { Wire::output("data", "DataBucketName") }
}

/// FSx backs up neither scratch file systems nor those that are linked to S3.
pub fn can_back_up(context: &Context<'_>, deployment: &str) -> bool {
    deployment != "SCRATCH_2" && context.spec.storage.data_bucket.is_none()
}

/// What `auto` comes to.
pub struct Chosen {
    /// FSx's deployment type.
    pub deployment: &'static str,
    /// MB/s per TiB; scratch file systems have but one.
    pub throughput: Option<u32>,
}

impl Chosen {
    pub fn new(context: &Context<'_>, lustre: &Lustre) -> Self {
        let deployment = match lustre.deployment {
            LustreDeployment::Persistent1 => "PERSISTENT_1",
            LustreDeployment::Scratch2 => "SCRATCH_2",
            LustreDeployment::Auto if !context.facts.has_persistent_2 => "PERSISTENT_1",
            LustreDeployment::Auto | LustreDeployment::Persistent2 => "PERSISTENT_2",
        };
        let usual = if deployment == "PERSISTENT_1" { 200 } else { 250 };
        let throughput = (deployment != "SCRATCH_2").then(|| lustre.throughput_mb_s_per_tib.or(usual));
        Self { deployment, throughput }
    }
}
