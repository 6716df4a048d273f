//! Quotas of the account: how many vCPUs of a family may run, and how many addresses and networks there may be.

use std::collections::BTreeMap;

use trainyard_spec::model::{Capacity, ComputeResource};
use trainyard_spec::{Diagnostic, Path, Spec, catalog, path};

use crate::aws::AwsFacts;

/// Families of instance types with a quota of their own: letters that their names begin with, the quota's name, its
/// code for On-Demand, and its code for Spot (Service Quotas, service `ec2`).
static FAMILIES: &[(&[&str], &str, &str, Option<&str>)] = &[
    (&["p"], "P instances", "L-417A185B", Some("L-7212CCBC")),
    (&["g", "gr", "vt"], "G and VT instances", "L-DB2E81BA", Some("L-3819A6DF")),
    (&["trn"], "Trn instances", "L-2C3B7624", Some("L-6B0D517C")),
    (&["inf"], "Inf instances", "L-1945791B", Some("L-B5D1601B")),
    (&["dl"], "DL instances", "L-6E869C2A", Some("L-85EED4F7")),
    (&["f"], "F instances", "L-74FC7D96", Some("L-88CF9481")),
    (&["hpc"], "HPC instances", "L-F7808C92", None),
    (&["x"], "X instances", "L-7295265B", Some("L-E3A00192")),
    (&["u"], "High Memory instances", "L-43DA4232", None),
];
/// Every other family.
const STANDARD: (&str, &str, &str) = ("Standard (A, C, D, H, I, M, R, T, Z) instances", "L-1216C47A", "L-34B43A08");
/// A new network takes one address for its NAT gateway.
const ADDRESSES: &str = "L-0263D0A3";

/// Something that a quota limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// What is counted.
    pub what: String,
    /// How much of it the spec can use at once.
    pub amount: u64,
    /// What asks for most of it.
    pub at: Path,
}

/// What the spec needs of each quota, by code. Capacity Blocks are not counted.
pub fn needs(spec: &Spec) -> BTreeMap<&'static str, Need> {
    let mut needs: BTreeMap<&'static str, Need> = BTreeMap::new();
    let mut add = |instance: &str, count: u32, is_spot: bool, at: Path| {
        let Some((code, family)) = quota(instance, is_spot) else { return };
        let vcpus = catalog::find(instance).map_or(0, |known| u64::from(known.vcpus));
        let market = if is_spot { "Spot" } else { "On-Demand" };
        let what = format!("vCPUs of {market} {family}");
        let need = needs.entry(code).or_insert_with(|| Need { what, amount: 0, at });
        need.amount += vcpus * u64::from(count);
    };
    for (number, queue) in spec.queues.iter().enumerate() {
        if matches!(queue.capacity, Capacity::CapacityBlock { .. }) {
            continue;
        }
        let is_spot = matches!(queue.capacity, Capacity::Spot { .. });
        for (index, resource) in queue.compute.iter().enumerate() {
            let at = path!["queues", number, "compute", index, "max"];
            if let Some(name) = largest(resource) {
                add(&name, resource.max, is_spot, at);
            }
        }
    }
    add(spec.head.instance.as_str(), 1, false, path!["head", "instance"]);
    for (number, pool) in spec.login.iter().enumerate() {
        add(pool.instance.as_str(), pool.count, false, path!["login", number, "count"]);
    }
    let addresses = u64::from(spec.network.existing.is_none() && spec.network.nat) + u64::from(spec.head.elastic_ip);
    if addresses > 0 {
        let what = "Elastic IP addresses".to_owned();
        needs.insert(ADDRESSES, Need { what, amount: addresses, at: path!["network"] });
    }
    needs
}

/// Of several types, that with most vCPUs: any of them may be started.
fn largest(resource: &ComputeResource) -> Option<String> {
    let vcpus = |name: &str| catalog::find(name).map_or(0, |known| known.vcpus);
    resource.types().map(ToString::to_string).max_by_key(|name| vcpus(name))
}

fn quota(instance: &str, is_spot: bool) -> Option<(&'static str, &'static str)> {
    let letters: String = instance.chars().take_while(char::is_ascii_alphabetic).collect();
    match FAMILIES.iter().find(|(names, ..)| names.contains(&letters.as_str())) {
        Some((_, family, on_demand, spot)) => Some((if is_spot { (*spot)? } else { on_demand }, family)),
        None => Some((if is_spot { STANDARD.2 } else { STANDARD.1 }, STANDARD.0)),
    }
}

pub(super) fn check(spec: &Spec, facts: &AwsFacts) -> Vec<Diagnostic> {
    let short = |(code, need): (&'static str, Need)| {
        let has = *facts.quotas.get(code)?;
        let what = format!("the spec can use {} {}, and the account's quota is {has}", need.amount, need.what);
        (need.amount > has).then(|| {
            Diagnostic::error("quota", need.at, what)
                .why("nodes beyond a quota do not start, whatever capacity there is")
                .fix(format!("ask for more in Service Quotas ({code}), or lower `max`"))
        })
    };
    needs(spec).into_iter().filter_map(short).collect()
}
