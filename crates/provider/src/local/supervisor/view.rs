//! A node's view of the file system: this machine's programs, the cluster's folders at AWS's places,
//! and its own /tmp, /run, /dev/shm and /proc. Nothing of it is visible outside the node, and all of
//! it goes when the node goes.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use fs_err as fs;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, pivot_root};
use trainyard_plan::local::{Node, Rehearsed};

use crate::Failure;
use crate::failure::system;

/// Top-level folders of this machine that nodes do not see: they get their own.
static OWN: &[&str] = &["proc", "tmp", "run", "root", "fsx", "home", "trainyard", "lost+found"];

const NONE: Option<&str> = None;

pub(super) fn build(cluster: &Rehearsed, folder: &Path, node: &Node) -> Result<(), Failure> {
    let own = folder.join("nodes").join(&node.name);
    let root = own.join("root");
    for below in ["root", "tmp", "scratch"] {
        // A new node's disks are empty, whatever the lost one left on them.
        if own.join(below).exists() {
            fs::remove_dir_all(own.join(below))?;
        }
        fs::create_dir_all(own.join(below))?;
    }
    fs::set_permissions(own.join("tmp"), std::fs::Permissions::from_mode(0o1777))?;
    system(mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE), "keep mounts inside the node")?;
    fresh("tmpfs", &root, "mode=755,size=64m")?;
    let scratch = scratch_name(&cluster.scratch);
    for entry in fs::read_dir("/")? {
        let entry = entry?;
        let name = entry.file_name();
        if OWN.iter().any(|own| name == **own) || scratch.is_some_and(|scratch| name == *scratch) {
            continue;
        }
        let to = root.join(&name);
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, to)?;
        } else if kind.is_dir() {
            bind(&entry.path(), &to)?;
        }
    }
    protect(&root)?;
    bind(&own.join("tmp"), &root.join("tmp"))?;
    if root.join("var/tmp").is_dir() {
        over(&own.join("tmp"), &root.join("var/tmp"))?;
    }
    bind(&folder.join("shared/home/root"), &root.join("root"))?;
    bind(folder, &root.join("trainyard"))?;
    bind(&folder.join("shared/fsx"), &root.join("fsx"))?;
    bind(&folder.join("shared/home"), &root.join("home"))?;
    if let Some(scratch) = scratch {
        bind(&own.join("scratch"), &root.join(scratch))?;
    }
    fresh("tmpfs", &root.join("run"), "mode=755,size=64m")?;
    fresh("tmpfs", &root.join("dev/shm"), "mode=1777")?;
    fresh("proc", &root.join("proc"), "")?;
    // The kernel shows in /sys the interfaces of the network that it was mounted from.
    fresh("sysfs", &root.join("sys"), "")?;
    if root.join("sys/fs/cgroup").is_dir() && Path::new("/sys/fs/cgroup").is_dir() {
        bind(Path::new("/sys/fs/cgroup"), &root.join("sys/fs/cgroup"))?;
    }
    over(&folder.join("etc/hosts"), &root.join("etc/hosts"))?;
    if root.join("etc/slurm").is_dir() {
        over(&folder.join("etc"), &root.join("etc/slurm"))?;
    }
    for path in &cluster.expose {
        expose(Path::new(path), &root)?;
    }
    turn(&root)
}

/// Jobs may run as root here: what belongs to this machine is theirs to read, not to change.
fn protect(root: &Path) -> Result<(), Failure> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    for line in mounts.lines() {
        // The fifth field is the mount point, with blanks and the like as octal.
        let Some(at) = line.split(' ').nth(4).map(unescaped) else { continue };
        let Ok(below) = at.strip_prefix(root) else { continue };
        // Devices work on a read-only mount too, but kernel interfaces refuse the remount.
        let is_kernels = ["dev", "sys", "proc"].iter().any(|kernel| below.starts_with(kernel));
        if is_kernels || below.as_os_str().is_empty() {
            continue;
        }
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        // A mount of somebody else's (a user's FUSE, say) may refuse; it is then as protected as it was.
        let _ = mount(NONE, &at, NONE, flags, NONE);
    }
    Ok(())
}

fn unescaped(field: &str) -> PathBuf {
    PathBuf::from(field.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\"))
}

/// Scratch of the form `/name`, unless this machine has something there already.
fn scratch_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix('/')?;
    (!name.is_empty() && !name.contains('/') && !Path::new(path).exists()).then_some(name)
}

fn fresh(kind: &str, at: &Path, options: &str) -> Result<(), Failure> {
    make_folder(at)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let what = format!("mount {kind} at {}", at.display());
    system(mount(Some(kind), at, Some(kind), flags, Some(options)), &what)
}

fn bind(from: &Path, to: &Path) -> Result<(), Failure> {
    make_folder(to)?;
    over(from, to)
}

/// A mount point that is not there yet can only be made in what belongs to the cluster.
fn make_folder(at: &Path) -> Result<(), Failure> {
    if !at.is_dir() {
        fs::create_dir_all(at)?;
    }
    Ok(())
}

fn over(from: &Path, to: &Path) -> Result<(), Failure> {
    let what = format!("show {} at {}", from.display(), to.display());
    system(mount(Some(from), to, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE), &what)
}

/// Shows a folder of this machine that the node's own folders would hide, read-only.
fn expose(path: &Path, root: &Path) -> Result<(), Failure> {
    let mut parts = path.components().skip(1);
    let top = parts.next().map(|part| PathBuf::from(part.as_os_str()));
    let hidden = top.is_some_and(|top| ["tmp", "run", "home", "root"].iter().any(|own| top.as_os_str() == *own));
    if !hidden || !path.is_dir() {
        return Ok(());
    }
    let to = root.join(path.strip_prefix("/").unwrap_or(path));
    bind(path, &to)?;
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    system(mount(NONE, &to, NONE, flags, NONE), "make an exposed folder read-only")
}

/// Makes `root` the root, and lets go of the old one.
fn turn(root: &Path) -> Result<(), Failure> {
    let old = root.join("trainyard-old-root");
    fs::create_dir_all(&old)?;
    system(pivot_root(root, &old), "turn to the node's own root")?;
    system(chdir("/"), "go to the node's root")?;
    system(umount2("/trainyard-old-root", MntFlags::MNT_DETACH), "leave the machine's root")?;
    Ok(fs::remove_dir("/trainyard-old-root")?)
}
