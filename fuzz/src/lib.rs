//! Fuzz targets for what reads the outside world. A target is one file and one line of [`TARGETS`].
//!
//! `./test` runs each over its seeds and over seeds that it changes by chance, always the same; `testing/fuzz` runs them under
//! libFuzzer, which looks for inputs that reach code that none reached before.

mod seeds;
mod targets;

pub use targets::TARGETS;

/// One target.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it reads, in one sentence.
    pub about: &'static str,
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Reads one input.
    ///
    /// # Panics
    ///
    /// Where the reader panics, or where what it made of the input cannot be right.
    pub run: fn(&[u8]),
}

/// The target of that name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}
