//! What is read of the world outside, and by whom.

mod aws_answers;
mod dcgm;
mod hostlist;
mod journal;
mod kernel_log;
mod metrics;
mod node;
mod slurm;
mod slurm_status;
mod spec;
mod state;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use trainyard_node::exposition::{Format, write};
use trainyard_node::foreign::text;
use trainyard_node::sheet::Sheet;

use crate::Target;

/// Every target.
pub static TARGETS: &[&Target] = &[
    &aws_answers::TARGET,
    &dcgm::TARGET,
    &hostlist::TARGET,
    &journal::TARGET,
    &kernel_log::TARGET,
    &metrics::TARGET,
    &node::TARGET,
    &slurm::TARGET,
    &slurm_status::TARGET,
    &spec::TARGET,
    &state::TARGET,
];

/// What a collector made must be what a Prometheus takes: of one line that is none the whole scrape is lost, and of a series that
/// is there twice one value. The judge is the reader of other programs' metrics, which takes a page as a whole or not at all.
fn must_be_a_page(sheet: Sheet) {
    judge(&write(&[Arc::new(sheet.into_page())], Format::Classic));
}

/// The same for a table of the kernel's, which has no line twice.
fn must_be_a_page_but_for_repetitions(sheet: Sheet) {
    let page = write(&[Arc::new(sheet.into_page())], Format::Classic);
    let (mut seen, mut once) = (HashSet::new(), String::new());
    for line in page.lines() {
        if line.starts_with('#') || seen.insert(line.rsplit_once(' ').map_or(line, |(series, _)| series)) {
            once.extend([line, "\n"]);
        }
    }
    judge(&once);
}

fn judge(page: &str) {
    assert!(!page.contains("\r\n"), "a line ends as no Prometheus reads it: {page:?}");
    if let Err(what) = text::parse(page, usize::MAX) {
        panic!("{what}\n{page}");
    }
}

/// A folder for one target.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for the inputs: {error}"))
}

/// Writes a file, with the folders above it.
fn put(path: &Path, data: &[u8]) {
    let above = path.parent().map_or(Ok(()), fs_err::create_dir_all);
    above.and_then(|()| fs_err::write(path, data)).unwrap_or_else(|error| panic!("{error}"));
}
