//! /home: a volume of the head's, or FSx for OpenZFS. Never the head's root volume unless asked for.

use trainyard_spec::model::Home;

use super::StackKind;
use super::storage::{BACKUP_TIME, MAINTENANCE_TIME, Port, group};
use crate::aws::cloudformation::resources::ec2::Volume;
use crate::aws::cloudformation::resources::iam::{Role, trust_for_us};
use crate::aws::cloudformation::resources::storage::{
    ClientConfiguration, FileSystem, NfsExport, OpenZfsConfiguration, RetainRule, RootVolume, SnapshotPolicy,
    SnapshotPolicyDetails, SnapshotRule, SnapshotSchedule,
};
use crate::aws::cloudformation::{Tag, Template, Text, attribute, kind, reference, sub};
use crate::aws::{Context, Wire, names};

pub(super) static STACK: StackKind = StackKind {
    name: "home",
    about: "Home: the volume or file system of /home. Retained when the stack goes.",
    stays: Some("people's homes outlive the cluster"),
    seconds: 300,
    fill,
};

fn fill(context: &Context<'_>, template: &mut Template) {
    match &context.spec.storage.home {
        Home::Volume { size_gib } => volume(context, template, *size_gib),
        Home::Openzfs { size_gib, throughput_mb_s, multi_zone } => {
            let size = Zfs { gib: *size_gib, mb_s: *throughput_mb_s, is_multi_zone: *multi_zone };
            zfs(context, template, &size);
        }
        Home::Existing { .. } | Home::Ephemeral {} => {}
    }
}

const HOME_TAG: &str = "trainyard:home";

fn volume(context: &Context<'_>, template: &mut Template, size_gib: u32) {
    let spec = context.spec;
    let from = match &spec.network.existing {
        Some(_) => context.facts.head_zone.as_str().into(),
        None => Wire::output("network", "Zone"),
    };
    let zone = template.reads("HeadZone", kind::ZONE, "The zone of the head's subnet", &from);
    let mut tags = template.tags(&names::label(spec, "home"));
    tags.push(Tag { key: HOME_TAG.into(), value: spec.name.as_str().into() });
    let volume = Volume::new().availability_zone(zone).size(size_gib).volume_type("gp3").encrypted(true).tags(tags);
    template.keep("HomeVolume", volume);
    template.output("HomeVolumeId", "The volume of /home", reference("HomeVolume"));

    let managed = sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole");
    let role = Role::new()
        .description("Makes and expires the snapshots of /home")
        .path(names::iam_path(spec))
        .assume_role_policy_document(trust_for_us("dlm.amazonaws.com"))
        .managed_policy_arns(vec![managed])
        .tags(template.tags(&names::label(spec, "snapshots")));
    template.keep("SnapshotRole", role);
    let daily = SnapshotSchedule::new()
        .name("daily")
        .create_rule(SnapshotRule::new().interval(24_u32).interval_unit("HOURS").times(vec![BACKUP_TIME.into()]))
        .retain_rule(RetainRule::new().count(30_u32))
        .copy_tags(true);
    let details = SnapshotPolicyDetails::new()
        .policy_type("EBS_SNAPSHOT_MANAGEMENT")
        .resource_types(vec!["VOLUME".into()])
        .target_tags(vec![Tag { key: HOME_TAG.into(), value: spec.name.as_str().into() }])
        .schedules(vec![daily]);
    let policy = SnapshotPolicy::new()
        .description("Daily snapshots of home")
        .state("ENABLED")
        .execution_role_arn(attribute("SnapshotRole", "Arn"))
        .policy_details(details)
        .tags(template.tags(&names::label(spec, "snapshots")));
    template.keep("HomeSnapshots", policy);
}

struct Zfs {
    gib: u32,
    mb_s: u32,
    is_multi_zone: bool,
}

fn zfs(context: &Context<'_>, template: &mut Template, size: &Zfs) {
    let spec = context.spec;
    let place = &context.place;
    let ports = [(111, 111), (2049, 2049), (20001, 20003)];
    let ports = ports.map(|(from, to)| [Port::Tcp(from, to), Port::Udp(from, to)]).concat();
    let group = group(context, template, "HomeSecurityGroup", "FSx for OpenZFS", &ports);
    let mut settings = OpenZfsConfiguration::new()
        .throughput_capacity(size.mb_s)
        .automatic_backup_retention_days(30_u32)
        .daily_automatic_backup_start_time(BACKUP_TIME)
        .weekly_maintenance_start_time(MAINTENANCE_TIME)
        .copy_tags_to_backups(true)
        .copy_tags_to_volumes(true);
    let subnets: Vec<Text> = if size.is_multi_zone {
        let subnets = context.reads_services(template, "Home", "A subnet of /home");
        settings = settings.deployment_type("MULTI_AZ_1");
        if let Some(first) = subnets.first() {
            settings = settings.preferred_subnet_id(first.clone());
        }
        if spec.network.existing.is_none() {
            // The address of the file server moves between zones by these routes.
            let routes = Wire::output("network", "PrivateRouteTableId");
            let routes = template.reads("PrivateRouteTableId", kind::TEXT, "The private subnets' routes", &routes);
            let mut tables = vec![routes];
            if place.has_public_side() {
                let public = Wire::output("network", "PublicRouteTableId");
                tables.push(template.reads("PublicRouteTableId", kind::TEXT, "The public subnets' routes", &public));
            }
            settings = settings.route_table_ids(tables);
        }
        subnets
    } else {
        settings = settings.deployment_type("SINGLE_AZ_HA_2");
        vec![template.reads("HomeSubnetId", kind::SUBNET, "The subnet of /home", &place.home_subnet())]
    };
    // Root on a node must be able to make people's homes; only the group's nodes reach it at all.
    let clients =
        ClientConfiguration::new().clients("*").options(["rw", "no_root_squash", "crossmnt"].map(Text::from).to_vec());
    let root = RootVolume::new()
        .data_compression_type("LZ4")
        .copy_tags_to_snapshots(true)
        .nfs_exports(vec![NfsExport::new().client_configurations(vec![clients])]);
    let system = FileSystem::new()
        .file_system_type("OPENZFS")
        .storage_capacity(size.gib)
        .storage_type("SSD")
        .subnet_ids(subnets)
        .security_group_ids(vec![group])
        .open_zfs_configuration(settings.root_volume_configuration(root))
        .tags(template.tags(&names::label(spec, "home")));
    template.keep("HomeFileSystem", system);
    template.output("HomeFileSystemId", "The file system of /home", reference("HomeFileSystem"));
    template.output("HomeVolumeId", "The volume of /home", attribute("HomeFileSystem", "RootVolumeId"));
}
