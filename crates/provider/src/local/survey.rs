//! What this machine has: programs, Slurm's version, what this user may do.

use std::collections::BTreeMap;
use std::net::{IpAddr, TcpListener, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use nix::unistd::{Gid, Uid, User};
use trainyard_plan::local::AGENT;
use trainyard_plan::{Isolation, LocalFacts};
use trainyard_run::Command;
use trainyard_spec::Spec;
use trainyard_spec::model::IsolationChoice;

use super::Store;
use crate::Failure;
use crate::engine::Journal;

/// What a rehearsal needs: (program, Debian's package, Fedora's package).
static NEEDED: &[(&str, &str, &str)] = &[
    ("munged", "munge", "munge"),
    ("slurmctld", "slurmctld", "slurm-slurmctld"),
    ("slurmd", "slurmd", "slurm-slurmd"),
    ("scontrol", "slurm-client", "slurm"),
    ("sinfo", "slurm-client", "slurm"),
    ("squeue", "slurm-client", "slurm"),
    ("sbatch", "slurm-client", "slurm"),
    ("srun", "slurm-client", "slurm"),
    ("scancel", "slurm-client", "slurm"),
];

/// Needed in addition where nodes are kept apart.
static NEEDED_APART: &[(&str, &str, &str)] =
    &[("ip", "iproute2", "iproute"), ("nsenter", "util-linux", "util-linux-core")];

pub(super) fn survey(spec: &Spec, store: &Store) -> Result<LocalFacts, Failure> {
    let folder = folder_of(store)?;
    if let Some(missing) = spec.rehearsal.expose.iter().find(|path| !Path::new(path.as_str()).is_dir()) {
        return Err(Failure::bad(format!("`rehearsal.expose` names {missing}, which is not a folder of this machine"))
            .hint("correct it, or remove it"));
    }
    let isolation = isolation(spec.rehearsal.isolation)?;
    let programs = programs(isolation)?;
    let user = User::from_uid(Uid::current())
        .ok()
        .flatten()
        .ok_or_else(|| Failure::refused(format!("user id {} has no name on this machine", Uid::current())))?;
    let slurm = slurm_version(&programs)?;
    let wanted = spec.queues.iter().flat_map(|queue| &queue.compute).map(|resource| resource.max).sum::<u32>();
    Ok(LocalFacts {
        user: user.name,
        uid: Uid::current().as_raw(),
        gid: Gid::current().as_raw(),
        isolation,
        program: std::env::current_exe()?.to_string_lossy().into_owned(),
        slurm,
        programs,
        loopback: loopback(),
        first_port: first_port(store, isolation, wanted),
        folder,
    })
}

/// The cluster's folder stands in slurm.conf and in socket names, which allow neither all
/// characters nor all lengths.
fn folder_of(store: &Store) -> Result<String, Failure> {
    const LENGTH_MAX: usize = 80; // a socket's path has 107 bytes
    let folder = std::path::absolute(store.folder())?;
    let text = folder.to_string_lossy().into_owned();
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@".contains(c));
    if plain && text.len() <= LENGTH_MAX {
        return Ok(text);
    }
    let why = if plain { "is too long" } else { "has characters that Slurm cannot take" };
    Err(Failure::refused(format!("the cluster's folder {text} {why}"))
        .hint("choose another with TRAINYARD_HOME, for example: TRAINYARD_HOME=/var/tmp/ty"))
}

/// Root keeps nodes apart by namespaces, where the kernel lets it.
fn isolation(choice: IsolationChoice) -> Result<Isolation, Failure> {
    if choice == IsolationChoice::Shared {
        return Ok(Isolation::Shared);
    }
    let possible = Uid::effective().is_root() && namespaces_work();
    match (possible, choice) {
        (true, _) => Ok(Isolation::Namespaces),
        (false, IsolationChoice::Namespaces) => {
            Err(Failure::refused("`rehearsal.isolation: namespaces` needs root and a kernel that allows name spaces")
                .hint("run it with sudo, or remove the setting: nodes then share this machine"))
        }
        (false, _) => Ok(Isolation::Shared),
    }
}

fn namespaces_work() -> bool {
    let probe = Command::new("unshare").args(["--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "true"]).run();
    probe.is_ok()
}

fn programs(isolation: Isolation) -> Result<BTreeMap<String, String>, Failure> {
    let apart: &[_] = if isolation == Isolation::Namespaces { NEEDED_APART } else { &[] };
    let mut found = BTreeMap::new();
    let mut missing = Vec::new();
    for need in NEEDED.iter().chain(apart) {
        match find(need.0) {
            Some(path) => drop(found.insert(need.0.to_owned(), path.to_string_lossy().into_owned())),
            None => missing.push(*need),
        }
    }
    if let Some(agent) = agent() {
        found.insert(AGENT.to_owned(), agent.to_string_lossy().into_owned());
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let names: Vec<&str> = missing.iter().map(|need| need.0).collect();
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    Err(Failure::refused(format!("a rehearsal needs {}, which this machine does not have", names.join(", ")))
        .hint(install_command(&release, &missing)))
}

/// The agent that came with this program, or any. Nodes do without it, and have no metrics then.
fn agent() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.with_file_name(AGENT);
    if is_program(&beside) { Some(beside) } else { find(AGENT) }
}

/// The command that installs what is missing, for the distribution that `release` describes.
fn install_command(release: &str, missing: &[(&str, &str, &str)]) -> String {
    let ids: Vec<&str> = release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|ids| ids.trim_matches('"').split(' '))
        .collect();
    let list = |pick: fn(&(&str, &str, &str)) -> String| {
        let mut packages: Vec<String> = missing.iter().map(pick).collect();
        packages.sort();
        packages.dedup();
        packages.join(" ")
    };
    let is = |names: &[&str]| ids.iter().any(|id| names.contains(id));
    if is(&["debian", "ubuntu"]) {
        return format!("sudo apt-get install --no-install-recommends {}", list(|need| need.1.to_owned()));
    }
    let fedora = list(|need| need.2.to_owned());
    if is(&["fedora"]) {
        return format!("sudo dnf install {fedora}");
    }
    if is(&["rhel", "centos", "rocky", "almalinux"]) {
        return format!("sudo dnf install epel-release && sudo dnf install {fedora}");
    }
    if is(&["suse", "opensuse", "opensuse-tumbleweed", "opensuse-leap"]) {
        return "sudo zypper install slurm slurm-munge slurm-node munge iproute2".to_owned();
    }
    if is(&["arch"]) {
        return "sudo pacman -S slurm-llnl munge iproute2".to_owned();
    }
    format!("install Slurm and munge with your package manager (on Debian: {})", list(|need| need.1.to_owned()))
}

/// Slurm binds to what the host name stands for. Only 127.0.0.1 will do: answers come back to it, whatever
/// loopback address was asked (Debian's usual 127.0.1.1 is not heard).
fn loopback() -> Option<String> {
    let name = nix::unistd::gethostname().ok()?;
    let addresses = (name.to_str()?, 0_u16).to_socket_addrs().ok()?;
    let found: Vec<IpAddr> = addresses.map(|address| address.ip()).filter(IpAddr::is_ipv4).collect();
    let plain = IpAddr::from([127, 0, 0, 1]);
    (!found.is_empty() && found.iter().all(|address| *address == plain)).then(|| plain.to_string())
}

/// Daemons stand in /usr/sbin, which an ordinary user's PATH may lack.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let fixed = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
    std::env::split_paths(&path)
        .chain(fixed.iter().map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn slurm_version(programs: &BTreeMap<String, String>) -> Result<(u32, u32, u32), Failure> {
    let program = programs.get("slurmctld").cloned().unwrap_or_default();
    let said = Command::new(&program).arg("-V").run()?.stdout;
    parse_version(&said).ok_or_else(|| {
        Failure::refused(format!("`{program} -V` says `{}`, which names no version", said.trim()))
            .hint("trainyard knows Slurm 22.05 to 25.11")
    })
}

/// `slurm-wlm 22.05.8` and `slurm 24.11.5` alike.
fn parse_version(said: &str) -> Option<(u32, u32, u32)> {
    let numbers = said.split_whitespace().last()?;
    let mut parts = numbers.split(['.', '-']).map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

/// A free range of ports, for nodes that share this machine's network. A cluster that stands keeps its own.
fn first_port(store: &Store, isolation: Isolation, nodes: u32) -> u16 {
    const FIRST: u16 = 17_800;
    if isolation == Isolation::Namespaces {
        return FIRST;
    }
    let stands = store.at("journal.jsonl").is_file()
        && Journal::open(&store.at("journal.jsonl")).is_ok_and(|journal| journal.is_live());
    if let (true, Ok(Some(plan))) = (stands, store.plan())
        && let Ok(rehearsed) = plan.rehearsed()
    {
        return rehearsed.facts.first_port;
    }
    // A daemon of Slurm's and an agent for each node and the head.
    let wide = u16::try_from(2 * (nodes.min(4096) + 1)).unwrap_or(u16::MAX);
    (FIRST..60_000)
        .step_by(usize::from(wide.max(100)))
        .find(|first| {
            // The first few tell whether another cluster sits there; trying thousands would be slow.
            (*first..first.saturating_add(wide.min(64))).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        })
        .unwrap_or(FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_programs_come_with_the_distributions_command() {
        let missing = [NEEDED[0], NEEDED[2], NEEDED[4], NEEDED[5]];
        for (release, command) in [
            ("ID=debian\n", "sudo apt-get install --no-install-recommends munge slurm-client slurmd"),
            (
                "NAME=x\nID=ubuntu\nID_LIKE=debian\n",
                "sudo apt-get install --no-install-recommends munge slurm-client slurmd",
            ),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "sudo dnf install munge slurm slurm-slurmd"),
            ("ID=fedora\n", "sudo dnf install munge slurm slurm-slurmd"),
            ("", "install Slurm and munge with your package manager (on Debian: munge slurm-client slurmd)"),
        ] {
            assert_eq!(install_command(release, &missing), command);
        }
    }

    #[test]
    fn versions_are_read_from_what_slurm_says() {
        assert_eq!(parse_version("slurm-wlm 22.05.8\n"), Some((22, 5, 8)));
        assert_eq!(parse_version("slurm 25.11.0-1"), Some((25, 11, 0)));
        assert_eq!(parse_version("slurm"), None);
        assert_eq!(parse_version(""), None);
    }
}
