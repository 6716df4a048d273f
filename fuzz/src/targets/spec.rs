//! A spec as people write it.

use trainyard_plan::{AwsFacts, Facts, LocalFacts, Options, build};
use trainyard_spec::model::ProviderKind;
use trainyard_spec::{Severity, check};

use crate::{Target, seeds};

pub(super) static TARGET: Target = Target {
    name: "spec",
    about: "a spec as people write it, and the plan of one that is accepted",
    seeds: || seeds::files("examples", ".yaml"),
    run,
};

fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (spec, found) = check(text);
    for one in &found {
        assert_ne!(one.code, "internal", "{one:?}");
        if let Some(place) = &one.place {
            assert!(text.get(place.start..place.end).is_some(), "{one:?} stands nowhere");
        }
        for edit in one.fix.iter().flat_map(|fix| &fix.edits) {
            assert!(text.get(edit.start..edit.end).is_some(), "{edit:?} changes nothing");
        }
    }
    let is_wrong = found.iter().any(|one| one.severity == Severity::Error);
    assert_eq!(spec.is_none(), is_wrong, "it is refused without a reason, or accepted with one: {found:?}");
    let Some(spec) = spec else { return };
    let facts = match spec.provider {
        ProviderKind::Local => Facts::Local(LocalFacts::assumed()),
        ProviderKind::Aws => Facts::Aws(AwsFacts::assumed(&spec)),
    };
    if let Err(refused) = build(&spec, &facts, Options::default()) {
        assert!(!refused.is_empty());
    }
}
