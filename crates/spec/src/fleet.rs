//! Walks over the compute resources of a spec, with their places. For the rules.

use crate::catalog::{self, Architecture, Instance};
use crate::model::{ComputeResource, InstanceType, Queue, Toggle};
use crate::{Path, Spec, path};

/// One compute resource and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Resource<'a> {
    pub queue: &'a Queue,
    pub own: &'a ComputeResource,
    pub q: usize,
    pub c: usize,
}

/// All of them, in file order.
pub(crate) fn resources(spec: &Spec) -> impl Iterator<Item = Resource<'_>> {
    spec.queues
        .iter()
        .enumerate()
        .flat_map(|(q, queue)| queue.compute.iter().enumerate().map(move |(c, own)| Resource { queue, own, q, c }))
}

impl<'a> Resource<'a> {
    /// The place of one of its settings.
    pub fn at(&self, key: &str) -> Path {
        path!["queues", self.q, "compute", self.c, key]
    }

    /// The place of one of its queue's settings.
    pub fn at_queue(&self, key: &str) -> Path {
        path!["queues", self.q, key]
    }

    /// Its instance types, with their places.
    pub fn types(&self) -> impl Iterator<Item = (Path, &'a InstanceType)> + use<'a> {
        let (one, several) = (self.at("instance"), self.at("instances"));
        let first = self.own.instance.iter().map(move |instance| (one.clone(), instance));
        first.chain(self.own.instances.iter().enumerate().map(move |(n, instance)| (several.at(n), instance)))
    }

    /// Those that the catalogue knows. Of the others nothing is said.
    pub fn known(&self) -> impl Iterator<Item = (Path, &'static Instance)> + use<'a> {
        self.types().filter_map(|(at, instance)| Some((at, catalog::find(instance.as_str())?)))
    }

    /// Whether its nodes get EFA: `auto` switches it on where every type has it.
    pub fn has_efa(&self) -> bool {
        match self.own.efa {
            Toggle::Enabled => true,
            Toggle::Disabled => false,
            Toggle::Auto => {
                let mut types = self.own.types().peekable();
                let has = |name: &InstanceType| catalog::find(name.as_str()).is_some_and(|i| i.efa_interfaces > 0);
                types.peek().is_some() && types.all(has)
            }
        }
    }
}

/// Whether a queue's nodes may come up in several zones.
pub(crate) fn is_spread(queue: &Queue) -> bool {
    queue.zones.len() > 1 || queue.subnets.len() > 1
}

/// An architecture's name.
pub(crate) fn word(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "arm64",
    }
}
