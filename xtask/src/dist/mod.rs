//! What is given out: the static program and the agent beside it, their archives, checksums, the bill of materials, and what was tried on which
//! target.
//!
//! Nothing appears in the output folder unless everything that could be tried held.

mod agent;
pub mod elf;
pub mod linked;
mod notices;
mod record;
pub mod sbom;
mod tools;
mod trial;
mod zig;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;
use sha2::Sha256;

use record::{Built, Made, Record};
use tools::{Commit, command, said};
use trial::{Subject, Tried};
use zig::{Compiled, Zig};

/// A machine that programs are made for.
pub struct Target {
    /// Its name, as Rust has it.
    pub triple: &'static str,
    /// What the header of its programs says.
    pub machine: u16,
    /// The same machine as `std::env::consts::ARCH` names it.
    arch: &'static str,
    /// What runs its programs on other machines.
    emulator: &'static str,
    /// The same machine with glibc, which the agent is made for.
    glibc: &'static str,
    /// What loads programs with glibc there.
    loader: &'static str,
    /// Where Debian's `libc6-…-cross` puts glibc for the emulator.
    libraries: &'static str,
}

/// A program that is given out.
pub(crate) struct Program {
    package: &'static str,
    name: &'static str,
    /// The profile of Cargo.toml.
    profile: &'static str,
    /// Whether it is linked with glibc, and not with musl and static.
    has_glibc: bool,
}

static TRAINYARD: Program = Program { package: "trainyard", name: "trainyard", profile: "dist", has_glibc: false };
static AGENT: Program =
    Program { package: "trainyard-node", name: "trainyard-agent", profile: "dist-agent", has_glibc: true };

impl Program {
    /// Its target as Rust knows it, and as cargo-zigbuild is asked for it.
    fn triple(&self, target: &Target) -> (&'static str, String) {
        let (major, minor) = agent::GLIBC;
        if self.has_glibc {
            (target.glibc, format!("{}.{major}.{minor}", target.glibc))
        } else {
            (target.triple, target.triple.to_owned())
        }
    }
}

/// Every target, in the order in which it is built. `scripts/install.sh` knows them, too.
pub static TARGETS: &[&Target] = &[
    &Target {
        triple: "x86_64-unknown-linux-musl",
        machine: elf::X86_64,
        arch: "x86_64",
        emulator: "qemu-x86_64-static",
        glibc: "x86_64-unknown-linux-gnu",
        loader: "/lib64/ld-linux-x86-64.so.2",
        libraries: "/usr/x86_64-linux-gnu",
    },
    &Target {
        triple: "aarch64-unknown-linux-musl",
        machine: elf::AARCH64,
        arch: "aarch64",
        emulator: "qemu-aarch64-static",
        glibc: "aarch64-unknown-linux-gnu",
        loader: "/lib/ld-linux-aarch64.so.1",
        libraries: "/usr/aarch64-linux-gnu",
    },
];

/// The installer, which is given out as it is.
pub const INSTALLER: &str = "scripts/install.sh";
/// Its marker in an output folder: such a folder may be replaced.
const RECORD: &str = "dist.json";
/// What is asked.
pub struct Request {
    /// The workspace.
    pub root: PathBuf,
    /// Where everything goes; without it, `packages` in the build folder.
    pub out: Option<PathBuf>,
    /// Names of targets; none are all.
    pub targets: Vec<String>,
    /// Only the agent is built and tried, and no folder is written.
    pub is_agent_only: bool,
}

