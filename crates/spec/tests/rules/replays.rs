//! Replays of a rehearsal: on nodes that are there, one on each, with faults that fit.

use trainyard_spec::check;

use crate::{accepts, aws, refuses};

/// The rehearsal's section with these entries; two of the four nodes are static.
fn with(entries: &str) -> String {
    format!(
        "queues: [{{ name: cpu, compute: [{{ name: node, instance: c6i.large, min: 2, max: 4 }}] }}]\n\
         rehearsal: {{ replay: [{entries}] }}"
    )
}

#[test]
fn replays_are_on_nodes_that_are_there() {
    accepts(&[
        &with("{ profile: p5 }"),
        &with("{ profile: trn1, faults: [full-ost, efa-idle] }"),
        &with(
            "{ nodes: \"cpu-st-node-[1-2]\", profile: p6-b200, faults: [gpu-lost] }, { nodes: \"cpu-dy-node-2,cpu-dy-node-1\", profile: p4d }",
        ),
    ]);
    let at = "replay-nodes rehearsal.replay[0].nodes";
    for nodes in [
        "head",
        "cpu",
        "cpu-st-node-0",
        "cpu-st-node-01",
        "cpu-st-node-3",
        "cpu-dy-node-[1-3]",
        "gpu-st-node-1",
        "cpu-st-node-[1",
        "cpu-st-node-99999999999",
        "cpu-st-node-[0-999999]",
        "cpu-st-node-[1-2],cpu-st-node-2",
    ] {
        refuses(&[(&with(&format!("{{ nodes: \"{nodes}\", profile: p5 }}")), &[at])]);
    }
    let found = check(&aws(&with("{ nodes: cpu-st-node-3, profile: p5 }"))).1;
    assert_eq!(found[0].what, "there is no compute node `cpu-st-node-3`");
    assert_eq!(
        found[0].fix.as_ref().expect("a fix").say,
        "name nodes that are there, such as `cpu-st-node-[1-2]` or `cpu-dy-node-[1-2]`"
    );
}

#[test]
fn a_node_shows_one_machine() {
    let at = "replay-nodes rehearsal.replay[1].nodes";
    let one = "{ nodes: cpu-st-node-1, profile: p5 }";
    refuses(&[
        (&with(&format!("{one}, {{ nodes: \"cpu-st-node-[1-2]\", profile: p4d }}")), &[at]),
        (&with(&format!("{one}, {{ profile: p4d }}")), &[at]),
        (&with(&format!("{{ profile: p4d }}, {one}")), &[at]),
        (&with("{ profile: p4d }, { profile: p5 }"), &[at]),
    ]);
    let said = |entries: &str| check(&aws(&with(entries))).1[0].what.clone();
    assert_eq!(
        said(&format!("{one}, {{ nodes: \"cpu-st-node-[1-2]\", profile: p4d }}")),
        "`cpu-st-node-1` is named by `rehearsal.replay[0]` too"
    );
    assert_eq!(
        said(&format!("{{ profile: p4d }}, {one}")),
        "`rehearsal.replay[0]` has no `nodes`, so it is about every node"
    );
    // Nodes that cannot be read are no missing ones.
    refuses(&[(&with(&format!("{{ nodes: [], profile: p4d }}, {one}")), &["wrong-type rehearsal.replay[0].nodes"])]);
}

#[test]
fn a_machine_without_gpus_has_no_faults_of_them() {
    refuses(&[
        (
            &with("{ profile: trn1, faults: [full-ost, gpu-lost, mig] }"),
            &["replay-fault rehearsal.replay[0].faults[1]", "replay-fault rehearsal.replay[0].faults[2]"],
        ),
        (&with("{ profile: p5, faults: [mig, gpu-lost, mig] }"), &["replay-fault rehearsal.replay[0].faults[2]"]),
        (&with("{ profile: p5, faults: [rust] }"), &["not-one-of rehearsal.replay[0].faults[0]"]),
        (&with("{ profile: p9 }"), &["not-one-of rehearsal.replay[0].profile"]),
        // Of a machine that nobody has named, nothing is known.
        (&with("{ faults: [mig] }"), &["missing-key rehearsal.replay[0].profile"]),
        (
            &with("{ faults: [mig, mig] }"),
            &["missing-key rehearsal.replay[0].profile", "replay-fault rehearsal.replay[0].faults[1]"],
        ),
    ]);
    let meant = check(&aws(&with("{ profile: trn2, faults: [mig] }"))).1;
    assert_eq!(meant.iter().map(|found| found.code).collect::<Vec<_>>(), ["not-one-of"]);
}
