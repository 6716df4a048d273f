//! Where inputs begin: what the repository has recorded, and what the machine says of itself.

use std::path::{Path, PathBuf};

/// Longer seeds are cut: a fuzzer changes them a few bytes at a time.
const BYTES_MAX: usize = 16 << 10;

/// A path in the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The files of a folder of the repository, in order, that end so.
pub fn files(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(repository(folder))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file() && path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    paths.iter().filter_map(|path| file(path)).collect()
}

/// A file's beginning; nothing where there is none.
pub fn file(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = fs_err::read(path).ok()?;
    bytes.truncate(BYTES_MAX);
    Some(bytes)
}

/// Each text as it is.
pub fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
