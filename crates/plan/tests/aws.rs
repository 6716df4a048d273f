//! Plans for AWS: what must hold of each, whatever the spec.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use trainyard_plan::aws::{AwsAction, Configured, Wire, explained};
use trainyard_plan::{Action, AwsFacts, Facts, Options, Plan, Undo, build};
use trainyard_spec::{Severity, Spec, check};

fn spec(text: &str) -> Spec {
    let (spec, found) = check(text);
    spec.unwrap_or_else(|| panic!("{found:#?}\n{text}"))
}

fn plan(spec: &Spec) -> Plan {
    plan_with(spec, AwsFacts::assumed(spec))
}

fn plan_with(spec: &Spec, facts: AwsFacts) -> Plan {
    build(spec, &Facts::Aws(facts), Options::default()).expect("a plan")
}

/// A spec with one queue, and what the test adds to it.
fn one_queue(queue: &str, more: &str) -> Spec {
    spec(&format!("{{version: 1, name: x, provider: aws, region: us-east-1, queues: [{queue}]{more}}}"))
}

/// The artifact as data.
fn data(plan: &Plan, path: &str) -> Value {
    let text = &plan.artifact(path).unwrap_or_else(|| panic!("no {path}")).text;
    testing_specs::yaml(text)
}

fn examples() -> Vec<(String, Spec)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(folder).expect("examples") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(&path).expect("an example");
            examples.push((path.file_stem().expect("a name").to_string_lossy().into_owned(), spec(&text)));
        }
    }
    examples.retain(|(_, spec)| spec.provider == trainyard_spec::model::ProviderKind::Aws);
    examples.sort_by(|a, b| a.0.cmp(&b.0));
    examples
}

/// Random specs that are accepted, with the same seed at every run.
fn random() -> Vec<(String, Spec)> {
    static RANDOM: std::sync::OnceLock<Vec<(String, Spec)>> = std::sync::OnceLock::new();
    RANDOM.get_or_init(draw).clone()
}

fn draw() -> Vec<(String, Spec)> {
    let accepted = |(number, text): (usize, String)| {
        let (spec, found) = check(&text);
        let errors: Vec<_> = found.iter().filter(|d| d.severity == Severity::Error).collect();
        (format!("random {number}"), spec.unwrap_or_else(|| panic!("{errors:#?}\n{text}")))
    };
    testing_specs::fixed("aws", testing_specs::size(60), 3).into_iter().enumerate().map(accepted).collect()
}

fn queue(configuration: &Value, number: usize) -> &Value {
    &configuration["Scheduling"]["SlurmQueues"][number]
}

/// D-A01, D-A02, D-A07, D-A12: nothing is rendered that was not asked for, least of all a null or an empty list.
#[test]
fn no_artifact_has_a_hole() {
    fn holes(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Null => found.push(path.to_owned()),
            Value::String(text) if text.is_empty() || text.contains("null") => found.push(path.to_owned()),
            Value::Array(list) if list.is_empty() => found.push(path.to_owned()),
            Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| holes(v, &format!("{path}[{i}]"), found)),
            Value::Object(map) if map.is_empty() => found.push(path.to_owned()),
            Value::Object(map) => map.iter().for_each(|(key, v)| holes(v, &format!("{path}.{key}"), found)),
            _ => {}
        }
    }
    for (name, spec) in examples().into_iter().chain(random()) {
        let plan = plan(&spec);
        for artifact in plan.artifacts.iter().filter(|artifact| artifact.kind != "files") {
            let mut found = Vec::new();
            holes(&testing_specs::yaml(&artifact.text), "", &mut found);
            assert!(found.is_empty(), "{name}: {}: {found:?}", artifact.path);
        }
    }
}

