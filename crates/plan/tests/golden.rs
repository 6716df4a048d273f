//! `build(spec, facts) → plan`: every example against its golden copy, and any spec at all.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use trainyard_plan::{AwsFacts, Facts, Isolation, LocalFacts, Options, Plan, build};
use trainyard_spec::model::ProviderKind;
use trainyard_spec::{Spec, check};

fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(folder).expect("examples") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            examples.push((name, std::fs::read_to_string(path).expect("an example")));
        }
    }
    examples.sort();
    examples
}

fn accepted(name: &str, text: &str) -> Spec {
    let (spec, found) = check(text);
    assert!(found.is_empty(), "{name}: {found:#?}");
    spec.expect("accepted")
}

fn shared() -> LocalFacts {
    let folder = "/home/me/.local/share/trainyard/clusters/demo".to_owned();
    LocalFacts {
        user: "me".into(),
        uid: 1000,
        gid: 1000,
        isolation: Isolation::Shared,
        folder,
        ..LocalFacts::assumed()
    }
}

/// The whole plan as one text: steps, notes, then every file.
fn text(plan: &Plan) -> String {
    let mut text = format!("cluster {}, about {} s\n", plan.cluster, plan.expected_seconds());
    for step in &plan.steps {
        let _ = writeln!(
            text,
            "step {}: {} within {} s; undo {:?}",
            step.name, step.title, step.deadline_seconds, step.undo
        );
    }
    for note in &plan.notes {
        let _ = writeln!(text, "note {}: {}", note.about, note.text);
    }
    for artifact in &plan.artifacts {
        let _ = write!(text, "\n=== {} ({:o})\n{}", artifact.path, artifact.mode, artifact.text);
    }
    text
}

/// Those whose rehearsals differ; the others would only repeat them.
const REHEARSED: [&str; 6] = ["cpu", "p4d-ondemand", "p5-odcr", "p5en-capacity-block", "rehearsal", "trn1"];

#[test]
fn every_example_has_its_golden_plan() {
    let examples = examples();
    let known = |name: &str| examples.iter().find(|(known, _)| known == name).expect("an example").1.clone();
    for name in REHEARSED {
        let spec = accepted(name, &known(name));
        let options = Options { nodes_per_queue_max: Some(4) };
        let plan = build(&spec, &Facts::Local(LocalFacts::assumed()), options).expect("a plan");
        insta::assert_snapshot!(format!("{name}-namespaces"), text(&plan));
    }
}

#[test]
fn an_ordinary_user_has_another_layout_and_ports() {
    let (_, example) = examples().into_iter().find(|(name, _)| name == "rehearsal").expect("the example");
    let plan = build(&accepted("rehearsal", &example), &Facts::Local(shared()), Options::default()).expect("a plan");
    insta::assert_snapshot!("rehearsal-shared", text(&plan));
}

#[test]
fn every_example_for_aws_has_its_golden_plan() {
    let specs = aws_examples();
    assert!(specs.len() >= 16, "{}", specs.len());
    for (name, spec) in specs {
        let plan = build(&spec, &Facts::Aws(AwsFacts::assumed(&spec)), Options::default()).expect("a plan");
        insta::assert_snapshot!(format!("{name}-aws"), text(&plan));
    }
}

fn aws_examples() -> Vec<(String, Spec)> {
    let examples = examples().into_iter().map(|(name, text)| (accepted(&name, &text), name));
    examples.filter(|(spec, _)| spec.provider == ProviderKind::Aws).map(|(spec, name)| (name, spec)).collect()
}

/// D-A01, D-A07: nothing is ever rendered as null or empty. D-A20: no job writes where no folder is.
#[test]
fn no_artifact_has_a_hole() {
    for (name, example) in examples() {
        let plan = build(&accepted(&name, &example), &Facts::Local(LocalFacts::assumed()), Options::default());
        for artifact in plan.expect("a plan").artifacts {
            for (number, line) in artifact.text.lines().enumerate() {
                let hole =
                    line.ends_with('=') || line.contains("=null") || line.contains("= ") && artifact.kind == "slurm";
                assert!(!hole, "{name}: {}:{}: {line}", artifact.path, number + 1);
            }
        }
    }
}

