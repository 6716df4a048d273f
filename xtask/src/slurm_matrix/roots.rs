//! Root folders with a distribution's Slurm, made once and kept.

use std::fs;
use std::path::{Path, PathBuf};

use super::programs::{said, with_own_mounts, within};

/// A distribution whose Slurm is tried.
pub(super) struct Distribution {
    pub(super) name: &'static str,
    suite: &'static str,
    /// The version of its Slurm.
    pub(super) slurm: &'static str,
    /// The plugin that lets its slurmd start where there are no control groups for it.
    pub(super) cgroups: &'static str,
    components: &'static str,
    from: From,
    /// Its controller has metrics of its own.
    pub(super) native: bool,
}

/// Who makes the root.
#[derive(PartialEq, Eq)]
enum From {
    /// This machine's debootstrap, with this machine's mirror where it is one of Debian's.
    Here,
    /// The debootstrap of the first root: it knows newer suites than this machine's may, and Debian signs the keys of
    /// Ubuntu's archive that it has.
    FirstRoot,
}

pub(super) const DISTRIBUTIONS: &[Distribution] = &[
    Distribution {
        name: "Debian 13",
        suite: "trixie",
        slurm: "24.11",
        cgroups: "disabled",
        components: "main",
        from: From::Here,
        native: false,
    },
    Distribution {
        name: "Ubuntu 24.04",
        suite: "noble",
        slurm: "23.11",
        cgroups: "cgroup/v1",
        components: "main,universe",
        from: From::FirstRoot,
        native: false,
    },
    Distribution {
        name: "Ubuntu 26.04",
        suite: "resolute",
        slurm: "25.11",
        cgroups: "disabled",
        components: "main,universe",
        from: From::FirstRoot,
        native: true,
    },
];

const PACKAGES: &str = "munge,slurm-client,slurmctld,slurmd";
const KEYS_PACKAGE: &str = "ubuntu-archive-keyring";
const KEYS: &str = "/usr/share/keyrings/ubuntu-archive-keyring.gpg";
/// For a root on a slow line.
const DEBOOTSTRAP_SECONDS: u64 = 1800;

/// A root that is ready.
pub(super) struct Root {
    pub(super) path: PathBuf,
}

/// The root of a distribution, made if it is not there.
pub(super) fn make(
    distribution: &Distribution,
    folder: &Path,
    first: Option<&Root>,
    tell: &dyn Fn(&str),
) -> Result<Root, String> {
    let path = folder.join(format!("slurm-{}", distribution.suite));
    let ready = path.join(".trainyard-ready");
    if ready.is_file() {
        return Ok(Root { path });
    }
    tell(&format!("  making {}; this takes minutes", path.display()));
    // What an earlier run left half done would fail in the middle.
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if path.exists() {
        fs::remove_dir_all(&path).map_err(failed)?;
    }
    fs::create_dir_all(folder).map_err(failed)?;
    match distribution.from {
        From::Here => {
            let mut debootstrap = with_own_mounts(DEBOOTSTRAP_SECONDS, "debootstrap");
            debootstrap.args(arguments(distribution)).args([distribution.suite.as_ref(), path.as_os_str()]);
            debootstrap.args(debian_mirror());
            said(&mut debootstrap).map_err(|error| {
                format!("{error}\nhint: it needs root, debootstrap and Debian's keys: sudo apt-get install debootstrap debian-archive-keyring")
            })?;
        }
        From::FirstRoot => {
            let first = first.ok_or("it is made from the root of Debian 13, which is not there")?;
            make_within(distribution, first)?;
            fs::rename(first.path.join("made"), &path).map_err(failed)?;
        }
    }
    fs::write(&ready, "").map_err(failed)?;
    Ok(Root { path })
}

fn arguments(distribution: &Distribution) -> Vec<String> {
    let (components, include) = (distribution.components, PACKAGES);
    vec![
        // Without it, a machine that lacks the keys gets a root that nobody signed, with a warning.
        "--force-check-gpg".to_owned(),
        "--variant=minbase".to_owned(),
        format!("--components={components}"),
        format!("--include={include}"),
    ]
}

/// `chroot FIRST debootstrap …`. The mirror is debootstrap's own default for the suite.
fn make_within(distribution: &Distribution, first: &Root) -> Result<(), String> {
    let chroot = |seconds: u64| {
        let mut command = with_own_mounts(seconds, "chroot");
        command.arg(&first.path);
        command
    };
    // The names of servers are found as on this machine.
    for file in ["etc/resolv.conf", "etc/hosts"] {
        let _ = fs::copy(Path::new("/").join(file), first.path.join(file)); // a machine may have none
    }
    let made = first.path.join("made");
    if made.exists() {
        fs::remove_dir_all(&made).map_err(|error| format!("{}: {error}", made.display()))?;
    }
    said(chroot(300).args(["apt-get", "-q", "-y", "update"]))?;
    said(chroot(300).args(["apt-get", "-q", "-y", "install", "--no-install-recommends", "debootstrap", KEYS_PACKAGE]))?;
    // All of Ubuntu's suites have one script, under the name of each; a debootstrap does not know those that came after it.
    let script = first.path.join("usr/share/debootstrap/scripts").join(distribution.suite);
    if !script.exists() {
        std::os::unix::fs::symlink("gutsy", &script).map_err(|error| format!("{}: {error}", script.display()))?;
    }
    let mut debootstrap = chroot(DEBOOTSTRAP_SECONDS);
    debootstrap.args(["debootstrap", "--keyring", KEYS]).args(arguments(distribution));
    said(debootstrap.args([distribution.suite, "/made"])).map(|_| ()).map_err(|error| {
        format!("{error}\nhint: Ubuntu's archive must be reached from here; without it nothing is said of its Slurm")
    })
}

/// The mirror of Debian that this machine itself uses; debootstrap has one of its own where there is none.
fn debian_mirror() -> Option<String> {
    let list =
        said(within(30, "apt-get").args(["indextargets", "--format", "$(ORIGIN) $(REPO_URI) $(COMPONENT)"])).ok()?;
    let mirror = list.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (origin, address, component) = (words.next()?, words.next()?, words.next()?);
        let is_archive = origin == "Debian" && component == "main" && !address.contains("security");
        is_archive.then(|| address.to_owned())
    });
    mirror.filter(|address| address.starts_with("http"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_root_is_made_of_what_nobody_signed() {
        for distribution in DISTRIBUTIONS {
            assert!(arguments(distribution).iter().any(|word| word == "--force-check-gpg"), "{}", distribution.name);
        }
    }
}
