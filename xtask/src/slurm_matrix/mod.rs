//! The agent beside the Slurm of other distributions, each in a root folder of its own: what it says of a small cluster
//! must be what that Slurm's own programs say.
//!
//! Needs root, debootstrap and the distributions' archives; what cannot be had is said, and is not a pass.

mod cluster;
mod programs;
mod roots;

use std::path::{Path, PathBuf};

use cluster::Cluster;
use roots::{Distribution, Root};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The agent.
    pub agent: PathBuf,
    /// Where the roots are kept for the next time.
    pub roots: PathBuf,
}

impl Request {
    /// From words after the command; nothing where they make no sense.
    pub fn read(words: &[String], built_agent: PathBuf, cache: &Path) -> Option<Self> {
        let mut request = Self { agent: built_agent, roots: cache.join("roots") };
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let place = match word.as_str() {
                "--agent" => &mut request.agent,
                "--roots" => &mut request.roots,
                _ => return None,
            };
            *place = PathBuf::from(rest.next()?);
        }
        Some(request)
    }
}

/// Every distribution, one after the other. Whether all agreed; `tell` shows a line.
pub fn run(request: &Request, tell: &dyn Fn(&str)) -> Result<bool, String> {
    if !request.agent.is_file() {
        return Err(format!("{} is not there; build it with: cargo build -p trainyard-node", request.agent.display()));
    }
    let mut is_good = true;
    let mut debian = None;
    for distribution in roots::DISTRIBUTIONS {
        tell(&format!("{}: Slurm {}", distribution.name, distribution.slurm));
        match roots::make(distribution, &request.roots, debian.as_ref(), tell).and_then(|root| {
            let result = compare(request, &root, distribution, tell);
            debian.get_or_insert(root);
            result
        }) {
            Ok(differences) if differences.is_empty() => tell("  agrees"),
            Ok(differences) => {
                is_good = false;
                for difference in differences {
                    tell(&format!("  differs: {difference}"));
                }
            }
            Err(error) => {
                is_good = false;
                tell(&format!("  no verdict: {error}"));
            }
        }
    }
    Ok(is_good)
}

fn compare(
    request: &Request,
    root: &Root,
    distribution: &'static Distribution,
    tell: &dyn Fn(&str),
) -> Result<Vec<String>, String> {
    let slurm = distribution.slurm;
    let cluster = Cluster::start(root, distribution)?;
    let version = cluster.ask(&["sinfo", "--version"])?;
    if !version.contains(slurm) {
        return Err(format!("the root has {}, and not Slurm {slurm}", version.trim()));
    }
    let jobs = cluster.fill()?;
    tell(&format!("  {}, {jobs}", version.trim()));
    let compared = cluster.compare(&request.agent)?;
    tell(&format!("  {} values compared", compared.len()));
    Ok(compared.into_iter().filter_map(|value| value.difference()).collect())
}

/// One value, as the agent has it and as Slurm's program has it.
struct Compared {
    series: &'static str,
    agent: Option<f64>,
    slurm: f64,
}

impl Compared {
    fn difference(&self) -> Option<String> {
        let Self { series, agent, slurm } = self;
        match agent {
            #[allow(clippy::float_cmp, reason = "both are whole numbers")]
            Some(agent) if agent == slurm => None,
            Some(agent) => Some(format!("{series} is {agent}, and Slurm's own programs say {slurm}")),
            None => Some(format!("{series} is not there, and Slurm's own programs say {slurm}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_understood_or_refused() {
        let read = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Request::read(&words, "agent".into(), Path::new("cache"))
        };
        assert_eq!(read(&[]), Some(Request { agent: "agent".into(), roots: "cache/roots".into() }));
        assert_eq!(read(&["--agent", "a", "--roots", "r"]), Some(Request { agent: "a".into(), roots: "r".into() }));
        assert_eq!(read(&["--agent"]), None);
        assert_eq!(read(&["--else", "x"]), None);
    }

    #[test]
    fn a_value_that_is_missing_or_other_differs() {
        let difference = |agent| Compared { series: "x", agent, slurm: 2.0 }.difference();
        assert_eq!(difference(Some(2.0)), None);
        assert!(difference(Some(1.0)).is_some() && difference(None).is_some());
    }
}