/// Every `${stack.Output}` is given out by a stack that is made before.
#[test]
fn what_is_read_was_given_out_before() {
    for (name, spec) in examples().into_iter().chain(random()) {
        let plan = plan(&spec);
        let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for step in &plan.steps {
            match &step.action {
                Action::Aws(AwsAction::DeployStack(call)) => {
                    for wire in call.parameters.values() {
                        if let Wire::Output { stack, output } = wire {
                            let known = given.get(stack).is_some_and(|outputs| outputs.contains(output));
                            assert!(known, "{name}: {} reads {stack}.{output}", call.stack);
                        }
                    }
                    let template = data(&plan, &call.template);
                    let parameters: Option<BTreeSet<String>> =
                        template["Parameters"].as_object().map(|map| map.keys().cloned().collect());
                    let wired: BTreeSet<String> = call.parameters.keys().cloned().collect();
                    assert_eq!(parameters.unwrap_or_default(), wired, "{name}: {}", call.stack);
                    let outputs = template["Outputs"].as_object().map(|map| map.keys().cloned().collect());
                    given.insert(call.stack.clone(), outputs.unwrap_or_default());
                }
                Action::Aws(AwsAction::DeployCluster(call)) => {
                    let Configured { configuration, template, .. } = &call.start;
                    let both = std::iter::once(configuration).chain(template);
                    let texts = both.map(|path| plan.artifact(path).expect("it").text.as_str());
                    for part in texts.flat_map(|text| text.split("${").skip(1)) {
                        let wire = part.split('}').next().expect("an end");
                        let (stack, output) = wire.split_once('.').expect("stack.Output");
                        let known = given.get(stack).is_some_and(|outputs| outputs.contains(output));
                        assert!(known, "{name}: {configuration} reads {wire}");
                    }
                }
                _ => {}
            }
        }
    }
}

/// `plan --explain` has a reason for every line, and no reason for a line that is never written.
#[test]
fn every_line_is_explained() {
    let mut used = BTreeSet::new();
    // Rare settings want more specs than the other tests look at.
    let more = testing_specs::fixed("aws", 300, 11).into_iter().map(|text| ("one more".to_owned(), spec(&text)));
    for (name, spec) in examples().into_iter().chain(more) {
        for line in explained(&spec, &AwsFacts::assumed(&spec)) {
            assert_eq!(line.path.is_empty(), line.because.is_empty(), "{name}: `{}` ({})", line.line, line.path);
            // Any setting of Slurm's may stand there.
            let path =
                line.path.split_once("CustomSlurmSettings").map(|(before, _)| format!("{before}CustomSlurmSettings"));
            used.insert(path.unwrap_or(line.path));
        }
    }
    let idle: Vec<&str> = trainyard_plan::aws::settings().filter(|path| !used.contains(*path)).collect();
    assert!(idle.is_empty(), "reasons for lines that are never written: {idle:#?}");
}

/// Every setting that is written is one that this release of ParallelCluster has.
#[test]
fn every_setting_is_in_the_release_s_schema() {
    for (version, known) in testing_specs::parallelcluster_schemas() {
        for (name, mut spec) in examples().into_iter().chain(random()) {
            spec.parallelcluster.version =
                trainyard_spec::model::ParallelClusterVersion::new(version).expect("a version");
            for line in explained(&spec, &AwsFacts::assumed(&spec)).iter().filter(|line| !line.path.is_empty()) {
                let path = format!("/{}", line.path.replace('.', "/"));
                // A list of actions is one field in the schema, and a list of scalars is its field.
                let path = path.replace("/Sequence[]", "");
                let path = path.trim_end_matches("[]").split("CustomSlurmSettings").next().unwrap_or_default();
                let path = if line.path.contains("CustomSlurmSettings") {
                    format!("{path}CustomSlurmSettings")
                } else {
                    path.to_owned()
                };
                assert!(known.contains(path.as_str()), "{name}: {version} has no {path}");
            }
        }
    }
}

/// Sheet 2.10, D-A09, D-B02, D-B23: the five ways to buy capacity.
#[test]
fn capacity_is_bought_as_the_spec_says() {
    let cases = [
        ("{kind: on_demand}", "ONDEMAND", None, Some(true)),
        ("{kind: on_demand, placement_group: false}", "ONDEMAND", None, Some(false)),
        (
            "{kind: targeted_reservation, reservation: cr-0123456789abcdef0}",
            "ONDEMAND",
            Some("cr-0123456789abcdef0"),
            Some(false),
        ),
        (
            "{kind: own_reservation, reservation: cr-0123456789abcdef0, placement_group: pg}",
            "ONDEMAND",
            Some("cr-0123456789abcdef0"),
            Some(true),
        ),
        (
            "{kind: capacity_block, reservation: cr-0123456789abcdef0}",
            "CAPACITY_BLOCK",
            Some("cr-0123456789abcdef0"),
            None,
        ),
        ("{kind: spot}", "SPOT", None, Some(false)),
    ];
    for (capacity, kind, reservation, group) in cases {
        let queue_text =
            format!("{{name: q, capacity: {capacity}, compute: [{{name: a, instance: p5.48xlarge, min: 2, max: 2}}]}}");
        let configuration = data(&plan(&one_queue(&queue_text, "")), "pcluster.yaml");
        let queue = queue(&configuration, 0);
        assert_eq!(queue["CapacityType"], kind, "{capacity}");
        assert_eq!(queue["CapacityReservationTarget"]["CapacityReservationId"].as_str(), reservation, "{capacity}");
        assert_eq!(queue["Networking"]["PlacementGroup"]["Enabled"].as_bool(), group, "{capacity}");
        assert!(queue.get("AllocationStrategy").is_none(), "{capacity}");
        assert_eq!(queue["ComputeResources"][0]["Efa"]["Enabled"], true, "{capacity}");
    }
}

