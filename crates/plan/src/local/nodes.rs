//! Which nodes there are: names as ParallelCluster gives them, addresses, declared hardware.

use trainyard_spec::Spec;
use trainyard_spec::catalog;
use trainyard_spec::facts::LocalFacts;
use trainyard_spec::model::{ComputeResource, Hardware, Toggle};
use trainyard_spec::nodes::stem;

use crate::Options;
use crate::rehearsed::{HEAD, Node, PartitionNodes, own_network};

/// Slurm's own ports, where nodes have a network of their own.
const SLURMCTLD_PORT: u16 = 6817;
const SLURMD_PORT: u16 = 6818;

pub(super) fn derive(spec: &Spec, facts: &LocalFacts, options: Options) -> Vec<PartitionNodes> {
    let mut partitions = Vec::new();
    let mut index = 0;
    for queue in &spec.queues {
        let mut room = options.nodes_per_queue_max.unwrap_or(u32::MAX);
        for resource in &queue.compute {
            let max = resource.max.min(room);
            let fixed = resource.min.min(max);
            room -= max;
            let mut nodes = Vec::new();
            for number in 0..max {
                let is_static = number < fixed;
                let ordinal = if is_static { number + 1 } else { number - fixed + 1 };
                let name = format!("{}-{ordinal}", stem(&queue.name, &resource.name, is_static));
                nodes.push(node(facts, name, index, is_static));
                index += 1;
            }
            let (hardware, gpu_model) = hardware(resource);
            if !nodes.is_empty() {
                let (queue, resource) = (queue.name.clone(), resource.name.clone());
                partitions.push(PartitionNodes { queue, resource, hardware, gpu_model, nodes });
            }
        }
    }
    partitions
}

/// The head, then every compute node.
pub(super) fn all(facts: &LocalFacts, partitions: &[PartitionNodes]) -> Vec<Node> {
    let address = if own_network(facts) { "10.77.0.1" } else { loopback(facts) };
    let port = if own_network(facts) { SLURMCTLD_PORT } else { facts.first_port };
    let head = Node { name: HEAD.into(), address: address.into(), port, is_static: true, agent: None };
    [head].into_iter().chain(partitions.iter().flat_map(|p| p.nodes.iter().cloned())).collect()
}

/// The address of all nodes that share this machine's network.
pub(super) fn loopback(facts: &LocalFacts) -> &str {
    facts.loopback.as_deref().unwrap_or("127.0.0.1")
}

fn node(facts: &LocalFacts, name: String, index: u32, is_static: bool) -> Node {
    if own_network(facts) {
        let address = format!("10.77.{}.{}", index / 250 + 1, index % 250 + 1);
        return Node { name, address, port: SLURMD_PORT, is_static, agent: None };
    }
    // slurmd binds all addresses, so nodes that share a network need a port each.
    let port = u16::try_from(u32::from(facts.first_port) + 1 + index).unwrap_or(u16::MAX);
    Node { name, address: loopback(facts).into(), port, is_static, agent: None }
}

fn hardware(resource: &ComputeResource) -> (Hardware, String) {
    let known = resource.instance.as_ref().and_then(|instance| catalog::find(instance.as_str()));
    let model = known.map_or("", |instance| &*instance.gpu_model).to_owned();
    let declared = resource.hardware.clone().map(|hardware| (hardware, model.clone()));
    let (mut hardware, model) =
        declared.unwrap_or_else(|| (known.map(catalog::Instance::hardware).unwrap_or_default(), model));
    if resource.hyperthreads == Toggle::Disabled {
        hardware.threads_per_core = 1;
    }
    (hardware, model)
}