/// Builds, tries, and writes the output folder. `tell` hears what is going on; the result is the folder and what was
/// found, as text.
pub fn run(request: &Request, tell: &dyn Fn(&str)) -> Result<String, String> {
    if request.is_agent_only && request.out.is_some() {
        return Err(
            "--agent-only writes no folder, so there is nothing to put into --out: leave one of them away".into()
        );
    }
    let root = fs::canonicalize(&request.root).map_err(|error| format!("{}: {error}", request.root.display()))?;
    let targets = chosen(&request.targets)?;
    let commit = Commit::of(&root)?;
    for target in &targets {
        if !request.is_agent_only {
            tools::add_target(target.triple)?;
        }
        tools::add_target(target.glibc)?;
    }
    let metadata = metadata(&root, &targets)?;
    let build = PathBuf::from(metadata["target_directory"].as_str().unwrap_or("target"));
    let out = request.out.clone().unwrap_or_else(|| build.join("packages"));
    let out = std::path::absolute(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    may_replace(&out)?;
    let work = out.with_file_name(format!(".{}.partial", name(&out)));
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;

    tell("making the tools ready: cargo-zigbuild and zig, by a lock file with hashes");
    let zig = Zig::new(&root, build)?;
    let version = version(&metadata)?;
    let making = Making { root, metadata, zig, commit, version, work };
    if request.is_agent_only {
        let page = making.agents(&targets, tell)?;
        return fs::remove_dir_all(&making.work)
            .map(|()| page)
            .map_err(|error| format!("{}: {error}", making.work.display()));
    }
    let page = making.everything(&targets, tell)?;
    let _ = fs::remove_dir_all(&out);
    fs::rename(&making.work, &out).map_err(|error| format!("{}: {error}", out.display()))?;
    Ok(format!("{page}\nwritten: {}", out.display()))
}

/// All that stays the same while everything is made.
struct Making {
    root: PathBuf,
    metadata: Value,
    zig: Zig,
    commit: Commit,
    version: String,
    /// What becomes the output folder.
    work: PathBuf,
}

impl Making {
    fn everything(&self, targets: &[&'static Target], tell: &dyn Fn(&str)) -> Result<String, String> {
        tell("building the debug program, to compare answers with");
        let answers = trial::Answers::of(&self.root, &self.debug_program()?)?;
        let mut built = Vec::new();
        let mut linked = BTreeMap::new();
        for target in targets {
            let (cli, cli_packages) =
                self.made(&TRAINYARD, target, tell, &|subject| trial::all(subject, &self.root, &answers))?;
            let (agent, agent_packages) = self.made(&AGENT, target, tell, &agent::all)?;
            let packages = cli_packages.union(&agent_packages).cloned().collect();
            let programs = vec![cli, agent];
            let archive = self.pack(target, &programs, &packages)?;
            built.push(Built {
                target: target.triple,
                archive: Digest::of(&self.work.join(&archive))?,
                name: archive,
                programs,
            });
            linked.insert(target.triple.to_owned(), cli_packages);
            linked.insert(target.glibc.to_owned(), agent_packages);
        }
        let (bill, judged) = self.bill(&linked, &built)?;
        fs::copy(self.root.join(INSTALLER), self.work.join("install.sh"))
            .map_err(|error| format!("{INSTALLER}: {error}"))?;
        let tools = self.zig.versions()?;
        let record = Record {
            version: &self.version,
            commit: &self.commit,
            tools: &tools,
            bill: &bill,
            judged: &judged,
            built: &built,
        };
        self.write(RECORD, &pretty(&record.json()))?;
        let page = record.page();
        self.write("BUILD.md", &page)?;
        self.write("SHA256SUMS", &self.sums()?)?;
        Ok(page)
    }

    /// The agent alone: where the programs are, and what was tried.
    fn agents(&self, targets: &[&'static Target], tell: &dyn Fn(&str)) -> Result<String, String> {
        let mut page = String::new();
        for target in targets {
            let (agent, _) = self.made(&AGENT, target, tell, &agent::all)?;
            page.push_str(&agent.page());
            let _ = writeln!(page, "- it is {}", agent.file.display());
        }
        Ok(page)
    }

    /// One program, built and tried, and the packages in it.
    fn made(
        &self,
        program: &Program,
        target: &'static Target,
        tell: &dyn Fn(&str),
        all: &dyn Fn(&Subject<'_>) -> Result<Vec<Tried>, String>,
    ) -> Result<(Made, BTreeSet<String>), String> {
        let (triple, _) = program.triple(target);
        tell(&format!("building {} for {triple}", program.name));
        let begun = Instant::now();
        let Compiled { program: file, packages, fresh, new } = self.zig.compile(self, program, target)?;
        let seconds = begun.elapsed().as_secs_f64();
        tell(&format!("trying {} for {triple}", program.name));
        let private = self.private();
        let tried = all(&Subject { target, program: &file, version: &self.version, private: &private })?;
        let digest = Digest::of(&file)?;
        let made = Made {
            name: program.name,
            target: triple,
            digest,
            file,
            seconds,
            fresh,
            new,
            packages: packages.len(),
            tried,
        };
        Ok((made, packages))
    }

    /// A debug build: as everybody makes it, without zig and without flags.
    fn debug_program(&self) -> Result<PathBuf, String> {
        let mut cargo = tools::cargo();
        let arguments = ["build", "--locked", "--package", "trainyard"];
        said(cargo.args(arguments).current_dir(&self.root).stderr(Stdio::inherit()))?;
        Ok(self.zig.build.join("debug/trainyard"))
    }

    /// Paths that are only on this machine, and must not be in a program.
    fn private(&self) -> Vec<String> {
        let mut private = vec![self.root.clone(), self.zig.build.clone(), self.zig.environment.clone()];
        private.extend(self.registries());
        private.iter().map(|path| format!("{}/", path.display())).collect()
    }

    /// The folders that packages were unpacked in.
    fn registries(&self) -> BTreeSet<PathBuf> {
        let packages = self.metadata["packages"].as_array().into_iter().flatten();
        let foreign = packages.filter(|package| !package["source"].is_null());
        let manifests = foreign.filter_map(|package| package["manifest_path"].as_str());
        manifests.filter_map(|manifest| Path::new(manifest).ancestors().nth(2)).map(Path::to_path_buf).collect()
    }

    /// The archive of one target; its bytes depend on its content and the commit only.
    fn pack(&self, target: &Target, programs: &[Made], packages: &BTreeSet<String>) -> Result<String, String> {
        let folder = format!("trainyard-{}-{}", self.version, target.triple);
        let inside = self.work.join(&folder);
        fs::create_dir_all(&inside).map_err(|error| format!("{}: {error}", inside.display()))?;
        let texts = ["LICENSE", "README.md"].map(|name| (self.root.join(name), name));
        for (from, to) in programs.iter().map(|made| (made.file.clone(), made.name)).chain(texts) {
            fs::copy(&from, inside.join(to)).map_err(|error| format!("{}: {error}", from.display()))?;
        }
        let texts = notices::notices(&self.metadata, packages, &self.zig.licenses()?)?;
        self.write(&format!("{folder}/THIRD_PARTY.txt"), &texts)?;
        let archive = format!("{folder}.tar.gz");
        let mut tar = command("tar");
        tar.args(["--sort=name", "--format=ustar", "--owner=0", "--group=0", "--numeric-owner"]);
        tar.args([
            "--mode=u=rwX,go=rX",
            &format!("--mtime=@{}", self.commit.seconds),
            "--use-compress-program=gzip -n -9",
        ]);
        said(tar.args(["-cf", &archive, &folder]).current_dir(&self.work))?;
        fs::remove_dir_all(&inside).map_err(|error| format!("{}: {error}", inside.display()))?;
        Ok(archive)
    }

    /// The bill's file, and what CycloneDX's own schema says about it.
    fn bill(&self, linked: &BTreeMap<String, BTreeSet<String>>, built: &[Built]) -> Result<(String, String), String> {
        let archive = |one: &Built| (one.name.clone(), one.target.to_owned(), one.archive.sha256.clone());
        let archives: Vec<_> = built.iter().map(archive).collect();
        let lock = self.root.join("Cargo.lock");
        let bill = sbom::bill(&sbom::Input {
            metadata: &self.metadata,
            lock: &fs::read_to_string(&lock).map_err(|error| format!("{}: {error}", lock.display()))?,
            linked,
            beside: &self.zig.libraries()?,
            repository: &repository(&self.root)?,
            commit: &self.commit.id,
            time: &self.commit.time,
            archives: &archives,
        })?;
        let file = format!("trainyard-{}.cdx.json", self.version);
        self.write(&file, &pretty(&bill))?;
        let judge = tools::environment(&self.root, "sbom")?.join("bin/python");
        let script = self.root.join("scripts/validate_sbom.py");
        let judged = said(command(judge).arg(script).arg(self.work.join(&file)))?;
        Ok((file, judged.trim().to_owned()))
    }

    /// Every file of the output folder, as `sha256sum --check` reads it.
    fn sums(&self) -> Result<String, String> {
        let say = |error: std::io::Error| format!("{}: {error}", self.work.display());
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&self.work).map_err(say)? {
            names.insert(entry.map_err(say)?.file_name().to_string_lossy().into_owned());
        }
        let line = |file: &String| Ok(format!("{}  {file}\n", Digest::of(&self.work.join(file))?.sha256));
        names.iter().map(line).collect()
    }

    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        fs::write(self.work.join(file), text).map_err(|error| format!("{file}: {error}"))
    }
}

/// A file's size and digest.
struct Digest {
    bytes: usize,
    sha256: String,
}

impl Digest {
    fn of(file: &Path) -> Result<Self, String> {
        let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Self { bytes: bytes.len(), sha256: hex(&<Sha256 as sha2::Digest>::digest(&bytes)) })
    }
}

fn chosen(names: &[String]) -> Result<Vec<&'static Target>, String> {
    if names.is_empty() {
        return Ok(TARGETS.to_vec());
    }
    let known = || TARGETS.iter().map(|target| target.triple).collect::<Vec<_>>().join(", ");
    let find = |name: &String| {
        let target = TARGETS.iter().find(|target| target.triple == name);
        target.copied().ok_or_else(|| format!("{name} is no target that is given out; there are: {}", known()))
    };
    names.iter().map(find).collect()
}