/// D-A45, D-A46, D-B05: nobody comes in from the world unless the spec says so in words.
#[test]
fn no_port_is_open_to_the_world() {
    for (name, spec) in examples().into_iter().chain(random()) {
        let plan = plan(&spec);
        let asked = spec.access.cidrs.iter().any(|cidr| cidr.as_str() == "0.0.0.0/0");
        for artifact in plan.artifacts.iter().filter(|artifact| artifact.kind == "infra") {
            let template = testing_specs::yaml(&artifact.text);
            for (resource, body) in template["Resources"].as_object().expect("resources") {
                let properties = &body["Properties"];
                let rules = properties["SecurityGroupIngress"].as_array().cloned().unwrap_or_default();
                let world = rules
                    .iter()
                    .chain([properties].into_iter().filter(|_| body["Type"] == "AWS::EC2::SecurityGroupIngress"));
                let world = world.filter(|rule| rule["CidrIp"] == "0.0.0.0/0").count();
                assert!(world == 0 || asked, "{name}: {resource}");
            }
        }
        let configuration = data(&plan, "pcluster.yaml");
        assert_eq!(configuration["HeadNode"]["Ssh"]["AllowedIps"], "127.0.0.1/32", "{name}");
        assert_eq!(configuration["HeadNode"]["Imds"]["Secured"], true, "{name}");
    }
}

/// D-A52, D-B06, D-B08: what holds people's data outlives its stack, also when it is replaced.
#[test]
fn data_outlives_its_stack() {
    let precious = ["AWS::FSx::FileSystem", "AWS::S3::Bucket", "AWS::EC2::Volume", "AWS::RDS::DBCluster"];
    for (name, spec) in examples().into_iter().chain(random()) {
        let plan = plan(&spec);
        for step in &plan.steps {
            let Action::Aws(AwsAction::DeployStack(call)) = &step.action else { continue };
            let template = data(&plan, &call.template);
            for (resource, body) in template["Resources"].as_object().expect("resources") {
                if precious.contains(&body["Type"].as_str().expect("a type")) {
                    // What was never made whole may go: the next attempt makes it anew.
                    assert_eq!(body["DeletionPolicy"], "RetainExceptOnCreate", "{name}: {resource}");
                    assert_eq!(body["UpdateReplacePolicy"], "Retain", "{name}: {resource}");
                    assert!(matches!(step.undo, Undo::Kept { .. }), "{name}: `down` would delete {resource}");
                }
            }
        }
    }
}

/// D-A55, D-B05, D-B06: no policy opens every bucket, and no node gets one of AWS's wide ones.
#[test]
fn no_policy_opens_every_bucket() {
    for (name, spec) in examples().into_iter().chain(random()) {
        let plan = plan(&spec);
        for artifact in plan.artifacts.iter().filter(|artifact| artifact.path == "stacks/identity.yaml") {
            for body in testing_specs::yaml(&artifact.text)["Resources"].as_object().expect("resources").values() {
                for statement in body["Properties"]["PolicyDocument"]["Statement"].as_array().expect("statements") {
                    let wide = statement["Resource"].as_array().expect("resources").iter().any(|r| r == "*");
                    let harmless = statement["Action"].as_array().is_some_and(|a| {
                        a.iter().all(|a| a == "ecr:GetAuthorizationToken" || a == "sts:GetCallerIdentity")
                    });
                    assert!(!wide || harmless, "{name}: {statement}");
                }
            }
        }
        let text = &plan.artifact("pcluster.yaml").expect("it").text;
        for wide in ["AmazonS3ReadOnlyAccess", "AmazonS3FullAccess", "AWSPriceList", "AmazonEC2ContainerRegistry"] {
            assert!(!text.contains(wide), "{name}: {wide}");
        }
    }
}

