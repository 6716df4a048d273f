//! The random specs reach every field.

use testing_specs::{accepted_at_once, coverage, fixed};

/// Fields that cannot vary for AWS: constants, and those of rehearsals.
const OUTSIDE: [&str; 4] = ["version", "provider", "rehearsal", "queues[].compute[].hardware"];

/// Fewer than this share of specs would test a field by accident only.
const PERCENT_MIN: usize = 2;

#[test]
fn every_field_is_reached() {
    let count = 300;
    let specs = fixed("aws", count, 7);
    let shares = coverage(&specs);
    assert!(shares.len() > 100, "{} fields", shares.len());
    let inside =
        |field: &str| !OUTSIDE.iter().any(|outside| field == *outside || field.starts_with(&format!("{outside}.")));
    let low: Vec<String> = shares
        .iter()
        .filter(|share| inside(&share.field) && share.specs * 100 < PERCENT_MIN * count)
        .map(|share| format!("{}: {} of {count}", share.field, share.specs))
        .collect();
    assert!(low.is_empty(), "{low:#?}");
}

/// Specs that had to be drawn again would lean towards what is easily accepted.
#[test]
fn most_are_accepted_at_once() {
    let accepted = accepted_at_once(200);
    assert!(accepted >= 120, "{accepted} of 200");
}
