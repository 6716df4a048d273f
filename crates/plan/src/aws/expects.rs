//! What the spec names and does not make: it must be there before the first step.

use trainyard_spec::catalog::{self, Architecture};
use trainyard_spec::model::{
    Accounting, Capacity, ComputeResource, Directory, Home, ImageId, MonitoringMode, Mount, Queue, Shared,
};

use super::cluster::os;
use super::{Context, Expected};

/// Everything that must exist beforehand, each once.
pub fn expects(context: &Context<'_>) -> Vec<Expected> {
    let spec = context.spec;
    let mut all = network(context);
    for queue in &spec.queues {
        all.extend(capacity(context, queue));
    }
    all.extend(storage(context));
    all.extend(images(context));
    all.extend(secrets(context));
    for script in spec.setup.scripts.iter().filter_map(|script| script.script.strip_prefix("s3://")) {
        if let Some((bucket, key)) = script.split_once('/') {
            all.push(Expected::Object { bucket: bucket.into(), key: key.into() });
        }
    }
    let monitoring = &spec.monitoring;
    let managed = matches!(monitoring.mode, MonitoringMode::Amp | MonitoringMode::AmpAmg);
    all.extend(
        monitoring.amp_workspace.iter().filter(|_| managed).map(|id| Expected::PrometheusWorkspace { id: id.clone() }),
    );
    let shown = monitoring.mode == MonitoringMode::AmpAmg;
    all.extend(
        monitoring.amg_workspace.iter().filter(|_| shown).map(|id| Expected::GrafanaWorkspace { id: id.clone() }),
    );
    if let Some(Directory::New { certificate, .. }) = &spec.directory {
        all.push(Expected::Certificate { arn: certificate.to_string() });
    }
    let hosted = monitoring.mode == MonitoringMode::SelfHosted;
    all.extend(
        monitoring.certificate.iter().filter(|_| hosted).map(|arn| Expected::Certificate { arn: arn.to_string() }),
    );
    all.sort();
    all.dedup();
    all
}

fn network(context: &Context<'_>) -> Vec<Expected> {
    let Some(existing) = &context.spec.network.existing else { return Vec::new() };
    let vpc = existing.vpc.to_string();
    let zone = context.facts.head_zone.clone();
    let second =
        super::place::why_two_zones(context.spec).map_or_else(|| zone.clone(), |_| context.facts.second_zone.clone());
    let subnet = |id: &trainyard_spec::model::SubnetId, zone: &str, public: bool| Expected::Subnet {
        id: id.to_string(),
        vpc: vpc.clone(),
        zone: zone.to_owned(),
        public,
    };
    let head_is_public = context.spec.head.subnet == trainyard_spec::model::Exposure::Public;
    let mut all = vec![Expected::Vpc { id: vpc.clone() }];
    let mut seen: Vec<&trainyard_spec::model::SubnetId> = Vec::new();
    let mut push = |id, zone: &str, public: bool| {
        if !seen.contains(&id) {
            seen.push(id);
            all.push(subnet(id, zone, public));
        }
    };
    push(&existing.head_subnet, &zone, head_is_public);
    for (number, id) in existing.compute_subnets.iter().enumerate() {
        push(id, if number == 0 { &zone } else { &context.facts.second_zone }, false);
    }
    existing.login_subnet.iter().for_each(|id| push(id, &zone, false));
    for (number, id) in existing.service_subnets.iter().enumerate() {
        push(id, if number == 0 { &zone } else { &second }, false);
    }
    for id in context.spec.queues.iter().flat_map(|queue| &queue.subnets) {
        push(id, &zone, false);
    }
    let groups = existing.additional_security_groups.iter();
    all.extend(groups.map(|id| Expected::SecurityGroup { id: id.to_string(), vpc: vpc.clone() }));
    all
}

