//! What a head is doing while it sets itself up: read from the log of that, which it sends to CloudWatch early.

use crate::aws::api::Instance;
use crate::aws::{Account, logs};

/// The parts of ParallelCluster's set-up of a head, in order: as cfn-init calls them, and what they do.
const PARTS: [(&str, &str); 5] = [
    ("chefPrepEnv", "mounts storage"),
    ("shellRunPreInstall", "runs its first scripts"),
    ("chefConfig", "configures Slurm"),
    ("shellRunPostInstall", "runs your scripts"),
    ("chefFinalize", "starts Slurm"),
];
/// What stands in that log before a part's name.
const BEGINS: &str = "Running config ";
/// A part that has begun says a dozen lines of what it has not to do, and is silent until it is done.
const LINES: usize = 100;

/// The part that it is at: `head set-up 3/5: configures Slurm`. Without a log, or the right to read
/// it, it is only said that it does.
pub async fn stage(account: &Account, cluster: &str, head: &Instance) -> String {
    let lines = logs::of_instance(account, cluster, head, "cfn-init", LINES).await.unwrap_or_default();
    lines.iter().rev().find_map(|line| part(line)).unwrap_or_else(|| "the head sets itself up".to_owned())
}

fn part(line: &str) -> Option<String> {
    let (_, name) = line.split_once(BEGINS)?;
    let at = PARTS.iter().position(|(part, _)| *part == name.trim())?;
    Some(format!("head set-up {}/{}: {}", at + 1, PARTS.len(), PARTS[at].1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_known_by_the_line_with_which_it_begins() {
        let cases = [
            ("2026-01-01 10:00:00,000 [INFO] Running config chefConfig", Some("head set-up 3/5: configures Slurm")),
            ("[INFO] Running config chefFinalize ", Some("head set-up 5/5: starts Slurm")),
            ("[INFO] Running config somethingNew", None),
            ("[DEBUG] Running command chef", None),
            ("", None),
        ];
        for (line, said) in cases {
            assert_eq!(part(line).as_deref(), said, "{line}");
        }
    }
}
