//! Zones of another region, and two spellings that cannot be compared.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "zone-elsewhere",
    summary: "Zones are of the spec's region, and both are names or both are ids",
    explain: "A zone's name begins with its region's (`us-east-1a`). A zone's id (`use1-az4`) means the same zone in every \
              account, its name does not; so whether a name and an id are two zones cannot be told.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let zones = [("zone", &spec.network.zone), ("second_zone", &spec.network.second_zone)];
    let mut found = Vec::new();
    for (key, zone) in zones {
        let (Some(zone), Some(region)) = (zone, &spec.region) else { continue };
        if !is_id(zone.as_str()) && !zone.as_str().starts_with(region.as_str()) {
            let what = format!("`{zone}` is no zone of {region}");
            let fix = format!("name one of {region}, for example `{region}a`");
            found.push(Diagnostic::error(RULE.code, path!["network", key], what).fix(fix));
        }
    }
    if let (Some(first), Some(second)) = (&spec.network.zone, &spec.network.second_zone)
        && is_id(first.as_str()) != is_id(second.as_str())
    {
        let what = "one zone is a name and the other an id: they may be the same";
        found.push(
            Diagnostic::error(RULE.code, path!["network", "second_zone"], what).fix("write both in one spelling"),
        );
    }
    found
}

fn is_id(zone: &str) -> bool {
    zone.contains("-az")
}
