//! What was built with what, and what was tried on which target: for programs, and for people.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::Digest;
use super::tools::Commit;
use super::trial::Tried;

/// One target's result.
pub struct Built {
    /// The target.
    pub target: &'static str,
    /// Its archive's name.
    pub name: String,
    /// The archive.
    pub archive: Digest,
    /// The programs in it.
    pub programs: Vec<Made>,
}

/// A program that was built.
pub struct Made {
    /// What it is called.
    pub name: &'static str,
    /// What it was built for, as Rust has it.
    pub target: &'static str,
    /// It.
    pub digest: Digest,
    /// Where it is now.
    pub file: PathBuf,
    /// How long the build took.
    pub seconds: f64,
    /// Units that were there already.
    pub fresh: usize,
    /// Units that were compiled.
    pub new: usize,
    /// Packages that are linked.
    pub packages: usize,
    /// What was tried.
    pub tried: Vec<Tried>,
}

impl Made {
    fn json(&self) -> Value {
        let tried = |tried: &Tried| json!({ "what": tried.what, "done": tried.done, "found": tried.found });
        json!({
            "name": self.name, "target": self.target, "bytes": self.digest.bytes, "sha256": self.digest.sha256,
            "build_seconds": self.seconds.round(), "units_compiled": self.new, "units_ready": self.fresh,
            "packages_linked": self.packages, "tried": self.tried.iter().map(tried).collect::<Vec<_>>(),
        })
    }

    /// What was tried, for people.
    pub fn page(&self) -> String {
        let mut page = format!("\n## {}, {}\n\n", self.name, self.target);
        for Tried { what, done, found } in &self.tried {
            let _ = writeln!(page, "- {}{what}: {found}", if *done { "" } else { "**not tried**: " });
        }
        page
    }
}

/// Everything that is told.
pub struct Record<'a> {
    /// The version.
    pub version: &'a str,
    /// The commit.
    pub commit: &'a Commit,
    /// Tools with their versions.
    pub tools: &'a [(&'static str, String)],
    /// The bill's file.
    pub bill: &'a str,
    /// Who judged it, and the verdict.
    pub judged: &'a str,
    /// The targets.
    pub built: &'a [Built],
}

impl Record<'_> {
    /// For programs.
    pub fn json(&self) -> Value {
        let targets = self.built.iter().map(|one| {
            json!({
                "target": one.target, "archive": one.name, "archive_bytes": one.archive.bytes,
                "archive_sha256": one.archive.sha256, "programs": one.programs.iter().map(Made::json).collect::<Vec<_>>(),
            })
        });
        let tools = self.tools.iter().map(|(name, version)| ((*name).to_owned(), json!(version)));
        json!({
            "version": self.version, "commit": self.commit.id, "commit_time": self.commit.time,
            "changed_since_commit": self.commit.changed, "tools": tools.collect::<serde_json::Map<_, _>>(),
            "bill_of_materials": { "file": self.bill, "judged": self.judged },
            "targets": targets.collect::<Vec<_>>(),
        })
    }

    /// For people.
    pub fn page(&self) -> String {
        let Commit { id, time, changed, .. } = self.commit;
        let changed = if *changed { ", **with changes that are in no commit**" } else { "" };
        let mut page = format!(
            "# trainyard {}: how it was built, and what was tried\n\nFrom commit {id} of {time}{changed}.\n\n",
            self.version
        );
        for (name, version) in self.tools {
            let _ = writeln!(page, "- {name}: {version}");
        }
        let _ = writeln!(page, "\n| archive | size |\n|---|---|");
        for one in self.built {
            let _ = writeln!(page, "| {} | {} |", one.name, mib(one.archive.bytes));
        }
        let _ = writeln!(page, "\n| program | target | size | build | compiled now |\n|---|---|---|---|---|");
        let made = || self.built.iter().flat_map(|one| &one.programs);
        for Made { name, target, digest, seconds, fresh, new, .. } in made() {
            let (size, units) = (mib(digest.bytes), fresh + new);
            let _ = writeln!(page, "| {name} | {target} | {size} | {seconds:.0} s | {new} of {units} units |");
        }
        page.extend(made().map(Made::page));
        let _ = write!(page, "\nThe bill of materials ({}): {}.\n", self.bill, self.judged);
        page
    }
}

fn mib(bytes: usize) -> String {
    // Tenths, in whole numbers.
    let tenths = (bytes * 10 + (1 << 19)) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
