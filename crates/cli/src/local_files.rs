//! Files beside the spec that it names: their sizes and digests, as facts. Nothing is followed out of the spec's folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use sha2::{Digest as _, Sha256};
use trainyard_plan::AwsFacts;
use trainyard_provider::Failure;
use trainyard_spec::Spec;
use trainyard_spec::facts::FileFacts;

/// More than this is a data set: that belongs into the data bucket.
const FILES_MAX: usize = 20_000;
const BYTES_MAX: u64 = 8 << 30;
/// A file that is larger than this is no set-up file; it is read whole when it is sent.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Takes them in among the facts of an account.
pub fn add(facts: &mut AwsFacts, spec: &Spec, file: &Path) -> Result<(), Failure> {
    facts.files = self::facts(spec, file)?;
    facts.assumed.remove("files");
    Ok(())
}

/// Every file that the spec names, by its path below the spec's folder.
pub fn facts(spec: &Spec, file: &Path) -> Result<BTreeMap<String, FileFacts>, Failure> {
    let base = folder_of(file);
    let mut paths: Vec<String> = Vec::new();
    for script in spec.setup.scripts.iter().filter_map(|script| script.script.strip_prefix("./")) {
        paths.push(script.to_owned());
    }
    if let Some(folder) = &spec.setup.files {
        walk(&base, folder.as_str().trim_start_matches("./"), &mut paths)?;
    }
    paths.sort();
    paths.dedup();
    hashed(&base, &paths)
}

/// The folder that a spec lies in.
pub fn folder_of(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

fn walk(base: &Path, below: &str, paths: &mut Vec<String>) -> Result<(), Failure> {
    let folder = base.join(below);
    let entries = fs::read_dir(&folder).map_err(|error| {
        Failure::bad(format!("`setup.files` names {}, which is no folder that can be read", folder.display()))
            .caused_by(error)
            .hint("make it, or take `files` out")
    })?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().filter(|name| !name.chars().any(char::is_control)).ok_or_else(|| {
            Failure::bad(format!("{} has a name that cannot be carried over", entry.path().display()))
                .hint("rename it: UTF-8, without control characters")
        })?;
        let path = format!("{below}/{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(base, &path, paths)?;
        } else if kind.is_file() {
            paths.push(path);
        } else {
            return Err(Failure::bad(format!("{} is neither a file nor a folder", entry.path().display()))
                .hint("links are not followed: put the file itself there"));
        }
        if paths.len() > FILES_MAX {
            return Err(Failure::bad(format!("{} holds more than {FILES_MAX} files", folder.display()))
                .hint("data sets belong into `storage.data_bucket`; `setup.files` is for what nodes are set up from"));
        }
    }
    Ok(())
}

/// Reads all files, on two threads: hashing is what takes the time.
fn hashed(base: &Path, paths: &[String]) -> Result<BTreeMap<String, FileFacts>, Failure> {
    let halves = paths.split_at(paths.len() / 2);
    let work = |paths: &[String]| -> Result<Vec<(String, FileFacts)>, Failure> {
        paths.iter().map(|path| Ok((path.clone(), one(&base.join(path))?))).collect()
    };
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| work(halves.1));
        let first = work(halves.0);
        (first, other.join().unwrap_or_else(|_| Err(Failure::internal("reading files ended early"))))
    });
    let all: BTreeMap<String, FileFacts> = first?.into_iter().chain(second?).collect();
    let bytes: u64 = all.values().map(|file| file.bytes).sum();
    if bytes > BYTES_MAX {
        return Err(Failure::bad(format!("the spec's files are {} GiB together", bytes >> 30))
            .hint("data sets belong into `storage.data_bucket`; `setup.files` is for what nodes are set up from"));
    }
    Ok(all)
}

fn one(path: &Path) -> Result<FileFacts, Failure> {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;
    let missing = |error: std::io::Error| {
        Failure::bad(format!("the spec names {}, which cannot be read", path.display()))
            .caused_by(error)
            .hint("paths that begin with ./ are looked for beside the spec")
    };
    let meta = fs::symlink_metadata(path).map_err(missing)?;
    if !meta.is_file() {
        return Err(Failure::bad(format!("{} is no file", path.display()))
            .hint("links are not followed: put the file itself there"));
    }
    if meta.len() > FILE_BYTES_MAX {
        return Err(Failure::bad(format!("{} is larger than {} GiB", path.display(), FILE_BYTES_MAX >> 30))
            .hint("fetch it from the data bucket instead"));
    }
    let mut file = fs::File::open(path).map_err(missing)?;
    let mut digest = Sha256::new();
    let (mut bytes, mut part) = (0, vec![0_u8; 1 << 17]);
    loop {
        let count = file.read(&mut part)?;
        if count == 0 {
            break;
        }
        bytes += count as u64;
        digest.update(&part[..count]);
    }
    let sha256 = trainyard_plan::hex(&digest.finalize());
    let mode = if meta.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
    Ok(FileFacts { sha256, bytes, mode })
}
