//! Random specs that trainyard accepts. The text is JSON, which is YAML.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

/// Instance types of every kind: GPUs, Trainium, CPUs, and one that no catalogue has.
static INSTANCES: &[&str] = &[
    "p4d.24xlarge",
    "p5.48xlarge",
    "p5en.48xlarge",
    "p6-b300.48xlarge",
    "trn1.32xlarge",
    "g5.12xlarge",
    "c5.large",
    "hpc7a.96xlarge",
];

/// A spec for `provider`, as text.
pub fn spec(provider: &'static str) -> impl Strategy<Value = String> {
    let parts = (name(), queues(provider), slurm(), rehearsal(), aws_extras(provider), any::<bool>());
    parts.prop_map(move |(name, queues, slurm, rehearsal, extras, login)| {
        let mut spec = json!({ "version": 1, "name": name, "provider": provider, "queues": queues, "slurm": slurm, "rehearsal": rehearsal });
        if provider == "aws" {
            spec["region"] = "us-east-2".into();
        }
        if let (Some(spec), Value::Object(extras)) = (spec.as_object_mut(), extras) {
            spec.extend(extras);
        }
        if login {
            spec["login"] = json!({ "count": 2 });
        }
        serde_json::to_string_pretty(&spec).unwrap_or_default()
    })
}

/// The same `count` specs at every run.
pub fn fixed(provider: &'static str, count: usize, seed: u8) -> Vec<String> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = spec(provider);
    (0..count).filter_map(|_| strategy.new_tree(&mut runner).ok().map(|tree| tree.current())).collect()
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9-]{0,20}"
}

/// Names of queues and resources; the number keeps them apart.
fn parts<T: std::fmt::Debug>(one: impl Strategy<Value = T>, most: usize) -> impl Strategy<Value = Vec<(String, T)>> {
    proptest::collection::vec(("[a-z][a-z0-9-]{0,10}", one), 1..=most).prop_map(|list| {
        list.into_iter().enumerate().map(|(index, (name, value))| (format!("{name}-{index}"), value)).collect()
    })
}

/// Resources by name, whether jobs get whole nodes, and how capacity is bought.
type Parts = (Vec<(String, Value)>, bool, Value);

fn queues(provider: &'static str) -> impl Strategy<Value = Value> {
    let queue = (parts(resource(provider), 3), any::<bool>(), capacity(provider));
    parts(queue, 4).prop_map(move |queues| {
        let queue = |(number, (name, (resources, exclusive, mut capacity))): (usize, (String, Parts))| {
            // One reservation is described in one way, so each queue has its own.
            if capacity.get("reservation").is_some() {
                capacity["reservation"] = format!("cr-0123456789abcdef{number}").into();
            }
            let kind = capacity["kind"].as_str().unwrap_or_default().to_owned();
            let resource = |(name, mut resource): (String, Value)| {
                resource["name"] = name.into();
                if kind == "capacity_block" {
                    resource["min"] = resource["max"].clone();
                }
                // A reservation holds machines of one type, and not every type is sold in every way.
                if provider == "aws" && kind != "on_demand" {
                    resource["instance"] = "p5en.48xlarge".into();
                }
                resource
            };
            let compute: Vec<Value> = resources.into_iter().map(resource).collect();
            json!({ "name": name, "compute": compute, "exclusive": exclusive, "capacity": capacity })
        };
        queues.into_iter().enumerate().map(queue).collect()
    })
}

fn capacity(provider: &'static str) -> impl Strategy<Value = Value> {
    let reservation = "cr-0123456789abcdef0";
    let kinds = [
        json!({ "kind": "on_demand" }),
        json!({ "kind": "on_demand", "placement_group": false }),
        json!({ "kind": "spot", "max_price_cents": 250 }),
        json!({ "kind": "targeted_reservation", "reservation": reservation }),
        json!({ "kind": "own_reservation", "reservation": reservation, "placement_group": "pg" }),
        json!({ "kind": "capacity_block", "reservation": reservation }),
    ];
    let known = if provider == "aws" { kinds.len() } else { 1 };
    select(kinds[..known].to_vec())
}

fn resource(provider: &'static str) -> impl Strategy<Value = Value> {
    let hardware = (1_u32..=4, 1_u32..=96, 1_u32..=2, 1_u32..=4096, 0_u32..=16).prop_map(
        |(sockets, cores, threads, memory, gpus)| {
            json!({ "sockets": sockets, "cores_per_socket": cores, "threads_per_core": threads, "memory_gib": memory, "gpus": gpus })
        },
    );
    let toggle = select(vec!["auto", "enabled", "disabled"]);
    (0_u32..=3, 1_u32..=12, select(INSTANCES), hardware, any::<bool>(), toggle).prop_map(
        move |(min, more, instance, hardware, declares, hyperthreads)| {
            let mut resource = json!({ "min": min, "max": min + more, "hyperthreads": hyperthreads });
            if provider == "aws" || !declares {
                resource["instance"] = instance.into();
            } else {
                resource["hardware"] = hardware;
            }
            resource
        },
    )
}

fn slurm() -> impl Strategy<Value = Value> {
    let settings = select(vec![
        json!({}),
        json!({ "MaxArraySize": "5000" }),
        json!({ "EnforcePartLimits": "ALL", "DebugFlags": "Power" }),
    ]);
    (any::<bool>(), 5_u32..=600, 10_u32..=600, settings).prop_map(|(memory, kill, silence, settings)| {
        json!({ "memory_scheduling": memory, "kill_wait_seconds": kill, "slurmd_timeout_seconds": silence, "settings": settings })
    })
}

fn rehearsal() -> impl Strategy<Value = Value> {
    (5_u32..=3600).prop_map(|idle| json!({ "idle_seconds": idle }))
}

fn aws_extras(provider: &'static str) -> impl Strategy<Value = Value> {
    let all = [
        json!({}),
        json!({ "storage": { "shared": { "kind": "none" }, "home": { "kind": "openzfs", "multi_zone": true } } }),
        json!({ "storage": { "data_bucket": { "name": "some-bucket" } }, "monitoring": { "mode": "amp" } }),
        json!({ "timeouts": { "head_seconds": 1800, "compute_seconds": 900 }, "budget": { "usd_per_month": 9, "notify": ["a@example.com"] } }),
        json!({ "tags": { "team": "größe", "cost center": "1" }, "access": { "cidrs": ["203.0.113.0/24"], "key": "me" } }),
        json!({ "accounting": { "kind": "new" }, "containers": { "enabled": false } }),
    ];
    let known = if provider == "aws" { all.len() } else { 1 };
    select(all[..known].to_vec())
}
