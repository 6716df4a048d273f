//! Random specs that trainyard accepts. The text is JSON, which is YAML.

mod aws;
mod coverage;
mod dice;
mod queues;
mod rehearsals;
mod storage;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use trainyard_spec::source;

pub use coverage::{Share, coverage};

/// A spec for `provider`, as text.
pub fn spec(provider: &'static str) -> BoxedStrategy<String> {
    if provider == "aws" { any::<u64>().prop_map(aws::accepted).boxed() } else { rehearsals::spec().boxed() }
}

/// The same `count` specs at every run.
pub fn fixed(provider: &'static str, count: usize, seed: u8) -> Vec<String> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = spec(provider);
    (0..count).filter_map(|_| strategy.new_tree(&mut runner).ok().map(|tree| tree.current())).collect()
}

/// How many of `count` specs for AWS are accepted as they are first drawn, before others take their place.
pub fn accepted_at_once(count: u64) -> u64 {
    (0..count).filter(|seed| aws::is_accepted(&aws::draw(*seed))).count() as u64
}

/// A YAML text as JSON.
///
/// # Panics
/// If it is no YAML: this is for tests of what we write ourselves.
pub fn yaml(text: &str) -> Value {
    let source = source::read(text);
    assert!(source.problems.is_empty(), "{:?}\n{text}", source.problems);
    source.root.as_ref().map_or(Value::Null, json)
}

fn json(node: &source::Node) -> Value {
    match &node.value {
        source::Value::Null => Value::Null,
        source::Value::Bool(value) => (*value).into(),
        source::Value::Int(value) => (*value).into(),
        source::Value::Float(value) => (*value).into(),
        source::Value::Text(value) => value.as_str().into(),
        source::Value::List(list) => list.iter().map(json).collect(),
        source::Value::Map(map) => map.iter().map(|(key, value)| (key.name.clone(), json(value))).collect(),
    }
}

/// The keys of ParallelCluster's configuration, by the newest patch of each release.
pub fn parallelcluster_schemas() -> [(&'static str, BTreeSet<&'static str>); 4] {
    macro_rules! schema {
        ($minor:literal) => {
            include_str!(concat!("../../../crates/spec/src/parallelcluster/data/schema-", $minor, ".tsv"))
        };
    }
    let paths = |text: &'static str| {
        text.lines().filter(|line| line.starts_with('/')).filter_map(|line| line.split('\t').next()).collect()
    };
    [
        ("3.13.2", paths(schema!("3.13"))),
        ("3.14.2", paths(schema!("3.14"))),
        ("3.15.1", paths(schema!("3.15"))),
        ("3.16.1", paths(schema!("3.16"))),
    ]
}

/// How many specs a test looks at: `usual`, or what `TRAINYARD_TEST_SPECS` says.
pub fn size(usual: usize) -> usize {
    std::env::var("TRAINYARD_TEST_SPECS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