#[test]
fn a_cap_keeps_static_nodes_first_and_says_what_it_left_out() {
    let text = "{version: 1, name: x, provider: local, queues: [{name: q, compute: [{name: a, min: 2, max: 9}, {name: b, max: 5}]}]}";
    let plan =
        build(&accepted("x", text), &Facts::Local(LocalFacts::assumed()), Options { nodes_per_queue_max: Some(3) });
    let plan = plan.expect("a plan");
    let names: Vec<&str> = plan.rehearsed().expect("a rehearsal").nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["head", "q-st-a-1", "q-st-a-2", "q-dy-a-1"]);
    assert!(plan.notes.iter().any(|note| note.text == "3 of 14 nodes, by --max-nodes 3"), "{:?}", plan.notes);
}

/// What a rehearsal does not follow is listed, never silently dropped.
#[test]
fn settings_without_meaning_here_are_noted() {
    let text = "{version: 1, name: x, provider: aws, region: us-east-1, setup: {compute: minimal}, nccl: {source: shared}, \
        head: {dcv: true, root_volume_gib: 100}, network: {http_proxy: \"http://p.example.com:3128\"}, slurm: {queue_update: terminate}, \
        timeouts: {head_seconds: 900, compute_seconds: 600}, storage: {scratch: {path: /local/scratch}}, \
        queues: [{name: q, image: ami-0123456789abcdef0, compute: [{name: a, instance: p5.48xlarge, max: 2, gpu_health_check: enabled}]}]}";
    let (spec, found) = check(text);
    let plan =
        build(&spec.unwrap_or_else(|| panic!("{found:#?}")), &Facts::Local(LocalFacts::assumed()), Options::default());
    let notes = plan.expect("a plan").notes;
    for about in [
        "setup.compute",
        "nccl.source",
        "head.dcv",
        "head.root_volume_gib",
        "network.http_proxy",
        "slurm.queue_update",
        "timeouts.head_seconds",
        "storage.scratch",
        "queues.q.image",
        "queues.q.gpu_health_check",
    ] {
        assert!(notes.iter().any(|note| note.about == about), "{about} is not noted: {notes:#?}");
    }
}

/// What is replayed is played into the node's own folder, and said.
#[test]
fn chosen_nodes_show_a_replay_where_the_agent_is_there() {
    let text = "{version: 1, name: x, provider: local, queues: [{name: q, compute: [{name: a, min: 1, max: 3}]}], \
        rehearsal: {replay: [{nodes: \"q-st-a-1,q-dy-a-2\", profile: p5, faults: [full-ost, efa-idle]}]}}";
    let spec = accepted("x", text);
    let of = |facts: LocalFacts, options| build(&spec, &Facts::Local(facts), options).expect("a plan");
    let notes = |plan: &Plan| -> Vec<String> {
        plan.notes.iter().filter(|note| note.about == "rehearsal.replay").map(|note| note.text.clone()).collect()
    };
    let without = of(LocalFacts { programs: std::collections::BTreeMap::default(), ..shared() }, Options::default());
    assert!(without.rehearsed().expect("a rehearsal").nodes.iter().all(|node| node.agent.is_none()));
    assert_eq!(notes(&without), ["trainyard-agent plays replays, and it was not found: nodes show none"]);
    let mut facts = shared();
    facts.programs.insert("trainyard-agent".into(), "/opt/trainyard/trainyard-agent".into());
    let plan = of(facts.clone(), Options::default());
    let shown = "q-st-a-1,q-dy-a-2: p5 with full-ost, efa-idle, shown in metrics alone, with the label replay=\"p5\"";
    assert_eq!(notes(&plan), [shown]);
    let folder = format!("{}/nodes/q-dy-a-2/replay", facts.folder);
    for node in &plan.rehearsed().expect("a rehearsal").nodes {
        let agent = node.agent.as_ref().expect("an agent");
        let is_chosen = ["q-st-a-1", "q-dy-a-2"].contains(&node.name.as_str());
        assert_eq!(agent.arguments.contains(&"--replay".to_owned()), is_chosen, "{}", node.name);
        assert_eq!(agent.replay.is_some(), is_chosen, "{}", node.name);
        if node.name == "q-dy-a-2" {
            assert!(agent.arguments.ends_with(&["--replay".to_owned(), folder.clone()]), "{:?}", agent.arguments);
            let replay = agent.replay.as_ref().expect("a replay");
            assert_eq!(replay.complete, format!("{folder}/replay.json"));
            let expected = "replay play --profile p5 --node q-dy-a-2 --for 31536000 --fault full-ost --fault efa-idle";
            assert_eq!(replay.arguments.join(" "), format!("{expected} {folder}"));
            assert_eq!(replay.arguments_to_go_on.join(" "), format!("replay play --for 31536000 {folder}"));
        }
    }
    let capped = of(facts, Options { nodes_per_queue_max: Some(2) });
    assert_eq!(notes(&capped)[1], "1 of 2 named nodes are not there, by --max-nodes");
}

