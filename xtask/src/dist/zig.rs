//! cargo-zigbuild and zig: the C compiler, the linker and the C library of every target.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::sbom::{self, Beside};
use super::tools::{self, command, said};
use super::{Making, Program, Target};

/// Rust's installations do not always have its licences beside them.
const RUST: &str = "Rust's standard library, Copyright (c) The Rust Project contributors, is used under the Apache License, \
                    Version 2.0, whose text is in this file. With it comes LLVM's libunwind, under the same license with \
                    LLVM's exceptions: https://github.com/rust-lang/rust/blob/master/COPYRIGHT";

/// The tools, and where they build.
pub struct Zig {
    /// The Python environment that has them.
    pub environment: PathBuf,
    /// Cargo's build folder.
    pub build: PathBuf,
}

/// What a build gave.
pub struct Compiled {
    /// The program.
    pub program: PathBuf,
    /// The ids of all packages that were compiled for the target.
    pub packages: BTreeSet<String>,
    /// How many units were there already.
    pub fresh: usize,
    /// How many were compiled now.
    pub new: usize,
}

impl Zig {
    /// Makes the environment where it is missing.
    pub fn new(root: &Path, build: PathBuf) -> Result<Self, String> {
        Ok(Self { environment: tools::environment(root, "dist")?, build })
    }

    /// Builds a program for a target.
    pub fn compile(&self, making: &Making, program: &Program, target: &Target) -> Result<Compiled, String> {
        let (triple, asked) = program.triple(target);
        let (rust, c) = self.flags(making);
        let cache = self.build.join("zig");
        let mut cargo = command(self.environment.join("bin/cargo-zigbuild"));
        cargo.args([
            "zigbuild",
            "--locked",
            "--package",
            program.package,
            "--profile",
            program.profile,
            "--target",
            &asked,
        ]);
        cargo.args(["--message-format", "json-render-diagnostics"]);
        cargo.current_dir(&making.root).stderr(Stdio::inherit());
        cargo.env("PATH", self.path()?).env("CARGO_TARGET_DIR", &self.build);
        cargo.env("CARGO_ENCODED_RUSTFLAGS", rust).env("CFLAGS", c).env("SOURCE_DATE_EPOCH", &making.commit.seconds);
        cargo.env("CARGO_ZIGBUILD_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", cache.join("local"));
        cargo.env("ZIG_GLOBAL_CACHE_DIR", cache.join("global"));
        let messages = said(&mut cargo)?;
        let own = self.build.join(triple);
        let program = own.join(program.profile).join(program.name);
        let mut compiled = Compiled { program, packages: BTreeSet::new(), fresh: 0, new: 0 };
        // What is compiled for this machine (macros, build scripts) lies elsewhere.
        for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if message["reason"] != "compiler-artifact" {
                continue;
            }
            if message["fresh"] == true {
                compiled.fresh += 1;
            } else {
                compiled.new += 1;
            }
            let files = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
            if let (Some(id), true) =
                (message["package_id"].as_str(), files.into_iter().any(|file| Path::new(file).starts_with(&own)))
            {
                compiled.packages.insert(id.to_owned());
            }
        }
        let reachable = sbom::reachable(&making.metadata);
        match compiled.packages.difference(&reachable).next() {
            Some(id) => Err(format!("{id} was compiled for {triple}, and cargo metadata does not say what for")),
            None => Ok(compiled),
        }
    }

    /// Flags of rustc and of the C compiler that keep this machine's paths out of the program.
    fn flags(&self, making: &Making) -> (OsString, String) {
        let mut names = vec![(self.build.clone(), "/build"), (making.root.clone(), "/trainyard")];
        names.extend(making.registries().into_iter().map(|registry| (registry, "/crates")));
        let rust: Vec<String> =
            names.iter().map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display())).collect();
        let c: Vec<String> =
            names.iter().map(|(path, name)| format!("-ffile-prefix-map={}={name}", path.display())).collect();
        // Cargo's own separator: a path may have a space.
        (rust.join("\u{1f}").into(), c.join(" "))
    }

    fn path(&self) -> Result<OsString, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = std::iter::once(self.environment.join("bin"));
        std::env::join_paths(own.chain(std::env::split_paths(&path))).map_err(|error| format!("PATH: {error}"))
    }

    /// The versions of everything that built.
    pub fn versions(&self) -> Result<Vec<(&'static str, String)>, String> {
        let first = |said: String| said.lines().next().unwrap_or_default().trim().to_owned();
        let ask = |program: PathBuf, arguments: &[&str]| said(command(program).args(arguments)).map(first);
        Ok(vec![
            ("rustc", ask("rustc".into(), &["--version"])?),
            ("cargo-zigbuild", ask(self.environment.join("bin/cargo-zigbuild"), &["--version"])?),
            ("zig", self.zig_version()?),
            ("musl", self.musl()?),
            ("machine", ask("uname".into(), &["-srm"])?),
        ])
    }

    /// What is linked beside cargo's packages.
    pub fn libraries(&self) -> Result<Vec<Beside>, String> {
        let rustc = said(command("rustc").arg("-vV"))?;
        let release = rustc.lines().find_map(|line| line.strip_prefix("release: ")).unwrap_or_default();
        let library = |name: &str, version: &str, license: &str, about: &str| {
            let [name, version, license, about] = [name, version, license, about].map(str::to_owned);
            Beside { name, version, license, about }
        };
        Ok(vec![
            library(
                "rust-std",
                release,
                "(MIT OR Apache-2.0) AND Apache-2.0 WITH LLVM-exception",
                "Rust's standard library as it comes with the compiler, and LLVM's libunwind",
            ),
            library("musl", &self.musl()?, "MIT", "The C library, as zig brings it"),
            library("zig-compiler-rt", &self.zig_version()?, "MIT", "The runtime of zig's C compiler"),
        ])
    }

    /// The licences of these: a name and a text.
    pub fn licenses(&self) -> Result<Vec<(String, String)>, String> {
        let read = |path: PathBuf| fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()));
        let home = self.zig_home()?;
        Ok(vec![
            (format!("musl {}", self.musl()?), read(home.join("lib/libc/musl/COPYRIGHT"))?),
            (format!("zig-compiler-rt {}", self.zig_version()?), read(home.join("LICENSE"))?),
            ("rust-std".to_owned(), RUST.to_owned()),
        ])
    }

    fn zig_version(&self) -> Result<String, String> {
        let version = said(command(self.environment.join("bin/python")).args(["-m", "ziglang", "version"]))?;
        Ok(version.trim().to_owned())
    }

    fn musl(&self) -> Result<String, String> {
        let file = self.zig_home()?.join("lib/libc/musl/src/internal/version.h");
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let version = text.split('"').nth(1).ok_or_else(|| format!("{} names no version", file.display()))?;
        Ok(version.to_owned())
    }

    fn zig_home(&self) -> Result<PathBuf, String> {
        let ask = "import ziglang, os; print(os.path.dirname(ziglang.__file__))";
        said(command(self.environment.join("bin/python")).args(["-c", ask])).map(|folder| PathBuf::from(folder.trim()))
    }
}
