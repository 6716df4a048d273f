//! Where nodes stand: the new network's parts, or those of the network that is already there.

use trainyard_spec::Spec;
use trainyard_spec::facts::AwsFacts;
use trainyard_spec::model::{Accounting, Directory, ExistingNetwork, Exposure, Home, LoginPool, MonitoringMode, Queue};

use super::wire::Wire;

/// The cluster's network, as everything after it sees it.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    spec: &'a Spec,
    /// The zones of the network: one, or two where something must stand in two.
    pub zones: Vec<String>,
}

impl<'a> Place<'a> {
    pub fn new(spec: &'a Spec, facts: &AwsFacts) -> Self {
        let mut zones = vec![facts.zone.clone()];
        if spec.network.second_zone.is_some() || why_two_zones(spec).is_some() {
            zones.push(facts.second_zone.clone());
        }
        Self { spec, zones }
    }

    fn existing(&self) -> Option<&'a ExistingNetwork> {
        self.spec.network.existing.as_ref()
    }

    /// Whether nodes of a new network stand in the public subnets, by the address that those give.
    pub fn has_public_nodes(&self) -> bool {
        let head = self.spec.head.subnet == Exposure::Public && !self.spec.head.elastic_ip;
        head || self.spec.login.iter().any(|pool| pool.subnet == Exposure::Public)
    }

    /// Whether a new network has a public side: something stands there, or goes out through it.
    pub fn has_public_side(&self) -> bool {
        let hosted = self.spec.monitoring.mode == MonitoringMode::SelfHosted && !self.spec.access.cidrs.is_empty();
        self.spec.network.nat || self.spec.head.subnet == Exposure::Public || self.has_public_nodes() || hosted
    }

    /// The VPC.
    pub fn vpc(&self) -> Wire {
        self.existing().map_or_else(|| network("VpcId"), |existing| existing.vpc.to_string().into())
    }

    /// The head's subnet.
    pub fn head_subnet(&self) -> Wire {
        match self.existing() {
            Some(existing) => existing.head_subnet.to_string().into(),
            None => side(self.spec.head.subnet),
        }
    }

    /// A login pool's subnet.
    pub fn login_subnet(&self, pool: &LoginPool) -> Wire {
        match self.existing() {
            Some(existing) => existing.login_subnet.as_ref().unwrap_or(&existing.head_subnet).to_string().into(),
            None => side(pool.subnet),
        }
    }

    /// The subnets of a queue's nodes.
    pub fn queue_subnets(&self, queue: &Queue) -> Vec<Wire> {
        if !queue.subnets.is_empty() {
            return queue.subnets.iter().map(|subnet| subnet.to_string().into()).collect();
        }
        if let Some(existing) = self.existing() {
            // ParallelCluster takes one instance type in one subnet only.
            let many = if can_spread(queue) { existing.compute_subnets.len() } else { 1 };
            return existing.compute_subnets.iter().take(many).map(|subnet| subnet.to_string().into()).collect();
        }
        let names = ["PrivateSubnetId", "SecondPrivateSubnetId"];
        let wanted = |zone: &String| queue.zones.iter().any(|asked| asked.as_str() == zone);
        let chosen: Vec<Wire> =
            self.zones.iter().zip(names).filter(|(zone, _)| wanted(zone)).map(|(_, name)| network(name)).collect();
        if chosen.is_empty() { vec![network(names[0])] } else { chosen }
    }

    /// The subnet of the shared file system. Never by what else the spec says: another subnet is another file system.
    pub fn storage_subnet(&self) -> Wire {
        let first = self.existing().and_then(|existing| existing.compute_subnets.first());
        first.map_or_else(|| network("PrivateSubnetId"), |subnet| subnet.to_string().into())
    }

    /// The subnet of /home in one zone.
    pub fn home_subnet(&self) -> Wire {
        self.existing().map_or_else(|| network("PrivateSubnetId"), |existing| existing.head_subnet.to_string().into())
    }

    /// Two subnets in two zones, private ones in a new network.
    pub fn service_subnets(&self) -> Vec<Wire> {
        match self.existing() {
            Some(existing) => existing.service_subnets.iter().take(2).map(|subnet| subnet.to_string().into()).collect(),
            None => vec![network("PrivateSubnetId"), network("SecondPrivateSubnetId")],
        }
    }

    /// The same for what people reach from outside: public ones in a new network.
    pub fn front_subnets(&self) -> Vec<Wire> {
        match self.existing() {
            Some(_) => self.service_subnets(),
            // Where nobody is let in from outside, the front stands inside.
            None if self.spec.access.cidrs.is_empty() => self.service_subnets(),
            None => vec![network("PublicSubnetId"), network("SecondPublicSubnetId")],
        }
    }

    /// The group of every node: all traffic from and to itself, by group id.
    #[allow(clippy::unused_self)] // the same in every network, and read like the other parts of the place
    pub fn nodes_group(&self) -> Wire {
        network("NodesSecurityGroupId")
    }

    /// The group that lets people in; none where nobody is let in.
    pub fn access_group(&self) -> Option<Wire> {
        (!self.spec.access.cidrs.is_empty()).then(|| network("AccessSecurityGroupId"))
    }
}

fn side(exposure: Exposure) -> Wire {
    match exposure {
        Exposure::Private => network("PrivateSubnetId"),
        Exposure::Public => network("PublicSubnetId"),
    }
}

fn network(output: &str) -> Wire {
    Wire::output("network", output)
}

/// Whether a queue's nodes may stand in several zones: never with one instance type, EFA or a placement group.
pub fn can_spread(queue: &Queue) -> bool {
    queue.compute.iter().all(|resource| resource.instance.is_none())
        && !super::cluster::wants_placement_group(queue)
        && !queue.compute.iter().any(super::cluster::has_efa)
}

/// What needs a second zone, if anything does.
pub fn why_two_zones(spec: &Spec) -> Option<&'static str> {
    if matches!(spec.accounting, Some(Accounting::New { .. })) {
        return Some("accounting");
    }
    if matches!(spec.storage.home, Home::Openzfs { multi_zone: true, .. }) {
        return Some("storage.home.multi_zone");
    }
    if matches!(spec.directory, Some(Directory::New { .. })) {
        return Some("directory");
    }
    (spec.monitoring.mode == MonitoringMode::SelfHosted).then_some("monitoring.mode")
}
