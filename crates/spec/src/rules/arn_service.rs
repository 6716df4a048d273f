//! ARNs of the wrong thing, or in the wrong region.

use super::{Rule, Scope};
use crate::model::{Accounting, Arn, Capacity, Directory};
use crate::{Diagnostic, Path, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "arn-service",
    summary: "An ARN names a thing of the kind that is asked for, in the cluster's region",
    explain: "Passwords and the munge key are secrets of AWS Secrets Manager, a certificate is one of AWS Certificate \
              Manager, and a group of reservations is one of AWS Resource Groups. Nodes and load balancers look for them in \
              the cluster's own region.",
    scope: Scope::Aws,
    check,
};

/// What an ARN is to name: words for people, the service, and how the resource begins.
type Kind = (&'static str, &'static str, &'static str);

const SECRET: Kind = ("a secret of AWS Secrets Manager", "secretsmanager", "secret:");
const CERTIFICATE: Kind = ("a certificate of AWS Certificate Manager", "acm", "certificate/");
const GROUP: Kind = ("a group of AWS Resource Groups", "resource-groups", "group/");

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (at, arn, (words, service, resource)) in arns(spec) {
        // arn:partition:service:region:account:resource
        let parts: Vec<&str> = arn.as_str().splitn(6, ':').collect();
        let part = |number: usize| parts.get(number).copied().unwrap_or_default();
        if part(2) != service || !part(5).starts_with(resource) {
            let fix = format!("give an ARN like `arn:aws:{service}:us-east-1:111122223333:{resource}…`");
            found.push(Diagnostic::error(RULE.code, at, format!("this ARN is not that of {words}")).fix(fix));
        } else if let Some(region) = spec.region.as_ref().filter(|region| region.as_str() != part(3)) {
            let what = format!("this is in {}, and the cluster in {region}", part(3));
            found.push(Diagnostic::error(RULE.code, at, what).fix(format!("use {words} in {region}")));
        }
    }
    found
}

fn arns(spec: &Spec) -> Vec<(Path, &Arn, Kind)> {
    let mut arns = Vec::new();
    arns.extend(spec.slurm.munge_key_secret.iter().map(|arn| (path!["slurm", "munge_key_secret"], arn, SECRET)));
    arns.extend(spec.monitoring.certificate.iter().map(|arn| (path!["monitoring", "certificate"], arn, CERTIFICATE)));
    if let Some(Accounting::Existing { password_secret, .. }) = &spec.accounting {
        arns.push((path!["accounting", "password_secret"], password_secret, SECRET));
    }
    match &spec.directory {
        Some(Directory::Existing(directory)) => {
            arns.push((path!["directory", "password_secret"], &directory.password_secret, SECRET));
        }
        Some(Directory::New { certificate, .. }) => {
            arns.push((path!["directory", "certificate"], certificate, CERTIFICATE));
        }
        None => {}
    }
    for (q, queue) in spec.queues.iter().enumerate() {
        if let Capacity::ReservationGroup { group } = &queue.capacity {
            arns.push((path!["queues", q, "capacity", "group"], group, GROUP));
        }
    }
    arns
}
