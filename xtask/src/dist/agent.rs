//! What is tried with the agent before it is given out. It loads NVIDIA's library, which is made for glibc, so it cannot be
//! static: what is held instead is that it asks nothing of a system that the oldest one does not have.

use std::fs;

use super::linked::Linked;
use super::tools::said;
use super::trial::{How, Subject, Tried, names_no_path};
use crate::scratch::Scratch;

/// Amazon Linux 2 has this one: the oldest that ParallelCluster's images have.
pub const GLIBC: (u64, u64) = (2, 26);

/// Parts of glibc, and what unwinds the stack.
const LIBRARIES: &[&str] = &["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1"];

/// It is on every node, and loaded at each start.
const BYTES_MAX: usize = 12_000_000;

/// What a p5 shows, and how often.
const SHOWN: &[(&str, usize)] = &[("DCGM_FI_DEV_GPU_UTIL{", 8), ("node_amazonefa_tx_bytes{", 32)];

/// Everything, in order. The error is what did not hold.
pub fn all(subject: &Subject<'_>) -> Result<Vec<Tried>, String> {
    let bytes = fs::read(subject.program).map_err(|error| format!("{}: {error}", subject.program.display()))?;
    let mut tried = vec![asks_little(subject, &bytes)?, is_small(subject, &bytes)?, names_no_path(subject, &bytes)?];
    match How::of_dynamic(subject.target) {
        Err(why) => {
            for what in ["starts", "shows a replay"] {
                tried.push(Tried { what, done: false, found: why.clone() });
            }
        }
        Ok(how) => tried.extend([starts(subject, &how)?, shows_a_replay(subject, &how)?]),
    }
    Ok(tried)
}

fn asks_little(subject: &Subject<'_>, bytes: &[u8]) -> Result<Tried, String> {
    let wrong = |what: String| format!("{} {what}", subject.program.display());
    let linked = Linked::read(bytes).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    subject.is_for_its_machine(bytes)?;
    let file = linked.loader.rsplit('/').next().unwrap_or_default();
    if linked.loader != subject.target.loader {
        return Err(wrong(format!("is loaded by {}, not by {}", linked.loader, subject.target.loader)));
    }
    // The loader is a library, too.
    if let Some(other) = linked.libraries.iter().find(|name| !LIBRARIES.contains(&name.as_str()) && *name != file) {
        return Err(wrong(format!("needs {other}, which not every system has")));
    }
    if linked.has_path {
        return Err(wrong("names folders of its own to look for libraries in".to_owned()));
    }
    let (major, minor) = GLIBC;
    let newer = linked.newer_than(GLIBC);
    if !newer.is_empty() {
        return Err(wrong(format!("needs {} and must do with GLIBC_{major}.{minor}", newer.join(", "))));
    }
    let found = format!("needs {}; {}", linked.libraries.join(", "), linked.versions.join(", "));
    Ok(Tried { what: "asks no newer glibc than 2.26, and no other library", done: true, found })
}

fn is_small(subject: &Subject<'_>, bytes: &[u8]) -> Result<Tried, String> {
    if bytes.len() > BYTES_MAX {
        return Err(format!("{} has {} bytes, and may have {BYTES_MAX}", subject.program.display(), bytes.len()));
    }
    Ok(Tried { what: "has at most 12 MB", done: true, found: format!("{} bytes", bytes.len()) })
}

fn starts(subject: &Subject<'_>, how: &How) -> Result<Tried, String> {
    let said = said(how.command(subject.program).arg("--version"))?;
    let wanted = format!("trainyard-agent {}", subject.version);
    if said.trim() != wanted {
        return Err(format!("{} says `{}` where `{wanted}` is right", subject.program.display(), said.trim()));
    }
    Ok(Tried { what: "starts", done: true, found: format!("`--version` says `{wanted}`, {}", how.name) })
}

/// It writes the files of a p5, and reads them with all of its threads.
fn shows_a_replay(subject: &Subject<'_>, how: &How) -> Result<Tried, String> {
    let folder = Scratch::new("dist-agent")?;
    said(how.command(subject.program).args(["replay", "write", "--profile", "p5"]).arg(folder.path()))?;
    let shown = ["print", "--only", "gpu,efa,xid", "--replay"];
    let page = said(how.command(subject.program).args(shown).arg(folder.path()))?;
    for (begin, wanted) in SHOWN {
        let found = page.lines().filter(|line| line.starts_with(begin)).count();
        if found != *wanted {
            return Err(format!("{} shows {found} of {wanted} series {begin}…}}", subject.program.display()));
        }
    }
    let lines = page.lines().filter(|line| !line.starts_with('#')).count();
    Ok(Tried { what: "shows a replay", done: true, found: format!("{lines} samples of a p5, {}", how.name) })
}
