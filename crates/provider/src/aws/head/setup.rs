//! What a head is doing while it sets itself up: read from the log of that, which it sends to CloudWatch early.

use crate::aws::api::Instance;
use crate::aws::{Account, logs};

/// The parts of ParallelCluster's set-up of a head, in order: as cfn-init calls them, and what they do.
const PARTS: [(&str, &str); 5] = [
    ("chefPrepEnv", "storage and accounts"),
    ("shellRunPreInstall", "scripts before the configuration"),
    ("chefConfig", "configuration of Slurm"),
    ("shellRunPostInstall", "scripts after the configuration"),
    ("chefFinalize", "start of Slurm"),
];
/// What stands in that log before a part's name.
const BEGINS: &str = "Running config ";
/// A part that has begun says a dozen lines of what it has not to do, and is silent until it is done.
const LINES: usize = 100;

/// The part that it is at: `the head sets itself up, 3 of 5: configuration of Slurm`. Without a log, or the right to read
/// it, it is only said that it does.
pub async fn stage(account: &Account, cluster: &str, head: &Instance) -> String {
    let lines = logs::of_instance(account, cluster, head, "cfn-init", LINES).await.unwrap_or_default();
    let part = lines.iter().rev().find_map(|line| part(line));
    let part = part.map(|part| format!(", {part}")).unwrap_or_default();
    format!("the head sets itself up{part}")
}

fn part(line: &str) -> Option<String> {
    let (_, name) = line.split_once(BEGINS)?;
    let at = PARTS.iter().position(|(part, _)| *part == name.trim())?;
    Some(format!("{} of {}: {}", at + 1, PARTS.len(), PARTS[at].1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_known_by_the_line_with_which_it_begins() {
        let cases = [
            ("2026-01-01 10:00:00,000 [INFO] Running config chefConfig", Some("3 of 5: configuration of Slurm")),
            ("[INFO] Running config chefFinalize ", Some("5 of 5: start of Slurm")),
            ("[INFO] Running config somethingNew", None),
            ("[DEBUG] Running command chef", None),
            ("", None),
        ];
        for (line, said) in cases {
            assert_eq!(part(line).as_deref(), said, "{line}");
        }
    }
}