/// D-A47, D-A48: groups by group id; EFA needs all traffic from and to itself, Lustre 988 and 1018-1023.
#[test]
fn groups_name_groups() {
    let plan = plan(&one_queue("{name: q, compute: [{name: a, instance: p5.48xlarge, max: 2}]}", ""));
    let network = data(&plan, "stacks/network.yaml");
    for (rule, other) in [("NodesFromNodes", "SourceSecurityGroupId"), ("NodesToNodes", "DestinationSecurityGroupId")] {
        let rule = &network["Resources"][rule]["Properties"];
        assert_eq!(rule["IpProtocol"], "-1");
        assert_eq!(rule["GroupId"], rule[other]);
    }
    let storage = data(&plan, "stacks/storage.yaml");
    let rules = storage["Resources"]["LustreSecurityGroup"]["Properties"]["SecurityGroupIngress"]
        .as_array()
        .expect("rules")
        .clone();
    let ports: Vec<_> = rules.iter().map(|rule| (rule["FromPort"].as_u64(), rule["ToPort"].as_u64())).collect();
    assert_eq!(ports, [(Some(988), Some(988)), (Some(1018), Some(1023))]);
    assert!(rules.iter().all(|rule| rule["SourceSecurityGroupId"]["Ref"] == "NodesSecurityGroupId"));
}

/// D-A54: the route to the internet waits for the gateway.
#[test]
fn the_public_route_waits_for_the_gateway() {
    let plan = plan(&one_queue("{name: q, compute: [{name: a, instance: c5.large, max: 2}]}", ""));
    let network = data(&plan, "stacks/network.yaml");
    assert_eq!(network["Resources"]["PublicRoute"]["DependsOn"][0], "InternetAttachment");
}

/// A71: a head that waits for static nodes has time for them, and all of it ends before CloudFormation gives up.
#[test]
fn time_limits_hold_each_other() {
    for (name, spec) in examples().into_iter().chain(random()) {
        let configuration = data(&plan(&spec), "pcluster.yaml");
        let limits = &configuration["DevSettings"]["Timeouts"];
        let head = limits["HeadNodeBootstrapTimeout"].as_u64().expect("a limit");
        assert!((600..=3600).contains(&head), "{name}: {head}");
    }
    let static_queue = "{name: q, compute: [{name: a, instance: p5.48xlarge, min: 2, max: 2}]}";
    let derived = plan(&one_queue(static_queue, ""));
    let limits = &data(&derived, "pcluster.yaml")["DevSettings"]["Timeouts"];
    assert_eq!(
        (limits["HeadNodeBootstrapTimeout"].as_u64(), limits["ComputeNodeBootstrapTimeout"].as_u64()),
        (Some(2400), Some(1800))
    );
    let block = "{name: q, capacity: {kind: capacity_block, reservation: cr-0123456789abcdef0}, compute: [{name: a, instance: p5.48xlarge, min: 2, max: 2}]}";
    let limits = &data(&plan(&one_queue(block, "")), "pcluster.yaml")["DevSettings"]["Timeouts"];
    assert_eq!(limits["HeadNodeBootstrapTimeout"], 2100, "a block's nodes join when it starts");
}

/// A block that has started has nodes that the head waits for, and they cannot start at 0.
#[test]
fn a_started_block_is_waited_for() {
    let block = "{name: q, capacity: {kind: capacity_block, reservation: cr-0123456789abcdef0}, \
        compute: [{name: a, instance: p5.48xlarge, min: 2, max: 2}]}";
    let known = |spec: &Spec, now: i64| {
        let reservation = serde_json::json!({
            "instance": "p5.48xlarge", "zone": "us-east-1a", "count": 2, "is_block": true, "starts_at": 1000,
        });
        let facts = serde_json::json!({"reservations": {"cr-0123456789abcdef0": reservation}, "surveyed_at": now});
        Facts::Aws(AwsFacts::known(spec, facts).expect("facts"))
    };
    let head = |facts: &Facts, spec: &Spec| {
        let plan = build(spec, facts, Options::default()).expect("a plan");
        data(&plan, "pcluster.yaml")["DevSettings"]["Timeouts"]["HeadNodeBootstrapTimeout"].as_u64()
    };
    let spec = one_queue(block, "");
    assert_eq!(head(&known(&spec, 999), &spec), Some(2100));
    assert_eq!(head(&known(&spec, 1000), &spec), Some(2400));
    let slow = ", setup: {scripts: [{nodes: compute, script: \"s3://a-bucket/x\", seconds: 1400}]}";
    let spec = one_queue(block, slow);
    let found = build(&spec, &known(&spec, 1000), Options::default()).expect_err("too slow");
    assert_eq!(found[0].code, "head-timeout");
    assert!(found.iter().all(is_explained), "{found:#?}");
}