fn capacity(context: &Context<'_>, queue: &Queue) -> Vec<Expected> {
    let instances: Vec<String> =
        queue.compute.iter().flat_map(ComputeResource::types).map(ToString::to_string).collect();
    let instance = instances.first().cloned().unwrap_or_default();
    // Two queues may share a reservation: it must carry them all.
    let mine = |capacity: &Capacity| reservation_id(capacity) == reservation_id(&queue.capacity);
    let sharing = context.spec.queues.iter().filter(|other| mine(&other.capacity));
    let count = sharing.flat_map(|queue| &queue.compute).map(|resource| resource.max).sum();
    let zone = context.facts.zone.clone();
    let platform =
        if os(context.spec.parallelcluster.os).starts_with("rhel") { "Red Hat Enterprise Linux" } else { "Linux/UNIX" };
    let reservation =
        |id: &trainyard_spec::model::ReservationId, is_block: bool, group: Option<&String>| Expected::Reservation {
            id: id.to_string(),
            instance: instance.clone(),
            zone: zone.clone(),
            count,
            is_block,
            placement_group: group.cloned(),
            platform: platform.to_owned(),
        };
    match &queue.capacity {
        Capacity::OwnReservation { reservation: id, placement_group } => vec![
            reservation(id, false, Some(placement_group)),
            Expected::PlacementGroup { name: placement_group.clone() },
        ],
        Capacity::TargetedReservation { reservation: id } => vec![reservation(id, false, None)],
        Capacity::CapacityBlock { reservation: id } => vec![reservation(id, true, None)],
        Capacity::ReservationGroup { group } => {
            vec![Expected::ReservationGroup { arn: group.to_string(), instances, zone, count }]
        }
        Capacity::OnDemand { .. } | Capacity::Spot { .. } => Vec::new(),
    }
}

fn reservation_id(capacity: &Capacity) -> Option<&str> {
    match capacity {
        Capacity::OwnReservation { reservation, .. }
        | Capacity::TargetedReservation { reservation }
        | Capacity::CapacityBlock { reservation } => Some(reservation.as_str()),
        _ => None,
    }
}

fn storage(context: &Context<'_>) -> Vec<Expected> {
    let storage = &context.spec.storage;
    let mut all = Vec::new();
    if let Shared::Existing { id } = &storage.shared {
        all.push(Expected::Lustre { id: id.to_string() });
    }
    if let Some(bucket) = storage.data_bucket.as_ref().filter(|bucket| bucket.existing) {
        all.push(Expected::Bucket { name: bucket.name.to_string() });
    }
    if let Home::Existing { id } = &storage.home {
        all.push(Expected::ZfsVolume { id: id.to_string() });
    }
    all.extend(storage.mounts.iter().map(|mount| match mount {
        Mount::Efs { id, .. } => Expected::Efs { id: id.to_string() },
        Mount::Volume { id, .. } => Expected::Volume { id: id.to_string(), zone: context.facts.head_zone.clone() },
        Mount::Lustre { id, .. } => Expected::Lustre { id: id.to_string() },
        Mount::Openzfs { id, .. } => Expected::ZfsVolume { id: id.to_string() },
        Mount::Ontap { id, .. } => Expected::OntapVolume { id: id.to_string() },
        Mount::FileCache { id, .. } => Expected::FileCache { id: id.to_string() },
    }));
    all
}

fn images(context: &Context<'_>) -> Vec<Expected> {
    let spec = context.spec;
    let image = |id: &ImageId, instance: &str| Expected::Image {
        id: id.to_string(),
        os: os(spec.parallelcluster.os).to_owned(),
        architecture: architecture(instance).to_owned(),
    };
    let head = spec.head.image.iter().map(|id| image(id, spec.head.instance.as_str()));
    let login = spec.login.iter().flat_map(|pool| pool.image.iter().map(|id| image(id, pool.instance.as_str())));
    let queues = spec.queues.iter().flat_map(|queue| {
        let first = queue.compute.iter().flat_map(ComputeResource::types).next();
        let instance = first.map_or("m5.large", |name| name.as_str());
        queue.image.iter().map(move |id| image(id, instance))
    });
    head.chain(login).chain(queues).collect()
}

fn architecture(instance: &str) -> &'static str {
    match catalog::find(instance).map(|known| known.architecture) {
        Some(Architecture::Arm64) => "arm64",
        Some(Architecture::X86_64) | None => "x86_64",
    }
}

fn secrets(context: &Context<'_>) -> Vec<Expected> {
    let spec = context.spec;
    let accounting = match &spec.accounting {
        Some(Accounting::Existing { password_secret, .. }) => Some(password_secret),
        _ => None,
    };
    let directory = match &spec.directory {
        Some(Directory::Existing(directory)) => Some(&directory.password_secret),
        Some(Directory::New { .. }) | None => None,
    };
    let munge = spec.slurm.munge_key_secret.as_ref();
    [accounting, directory, munge].into_iter().flatten().map(|arn| Expected::Secret { arn: arn.to_string() }).collect()
}
