//! The head node and the login pools.

use trainyard_spec::model::{Moment, NodeKind, Toggle, VolumeSpeed};

use super::config::{
    Action, CustomActions, Dcv, EphemeralVolume, HeadIam, HeadImds, HeadNetworking, HeadNode, Iam, Image, LocalStorage,
    LoginNodes, Policy, Pool, PoolNetworking, Proxy, RootVolume, Sequence, Ssh,
};
use crate::aws::stacks::identity_writes_metrics;
use crate::aws::{Context, Wire, names, node_files};

/// Nobody comes in by ParallelCluster's own rule; the access group, made from `access.cidrs`, lets people in.
const NOBODY: &str = "127.0.0.1/32";

pub(super) fn head(context: &Context<'_>) -> HeadNode {
    let spec = context.spec;
    let head = &spec.head;
    let mut policies = policies(context);
    if identity_writes_metrics(context) {
        policies.push(Policy { policy: context.resolve(&Wire::output("identity", "HeadPolicyArn")) });
    }
    HeadNode {
        instance_type: head.instance.to_string(),
        disable_simultaneous_multithreading: no_threads(head.hyperthreads),
        networking: HeadNetworking {
            subnet_id: context.resolve(&context.place.head_subnet()),
            elastic_ip: head.elastic_ip.then_some(true),
            additional_security_groups: groups(context, Door::Open),
            proxy: proxy(context),
        },
        ssh: Ssh { key_name: Some(names::key(spec)), allowed_ips: NOBODY },
        local_storage: LocalStorage {
            root_volume: root_volume(head.root_volume_gib, head.root_volume_speed),
            ephemeral_volume: None,
        },
        dcv: dcv(head.dcv),
        custom_actions: actions(context, NodeKind::Head, None),
        iam: HeadIam { additional_iam_policies: policies },
        imds: HeadImds { secured: true },
        image: image(head.image.as_ref()),
    }
}

pub(super) fn login(context: &Context<'_>) -> Option<LoginNodes> {
    let pools: Vec<Pool> = context
        .spec
        .login
        .iter()
        .map(|pool| Pool {
            name: pool.name.to_string(),
            instance_type: pool.instance.to_string(),
            count: pool.count,
            gracetime_period: pool.grace_minutes,
            image: image(pool.image.as_ref()),
            networking: PoolNetworking {
                subnet_ids: vec![context.resolve(&context.place.login_subnet(pool))],
                additional_security_groups: groups(context, Door::Open),
                proxy: proxy(context),
            },
            ssh: Ssh { key_name: None, allowed_ips: NOBODY },
            dcv: dcv(pool.dcv),
            custom_actions: actions(context, NodeKind::Login, None),
            iam: Iam { additional_iam_policies: policies(context) },
        })
        .collect();
    (!pools.is_empty()).then_some(LoginNodes { pools })
}

/// Whether people may come in from `access.cidrs`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Open,
    Shut,
}

pub(super) fn groups(context: &Context<'_>, door: Door) -> Vec<Wire> {
    let place = &context.place;
    let mut groups = vec![context.resolve(&place.nodes_group())];
    if door == Door::Open {
        groups.extend(place.access_group().map(|group| context.resolve(&group)));
    }
    let own = context.spec.network.existing.iter().flat_map(|existing| &existing.additional_security_groups);
    groups.extend(own.map(|group| Wire::from(group.to_string())));
    groups
}

pub(super) fn proxy(context: &Context<'_>) -> Option<Proxy> {
    context.spec.network.http_proxy.clone().map(|http_proxy_address| Proxy { http_proxy_address })
}

pub(super) fn image(image: Option<&trainyard_spec::model::ImageId>) -> Option<Image> {
    image.map(|id| Image { os: None, custom_ami: Some(id.to_string()) })
}

pub(super) fn no_threads(hyperthreads: Toggle) -> Option<bool> {
    (hyperthreads == Toggle::Disabled).then_some(true)
}

pub(super) fn root_volume(size: u32, speed: Option<VolumeSpeed>) -> RootVolume {
    RootVolume {
        size,
        volume_type: "gp3",
        iops: speed.map(|speed| speed.iops),
        throughput: speed.map(|speed| speed.mb_s),
        encrypted: true,
    }
}

pub(super) fn scratch(context: &Context<'_>) -> Option<EphemeralVolume> {
    let scratch = &context.spec.storage.scratch;
    scratch.enabled.then(|| EphemeralVolume { mount_dir: scratch.path.to_string() })
}

fn dcv(wanted: bool) -> Option<Dcv> {
    wanted.then_some(Dcv { enabled: true, allowed_ips: NOBODY })
}

pub(super) fn policies(context: &Context<'_>) -> Vec<Policy> {
    let mut policies = vec![Policy { policy: context.resolve(&Wire::output("identity", "NodePolicyArn")) }];
    if context.spec.access.ssm {
        let partition = names::partition(super::region(context.spec));
        policies
            .push(Policy { policy: format!("arn:{partition}:iam::aws:policy/AmazonSSMManagedInstanceCore").into() });
    }
    policies
}

/// The spec's own scripts; a section without a script is left out (D-A02).
pub(super) fn actions(context: &Context<'_>, nodes: NodeKind, queue: Option<&str>) -> Option<CustomActions> {
    let at = |when: Moment| {
        let fits = |script: &&trainyard_spec::model::Script| {
            script.nodes == nodes
                && script.when == when
                && script.queue.as_ref().is_none_or(|only| queue.is_none_or(|queue| only.as_str() == queue))
        };
        let action = |script: &trainyard_spec::model::Script| Action {
            script: node_files::script_url(context, nodes, &script.script),
            args: script.args.clone(),
        };
        // The user's files are there before any script of theirs.
        let fetch = (when == Moment::Started).then(|| node_files::fetch_action(context, nodes)).flatten();
        let fetch = fetch.map(|(script, args)| Action { script, args });
        let scripts = context.spec.setup.scripts.iter().filter(fits).map(action);
        let sequence: Vec<Action> = fetch.into_iter().chain(scripts).collect();
        (!sequence.is_empty()).then_some(Sequence { sequence })
    };
    let actions = CustomActions { on_node_start: at(Moment::Started), on_node_configured: at(Moment::Configured) };
    (actions.on_node_start.is_some() || actions.on_node_configured.is_some()).then_some(actions)
}
