//! What the person who runs trainyard must be allowed to do: the tables, and the policies made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use trainyard_plan::artifacts::{beside, find};
use trainyard_plan::aws::iam::{HANDLERS, tables};
use trainyard_plan::{AwsFacts, Facts, Options, build};
use trainyard_spec::model::ProviderKind;
use trainyard_spec::{Spec, check};

/// IAM's limit, without blanks and line breaks.
const CHARACTERS_MAX: usize = 6144;
/// So many managed policies may be attached to one role or user, unless the quota was raised.
const POLICIES_MAX: usize = 10;

fn spec(text: &str) -> Spec {
    let (spec, found) = check(text);
    spec.unwrap_or_else(|| panic!("{found:#?}\n{text}"))
}

fn examples() -> Vec<(String, Spec)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let paths = std::fs::read_dir(folder).expect("examples").map(|entry| entry.expect("an entry").path());
    let yaml = paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let read = |path: &Path| spec(&std::fs::read_to_string(path).expect("an example"));
    let mut examples: Vec<(String, Spec)> =
        yaml.map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), read(&path))).collect();
    examples.retain(|(_, spec)| spec.provider == ProviderKind::Aws);
    examples.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(examples.len() >= 16, "{}", examples.len());
    examples
}

/// Examples, and specs that are drawn with the same seed at every run.
fn specs() -> Vec<(String, Spec)> {
    let drawn = testing_specs::fixed("aws", testing_specs::size(60), 3).into_iter().enumerate();
    examples().into_iter().chain(drawn.map(|(number, text)| (format!("random {number}"), spec(&text)))).collect()
}

/// The rendered policies.
fn policies(spec: &Spec, facts: &AwsFacts) -> Vec<Value> {
    let artifacts = beside(find("iam").expect("the kind"), spec, facts);
    let number = |(number, artifact): (usize, &trainyard_plan::Artifact)| {
        assert_eq!(artifact.path, format!("iam/{}.json", number + 1));
        serde_json::from_str(&artifact.text).expect("JSON")
    };
    artifacts.iter().enumerate().map(number).collect()
}

fn statements(policies: &[Value]) -> impl Iterator<Item = &Value> {
    policies.iter().flat_map(|policy| policy["Statement"].as_array().expect("statements"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|text| text.as_str().expect("text")).collect()
}

/// The resources on which an action is allowed.
fn allowed<'a>(policies: &'a [Value], action: &str) -> Vec<&'a str> {
    let with = statements(policies).filter(|statement| texts(&statement["Action"]).contains(&action));
    with.flat_map(|statement| texts(&statement["Resource"])).collect()
}

/// Every type that stands as a literal in the sources: each resource's own declaration is one.
fn literal_types(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            literal_types(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            found.extend(text.split('"').filter(|part| tables::is_type(part)).map(str::to_owned));
        }
    }
}

/// A type without rows would make `up` fail half-way for whoever has the policy; a row without a type allows too much.
#[test]
fn every_type_has_its_rows_and_every_row_its_type() {
    let mut made = BTreeSet::new();
    literal_types(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut made);
    assert!(made.len() > 40, "{made:?}");
    let mut rows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for handler in tables::handlers(HANDLERS).expect("actions.tsv") {
        rows.entry(handler.kind).or_default().insert(handler.operation);
    }
    let known: BTreeSet<String> = rows.keys().map(|kind| (*kind).to_owned()).collect();
    let missing: Vec<_> = made.difference(&known).collect();
    assert!(missing.is_empty(), "actions.tsv has no rows of {missing:?}");
    let idle: Vec<_> = known.difference(&made).collect();
    assert!(idle.is_empty(), "nobody makes {idle:?}; remove their rows from actions.tsv");
    let all: BTreeSet<&str> = tables::OPERATIONS.iter().copied().collect();
    let partial: Vec<_> = rows.iter().filter(|(_, operations)| **operations != all).collect();
    assert!(partial.is_empty(), "{partial:?}");
}

