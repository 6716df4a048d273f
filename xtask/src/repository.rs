//! The files of a repository, read once for every check.
//!
//! Reading never stops at the first problem: what could not be read or lexed is kept in [`Repository::problems`].
//! Never follows links, and never enters build output or hidden folders that are not listed here.

use std::fs;
use std::path::Path;

use crate::source::Code;

/// The folders that the house rules are about. Root files are read too.
const FOLDERS: &[&str] = &["crates", "xtask", "testing", "fuzz", "examples", "docs", ".ci", ".github", ".cargo"];

/// Everything that the checks look at.
#[derive(Debug, Default)]
pub struct Repository {
    /// The text files, sorted by path.
    pub files: Vec<File>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// One text file.
#[derive(Debug)]
pub struct File {
    /// Its path below the root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its code, when it is a Rust file.
    pub code: Option<Code>,
}

/// A file or folder that could not be read.
#[derive(Debug)]
pub struct Problem {
    /// Its path below the root.
    pub path: String,
    /// The line, 1 when there is none.
    pub line: usize,
    /// What went wrong.
    pub what: String,
}

impl Repository {
    /// Reads the repository at `root`.
    pub fn read(root: &Path) -> Self {
        let mut repository = Self::default();
        repository.read_folder(root, "");
        repository.files.sort_by(|a, b| a.path.cmp(&b.path));
        repository
    }

    /// The file of that path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust files.
    pub fn code(&self) -> impl Iterator<Item = (&File, &Code)> {
        self.files.iter().filter_map(|file| Some((file, file.code.as_ref()?)))
    }

    /// The manifests of the workspace's members: of a crate with its folder's name, of the others with `testing`
    /// (all of them together), `xtask` or `fuzz`.
    pub fn manifests(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().filter_map(|file| match file.components().as_slice() {
            ["crates", name, "Cargo.toml"] => Some((*name, file)),
            [group @ "testing", _, "Cargo.toml"] | [group @ ("xtask" | "fuzz"), "Cargo.toml"] => Some((*group, file)),
            _ => None,
        })
    }

    fn read_folder(&mut self, folder: &Path, below: &str) {
        let entries = match fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => entries,
            Err(error) => {
                return self.problem(
                    if below.is_empty() { "." } else { below },
                    1,
                    format!("the folder cannot be read: {error}"),
                );
            }
        };
        // Cargo marks every build output folder with this file, wherever it is.
        if entries.iter().any(|entry| entry.file_name() == "CACHEDIR.TAG") {
            return;
        }
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    if is_ours(below, &name) {
                        self.read_folder(&entry.path(), &path);
                    }
                }
                Ok(kind) if kind.is_file() => self.read_file(&entry.path(), path),
                Ok(_) => {}
                Err(error) => self.problem(&path, 1, format!("its kind is unknown: {error}")),
            }
        }
    }

    fn read_file(&mut self, file: &Path, path: String) {
        let is_rust = file.extension().is_some_and(|extension| extension == "rs");
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) => return self.problem(&path, 1, format!("the file cannot be read: {error}")),
        };
        let Ok(text) = String::from_utf8(bytes) else {
            // Pictures and recorded logs are not text; there are no rules about them.
            if is_rust {
                self.problem(&path, 1, "the file is not UTF-8".to_owned());
            }
            return;
        };
        let code = match is_rust.then(|| Code::parse(&text)).transpose() {
            Ok(code) => code,
            Err(line) => return self.problem(&path, line, "the file is not Rust".to_owned()),
        };
        self.files.push(File { path, text, code });
    }

    fn problem(&mut self, path: &str, line: usize, what: String) {
        self.problems.push(Problem { path: path.to_owned(), line, what });
    }
}

impl File {
    /// The parts of its path.
    pub fn components(&self) -> Vec<&str> {
        self.path.split('/').collect()
    }

    /// The crate whose `src` it is in, when it is not a test's file.
    pub fn source_of(&self) -> Option<&str> {
        match self.components().as_slice() {
            ["crates", name, "src", rest @ ..] if !rest.iter().any(|part| matches!(*part, "tests" | "tests.rs")) => {
                Some(name)
            }
            _ => None,
        }
    }
}

fn is_ours(below: &str, name: &str) -> bool {
    if below.is_empty() { FOLDERS.contains(&name) } else { !name.starts_with('.') && name != "__pycache__" }
}
