//! Every target over its seeds, and over seeds that are changed by chance, always the same: a target that nobody runs would
//! not be one, and libFuzzer is not on every machine.

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestError, TestRunner};
use trainyard_fuzz::TARGETS;

#[test]
fn every_target_has_a_name_of_its_own_and_seeds() {
    let mut names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TARGETS.len());
    for target in TARGETS {
        assert!(!(target.seeds)().is_empty(), "{} has no seeds", target.name);
    }
}

#[test]
fn no_seed_and_no_changed_seed_is_misread() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        for seed in &seeds {
            (target.run)(seed);
        }
        let changes = proptest::collection::vec((any::<prop::sample::Index>(), change()), 1..6);
        let inputs = (prop::sample::select(seeds), changes);
        let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        if config.rng_seed == RngSeed::Random {
            config.rng_seed = RngSeed::Fixed(1);
        }
        let result = TestRunner::new(config).run(&inputs, |(seed, changes)| {
            (target.run)(&changed(seed, changes));
            Ok(())
        });
        if let Err(error) = result {
            let TestError::Fail(why, (seed, changes)) = error else { panic!("{}: {error}", target.name) };
            panic!("{} of b\"{}\": {why}", target.name, changed(seed, changes).escape_ascii());
        }
    }
}

/// What is done at one place of a seed.
#[derive(Debug, Clone)]
enum Change {
    /// All from here on is gone.
    Cut,
    /// Some bytes are others.
    Replace(Vec<u8>),
    /// Some bytes more.
    Insert(Vec<u8>),
    /// So many bytes fewer.
    Remove(usize),
    /// The rest, once more.
    Repeat,
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = || {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 1..9),
            "[-0-9.eE\\[\\]{}\":|,= \\n]{1,12}".prop_map(String::into_bytes)
        ]
    };
    prop_oneof![
        Just(Change::Cut),
        bytes().prop_map(Change::Replace),
        bytes().prop_map(Change::Insert),
        (1_usize..20).prop_map(Change::Remove),
        Just(Change::Repeat),
    ]
}

fn changed(mut input: Vec<u8>, changes: Vec<(prop::sample::Index, Change)>) -> Vec<u8> {
    for (place, change) in changes {
        let at = place.index(input.len() + 1);
        let rest = input.split_off(at);
        match change {
            Change::Cut => {}
            Change::Replace(bytes) => {
                let skipped = bytes.len().min(rest.len());
                input.extend(bytes.iter().chain(&rest[skipped..]));
            }
            Change::Insert(bytes) => input.extend(bytes.iter().chain(&rest)),
            Change::Remove(count) => input.extend(&rest[count.min(rest.len())..]),
            Change::Repeat => input.extend(rest.iter().chain(&rest)),
        }
    }
    input
}