/// The same from the other side: what templates hold, however its type is written.
#[test]
fn every_type_of_a_template_has_rows() {
    let known: BTreeSet<&str> =
        tables::handlers(HANDLERS).expect("actions.tsv").iter().map(|handler| handler.kind).collect();
    for (name, spec) in specs() {
        let plan = build(&spec, &Facts::Aws(AwsFacts::assumed(&spec)), Options::default()).expect("a plan");
        for artifact in plan.artifacts.iter().filter(|artifact| artifact.path.starts_with("stacks/")) {
            for body in testing_specs::yaml(&artifact.text)["Resources"].as_object().expect("resources").values() {
                let kind = body["Type"].as_str().expect("a type");
                assert!(known.contains(kind), "{name}: {}: {kind}", artifact.path);
            }
        }
    }
}

#[test]
fn every_policy_is_one_that_iam_takes() {
    for (name, spec) in specs() {
        let policies = policies(&spec, &AwsFacts::assumed(&spec));
        assert!((1..=POLICIES_MAX).contains(&policies.len()), "{name}: {} policies", policies.len());
        let mut once = BTreeSet::new();
        for policy in &policies {
            assert_eq!(policy["Version"], "2012-10-17", "{name}");
            let length = policy.to_string().chars().filter(|character| !character.is_whitespace()).count();
            assert!(length <= CHARACTERS_MAX, "{name}: {length} characters");
            assert!(policy.as_object().is_some_and(|policy| policy.len() == 2), "{name}: {policy}");
        }
        for statement in statements(&policies) {
            assert_eq!(statement["Effect"], "Allow", "{name}: {statement}");
            let sid = statement["Sid"].as_str().expect("a name");
            assert!(sid.chars().all(|c| c.is_ascii_alphanumeric()) && once.insert(sid.to_owned()), "{name}: {sid}");
            let (actions, resources) = (texts(&statement["Action"]), texts(&statement["Resource"]));
            assert!(!actions.is_empty() && !resources.is_empty(), "{name}: {statement}");
            assert!(actions.iter().all(|action| tables::is_action(action)), "{name}: {statement}");
            assert!(actions.iter().all(|action| action.split(':').next() == actions[0].split(':').next()), "{name}");
            for resource in resources {
                let is_arn = resource.starts_with("arn:aws") && resource.splitn(6, ':').count() == 6;
                assert!(resource == "*" || is_arn, "{name}: {resource}");
            }
            assert!(!statement.to_string().contains(['<', '>']), "{name}: {statement}");
        }
    }
}

#[test]
fn a_policy_names_the_cluster_and_nothing_of_another() {
    let text = "{version: 1, name: Lab-1, provider: aws, region: us-gov-west-1, access: {key: ours},
        storage: {data_bucket: {name: sets, existing: EXISTING}}, queues: [{name: q, compute: [{name: a, instance: c6i.large, max: 2}]}]}";
    let made = spec(&text.replace("EXISTING", "false"));
    let mut facts = AwsFacts::assumed(&made);
    facts.account = Some("111122223333".to_owned());
    let with = policies(&made, &facts);
    assert_eq!(allowed(&with, "ec2:ImportKeyPair"), ["arn:aws-us-gov:ec2:us-gov-west-1:111122223333:key-pair/ours"]);
    let table = "arn:aws-us-gov:dynamodb:us-gov-west-1:111122223333:table/parallelcluster-Lab-1";
    assert_eq!(allowed(&with, "dynamodb:UpdateItem"), [table]);
    assert!(allowed(&with, "iam:CreateRole").contains(&"arn:aws-us-gov:iam::111122223333:role/Lab-1-*"));
    let bucket = "arn:aws-us-gov:s3:::sets";
    assert!(allowed(&with, "s3:CreateBucket").contains(&bucket));
    assert!(allowed(&with, "s3:PutObject").iter().all(|one| one.starts_with("arn:aws-us-gov:s3:::trainyard-lab-1-")));
    // A bucket that was there before is linked and left as it is.
    let there = spec(&text.replace("EXISTING", "true"));
    let with = policies(&there, &facts);
    assert!(allowed(&with, "s3:PutBucketPolicy").contains(&bucket));
    assert!(!allowed(&with, "s3:PutLifecycleConfiguration").contains(&bucket));
    // Shell commands only on the cluster's own instances, and roles only to the services that take one.
    let conditions: Vec<&Value> =
        statements(&with).map(|statement| &statement["Condition"]).filter(|c| !c.is_null()).collect();
    assert!(conditions.iter().any(|c| c["StringEquals"]["ssm:resourceTag/parallelcluster:cluster-name"][0] == "Lab-1"));
    assert!(conditions.iter().any(|c| c["StringLike"]["iam:PassedToService"][0] == "dlm.amazonaws.com"));
}

