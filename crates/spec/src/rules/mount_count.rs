//! More file systems than a cluster takes.

use super::{Rule, Scope};
use crate::model::{Home, Mount, Shared};
use crate::{Diagnostic, Spec, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "too-many-mounts",
    summary: "A cluster mounts 5 volumes and 20 FSx file systems at most",
    explain: "The head node exports volumes to all others, and ParallelCluster lets it export five; /home on a volume is \
              one of them. Of FSx file systems and caches together there are twenty, /fsx and /home included.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let most = &parallelcluster::of(spec).constants.shared_storage;
    let storage = &spec.storage;
    let home_is_volume = matches!(storage.home, Home::Volume { .. });
    let home_is_fsx = matches!(storage.home, Home::Openzfs { .. } | Home::Existing { .. });
    let shared_is_fsx = !matches!(storage.shared, Shared::None {});
    let mut volumes = usize::from(home_is_volume);
    let mut systems = usize::from(home_is_fsx) + usize::from(shared_is_fsx);
    let mut found = Vec::new();
    for (n, mount) in storage.mounts.iter().enumerate() {
        let (count, most, what) = match mount {
            Mount::Efs { .. } => continue,
            Mount::Volume { .. } => (&mut volumes, most.ebs_maximum, "volumes"),
            _ => (&mut systems, most.existing_maximum.fsx, "FSx file systems"),
        };
        *count += 1;
        if *count == most + 1 {
            let what = format!("a cluster mounts {most} {what} at most, those of /home and /fsx included");
            let finding = Diagnostic::error(RULE.code, path!["storage", "mounts", n], what);
            found.push(finding.fix("mount fewer, or use EFS for some of them"));
        }
    }
    found
}