#[test]
fn every_compute_node_shows_a_replay_that_names_none() {
    let text = "{version: 1, name: x, provider: local, queues: [{name: q, compute: [{name: a, min: 1, max: 2}]}], \
        rehearsal: {replay: [{profile: trn1}]}}";
    let mut facts = LocalFacts::assumed();
    facts.programs.insert("trainyard-agent".into(), "/opt/trainyard/trainyard-agent".into());
    let plan = build(&accepted("x", text), &Facts::Local(facts), Options::default()).expect("a plan");
    let nodes = &plan.rehearsed().expect("a rehearsal").nodes;
    let shows = |name: &str| {
        let node = nodes.iter().find(|node| node.name == name).expect("a node");
        node.agent.as_ref().expect("an agent").replay.as_ref().map(|replay| replay.folder.clone())
    };
    let folder = |name: &str| Some(format!("/trainyard/nodes/{name}/replay"));
    assert_eq!(["head", "q-st-a-1", "q-dy-a-1"].map(shows), [None, folder("q-st-a-1"), folder("q-dy-a-1")]);
}

#[test]
fn a_rehearsal_too_large_for_a_machine_is_refused_with_a_way_out() {
    let text = "{version: 1, name: x, provider: local, queues: [{name: q, compute: [{name: a, min: 300, max: 300}]}]}";
    let found =
        build(&accepted("x", text), &Facts::Local(LocalFacts::assumed()), Options::default()).expect_err("too large");
    assert!(found[0].fix.as_ref().expect("a fix").say.contains("--max-nodes"));
}

proptest! {

    #[test]
    fn any_accepted_spec_has_one_plan(text in prop_oneof![testing_specs::spec("local"), testing_specs::spec("aws")], cap in proptest::option::of(1_u32..5)) {
        let (spec, found) = check(&text);
        let errors: Vec<_> = found.iter().filter(|d| d.severity == trainyard_spec::Severity::Error).collect();
        prop_assert!(errors.is_empty(), "{errors:?}\n{text}");
        let spec = spec.expect("accepted");
        for facts in [LocalFacts::assumed(), shared()] {
            let facts = Facts::Local(facts);
            let options = Options { nodes_per_queue_max: cap };
            let plan = build(&spec, &facts, options).expect("a plan");
            prop_assert_eq!(&plan, &build(&spec, &facts, options).expect("the same plan"));
            let names: std::collections::HashSet<_> = plan.rehearsed().expect("a rehearsal").nodes.iter().map(|n| &n.name).collect();
            prop_assert_eq!(names.len(), plan.rehearsed().expect("a rehearsal").nodes.len(), "two nodes of one name");
            let steps: std::collections::HashSet<_> = plan.steps.iter().map(|s| &s.name).collect();
            prop_assert_eq!(steps.len(), plan.steps.len(), "two steps of one name");
        }
    }
}