#[test]
fn a_long_name_is_cut_where_cloudformation_would() {
    let name = "a-cluster-with-a-name-of-forty-five-letters-x";
    let long = spec(&format!(
        "{{version: 1, name: {name}, provider: aws, region: us-east-1, queues: [{{name: q, compute: [{{name: a, instance: c6i.large, max: 2}}]}}]}}"
    ));
    let with = policies(&long, &AwsFacts::assumed(&long));
    assert!(allowed(&with, "iam:CreateRole").contains(&"arn:aws:iam::*:role/a-cluster-with-a-nam*"));
    assert!(
        allowed(&with, "cloudformation:CreateStack")
            .contains(&&*format!("arn:aws:cloudformation:us-east-1:*:stack/{name}-*/*"))
    );
}

/// Only what this cluster's own stacks hold.
#[test]
fn a_policy_is_of_this_spec_only() {
    let plain = "{version: 1, name: x, provider: aws, region: us-east-1, queues: [{name: q, compute: [{name: a, instance: c6i.large, max: 2}]}]MORE}";
    let services = |more: &str| {
        let spec = spec(&plain.replace("MORE", more));
        let policies = policies(&spec, &AwsFacts::assumed(&spec));
        let all = statements(&policies).flat_map(|statement| texts(&statement["Action"]));
        all.map(|action| action.split(':').next().expect("a service").to_owned()).collect::<BTreeSet<String>>()
    };
    let without = services("");
    assert!(!without.contains("rds") && without.contains("lambda"), "{without:?}");
    assert!(services(", accounting: {kind: new}").contains("rds"));
    assert!(!services(", parallelcluster: {engine: cli}").contains("lambda"));
}

/// One of them as people get it.
#[test]
fn the_policies_of_an_example() {
    let (_, spec) = examples().into_iter().find(|(name, _)| name == "p5-odcr").expect("the example");
    let artifacts = beside(find("iam").expect("the kind"), &spec, &AwsFacts::assumed(&spec));
    let texts: Vec<String> = artifacts.iter().map(|one| format!("=== {}\n{}", one.path, one.text)).collect();
    insta::assert_snapshot!("p5-odcr", texts.concat());
}

/// The simulation is asked about what the policies allow, on things as they will be called, in few calls.
#[test]
fn every_action_of_the_policies_is_asked_about() {
    for (name, spec) in specs() {
        let facts = AwsFacts::assumed(&spec);
        let policies = policies(&spec, &facts);
        let allowed: BTreeSet<&str> = statements(&policies).flat_map(|one| texts(&one["Action"])).collect();
        let questions = trainyard_plan::aws::iam::questions(&spec, &facts);
        let asked: BTreeSet<&str> = questions.iter().flat_map(|one| one.asked.keys().copied()).collect();
        assert_eq!(asked, allowed, "{name}");
        assert!(questions.len() <= 40, "{name}: {} calls", questions.len());
        for question in &questions {
            let (actions, resources) = (question.asked.len(), question.resources());
            assert!(actions <= 50 && !resources.is_empty(), "{name}: {question:?}");
            let odd: Vec<&&str> = resources.iter().filter(|one| **one != "*" && one.contains('*')).collect();
            assert!(odd.is_empty(), "{name}: {odd:?}");
            assert!(question.context.contains_key("aws:RequestedRegion"), "{name}");
        }
    }
}
