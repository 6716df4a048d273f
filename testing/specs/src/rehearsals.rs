//! Random specs of rehearsals.

use proptest::prelude::*;
use proptest::sample::select;
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

/// A spec of a rehearsal, as text.
pub(crate) fn spec() -> impl Strategy<Value = String> {
    let name = "[a-zA-Z][a-zA-Z0-9-]{0,20}";
    let replays = select(vec![
        json!([]),
        json!([{ "profile": "p5", "faults": ["gpu-lost", "full-ost"] }]),
        json!([{ "profile": "trn1" }]),
    ]);
    let all = (name, queues(), slurm(), 5_u32..=3600, any::<bool>(), replays);
    all.prop_map(|(name, queues, slurm, idle, login, replays)| {
        let rehearsal = json!({ "idle_seconds": idle, "replay": replays });
        let mut spec = json!({
            "version": 1, "name": name, "provider": "local", "queues": queues, "slurm": slurm, "rehearsal": rehearsal,
        });
        if login {
            spec["login"] = json!([{ "count": 2 }]);
        }
        serde_json::to_string_pretty(&spec).unwrap_or_default()
    })
}

/// Names of queues and resources; the number keeps them apart.
fn parts<T: std::fmt::Debug>(one: impl Strategy<Value = T>, most: usize) -> impl Strategy<Value = Vec<(String, T)>> {
    proptest::collection::vec(("[a-z][a-z0-9-]{0,10}", one), 1..=most).prop_map(|list| {
        list.into_iter().enumerate().map(|(index, (name, value))| (format!("{name}-{index}"), value)).collect()
    })
}

fn queues() -> impl Strategy<Value = Value> {
    parts((parts(resource(), 3), any::<bool>()), 4).prop_map(|queues| {
        let queue = |(name, (resources, exclusive)): (String, (Vec<(String, Value)>, bool))| {
            let resource = |(name, mut resource): (String, Value)| {
                resource["name"] = name.into();
                resource
            };
            let compute: Vec<Value> = resources.into_iter().map(resource).collect();
            json!({ "name": name, "compute": compute, "exclusive": exclusive })
        };
        queues.into_iter().map(queue).collect()
    })
}

fn resource() -> impl Strategy<Value = Value> {
    let hardware = (1_u32..=4, 1_u32..=96, 1_u32..=2, 1_u32..=4096, 0_u32..=16).prop_map(
        |(sockets, cores, threads, memory, gpus)| {
            json!({ "sockets": sockets, "cores_per_socket": cores, "threads_per_core": threads, "memory_gib": memory, "gpus": gpus })
        },
    );
    let toggle = select(vec!["auto", "enabled", "disabled"]);
    (0_u32..=3, 1_u32..=12, select(INSTANCES), hardware, any::<bool>(), toggle).prop_map(
        |(min, more, instance, hardware, declares, hyperthreads)| {
            let mut resource = json!({ "min": min, "max": min + more, "hyperthreads": hyperthreads });
            if declares {
                resource["hardware"] = hardware;
            } else {
                resource["instance"] = instance.into();
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