/// Where the head cannot wait long enough, its static nodes come after it.
#[test]
fn static_nodes_come_later_where_the_head_cannot_wait() {
    let plan = plan(&one_queue(
        "{name: q, compute: [{name: a, instance: p5.48xlarge, min: 2, max: 2}]}",
        ", timeouts: {head_seconds: 3000, compute_seconds: 2700}",
    ));
    assert_eq!(queue(&data(&plan, "pcluster-start.yaml"), 0)["ComputeResources"][0]["MinCount"], 0);
    assert_eq!(queue(&data(&plan, "pcluster.yaml"), 0)["ComputeResources"][0]["MinCount"], 2);
    let names: Vec<&str> = plan.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names[names.len() - 4..], ["provider", "cluster", "static-nodes", "nodes"]);
    assert!(plan.notes.iter().any(|note| note.about == "timeouts"));
}

/// What a stack gave out is put in where the facts know it: the file is then ready for ParallelCluster.
#[test]
fn known_outputs_are_put_in() {
    let spec =
        one_queue("{name: q, compute: [{name: a, instance: c5.large, max: 2}]}", ", storage: {shared: {kind: none}}");
    let mut facts = AwsFacts::assumed(&spec);
    for (stack, output, value) in [
        ("network", "PrivateSubnetId", "subnet-0123456789abcdef0"),
        ("network", "NodesSecurityGroupId", "sg-0123456789abcdef0"),
        ("identity", "NodePolicyArn", "arn:aws:iam::111122223333:policy/parallelcluster/x/p"),
        ("home", "HomeVolumeId", "vol-0123456789abcdef0"),
    ] {
        facts.outputs.entry(stack.into()).or_default().insert(output.into(), value.into());
    }
    let text = plan_with(&spec, facts).artifact("pcluster.yaml").expect("it").text.clone();
    assert!(!text.contains("${"), "{text}");
}

fn is_explained(found: &trainyard_spec::Diagnostic) -> bool {
    let rules = trainyard_spec::rules::RULES.iter().map(|rule| rule.code);
    let codes = trainyard_spec::codes::CODES.iter().map(|code| code.code);
    found.fix.is_some() && rules.chain(codes).any(|known| known == found.code)
}

/// D-A09, D-B04: what EC2 says of a reservation is held against the spec.
#[test]
fn a_reservation_is_held_against_the_spec() {
    let known = trainyard_spec::facts::ReservationFacts {
        instance: "p5.48xlarge".into(),
        zone: "us-east-1a".into(),
        count: 4,
        is_block: true,
        placement_group: None,
        starts_at: None,
    };
    let cases = [
        ("kind: capacity_block", "p5.48xlarge", 4, "us-east-1a", None),
        ("kind: targeted_reservation", "p5.48xlarge", 4, "us-east-1a", Some("reservation-kind")),
        ("kind: capacity_block", "p5en.48xlarge", 4, "us-east-1a", Some("reservation-type")),
        ("kind: capacity_block", "p5.48xlarge", 5, "us-east-1a", Some("reservation-size")),
        ("kind: capacity_block", "p5.48xlarge", 4, "us-east-1b", Some("reservation-zone")),
    ];
    for (kind, instance, count, zone, code) in cases {
        let queue = format!(
            "{{name: q, capacity: {{{kind}, reservation: cr-0123456789abcdef0}}, compute: [{{name: a, instance: {instance}, min: {count}, max: {count}}}]}}"
        );
        let spec = one_queue(&queue, &format!(", network: {{zone: {zone}}}"));
        let mut facts = AwsFacts::assumed(&spec);
        facts.reservations.insert("cr-0123456789abcdef0".into(), known.clone());
        let found = build(&spec, &Facts::Aws(facts), Options::default()).err().unwrap_or_default();
        assert_eq!(found.first().map(|d| d.code), code, "{kind} {instance} {count} {zone}: {found:#?}");
        assert!(found.iter().all(is_explained), "{found:#?}");
    }
}