fn metadata(root: &Path, targets: &[&Target]) -> Result<Value, String> {
    let mut cargo = tools::cargo();
    cargo.args(["metadata", "--locked", "--format-version", "1"]).current_dir(root).stderr(Stdio::inherit());
    for target in targets {
        cargo.args(["--filter-platform", target.triple, "--filter-platform", target.glibc]);
    }
    serde_json::from_str(&said(&mut cargo)?).map_err(|error| format!("cargo metadata: {error}"))
}

fn version(metadata: &Value) -> Result<String, String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let version =
        packages.filter(|package| package["name"] == "trainyard").find_map(|package| package["version"].as_str());
    version.map(str::to_owned).ok_or_else(|| "cargo metadata knows no package trainyard".to_owned())
}

/// As Cargo.toml says it for the whole workspace.
fn repository(root: &Path) -> Result<String, String> {
    let file = root.join("Cargo.toml");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let manifest = toml::de::DeTable::parse(&text).map_err(|error| format!("Cargo.toml: {}", error.message()))?;
    let workspace = manifest.get_ref().get("workspace").and_then(|value| value.get_ref().as_table()?.get("package"));
    let repository = workspace.and_then(|value| value.get_ref().as_table()?.get("repository"));
    let repository = repository.and_then(|value| value.get_ref().as_str()).map(str::to_owned);
    repository.ok_or_else(|| "Cargo.toml names no repository in [workspace.package]".to_owned())
}

/// Nothing of somebody else is removed.
fn may_replace(out: &Path) -> Result<(), String> {
    let is_empty = fs::read_dir(out).map_or(!out.exists(), |mut entries| entries.next().is_none());
    if is_empty || out.join(RECORD).is_file() {
        return Ok(());
    }
    Err(format!("{} has something in it that `dist` did not write; name another folder with --out", out.display()))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