/// A cluster never takes the name of another's stack.
#[test]
fn no_cluster_is_called_like_a_stack() {
    let stacks = trainyard_plan::aws::STACKS.iter().map(|stack| stack.name);
    let known: Vec<&str> = stacks.chain(["cluster"]).collect();
    assert_eq!(known, trainyard_spec::rules::name_clash::ENDINGS);
    let provider = plan(&one_queue("{name: q, compute: [{name: a, instance: c5.large, max: 2}]}", ""));
    let provider = provider.steps.iter().find_map(|step| match &step.action {
        Action::Aws(AwsAction::DeployProvider { stack_name, .. }) => Some(stack_name.clone()),
        _ => None,
    });
    assert!(provider.expect("a provider").contains(trainyard_spec::rules::name_clash::PROVIDER));
}

/// A file's facts: the rest is assumed around them, and what contradicts the spec is said.
#[test]
fn facts_of_a_file_are_held_against_the_spec() {
    let spec = one_queue("{name: q, compute: [{name: a, instance: c5.large, max: 2}]}", ", accounting: {kind: new}");
    let known = AwsFacts::known(&spec, serde_json::json!({"zone": "us-east-1b"})).expect("facts");
    assert_eq!((known.second_zone.as_str(), known.head_zone.as_str()), ("us-east-1a", "us-east-1b"));
    assert!(!known.assumed.contains_key("zone"));
    assert!(AwsFacts::known(&spec, serde_json::json!({"zones": "us-east-1b"})).is_err());
    let outputs = serde_json::json!({"outputs": {"network": {"VpcId": "${data.X}"}}});
    let bad = AwsFacts::known(&spec, outputs).expect("facts");
    let found = build(&spec, &Facts::Aws(bad), Options::default()).expect_err("no value");
    assert_eq!(found[0].code, "facts-output");
    assert!(found.iter().all(is_explained), "{found:#?}");
}

/// What holds data stands where it stood, whatever else changes: another subnet would be another file system.
#[test]
fn file_systems_stay_where_they_are() {
    let spec_of = |more: &str| {
        let queues = "{name: q, compute: [{name: a, instance: c5.large, max: 2}]}";
        one_queue(queues, &format!(", storage: {{home: {{kind: openzfs}}}}{more}"))
    };
    let subnets = |spec: &Spec| {
        let wires = plan(spec).steps.into_iter().find_map(|step| match step.action {
            Action::Aws(AwsAction::DeployStack(call)) if call.stack == "storage" => Some(call.parameters),
            _ => None,
        });
        let home = plan(spec).steps.into_iter().find_map(|step| match step.action {
            Action::Aws(AwsAction::DeployStack(call)) if call.stack == "home" => Some(call.parameters),
            _ => None,
        });
        (home.expect("home")["HomeSubnetId"].clone(), wires.expect("storage")["StorageSubnetId"].clone())
    };
    let private = subnets(&spec_of(""));
    assert_eq!(private, subnets(&spec_of(", head: {subnet: public}")));
    assert_eq!(private, subnets(&spec_of(", network: {second_zone: us-east-1b}")));
}

/// The plan says which of its facts nobody asked the cloud about.
#[test]
fn assumptions_are_said() {
    let plan = plan(&one_queue("{name: q, compute: [{name: a, instance: c5.large, max: 2}]}", ""));
    assert!(plan.notes.iter().any(|note| note.about == "assumed" && note.text.contains("us-east-1a")));
}

#[test]
fn a_plan_is_the_same_twice_and_survives_its_own_json() {
    for (name, spec) in examples().into_iter().chain(random()) {
        let first = plan(&spec);
        assert_eq!(first, plan(&spec), "{name}");
        let text = serde_json::to_string(&first).expect("JSON");
        assert_eq!(first, serde_json::from_str(&text).expect("a plan"), "{name}");
        let steps: BTreeSet<_> = first.steps.iter().map(|step| &step.name).collect();
        assert_eq!(steps.len(), first.steps.len(), "{name}: two steps of one name");
        for artifact in first.artifacts.iter().filter(|artifact| artifact.kind == "infra") {
            assert!(artifact.text.len() <= 51_200, "{name}: {} has {} bytes", artifact.path, artifact.text.len());
        }
    }
}
