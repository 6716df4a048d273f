//! The journal of a cluster, which a crash may cut anywhere.

use std::cell::RefCell;

use trainyard_provider::engine::{Journal, What};

use super::{folder, put};
use crate::{Target, seeds};

pub(super) static TARGET: Target =
    Target { name: "journal", about: "the journal of a cluster, cut or written over", seeds: written, run };

thread_local! {
    static FOLDER: RefCell<tempfile::TempDir> = RefCell::new(folder());
}

fn written() -> Vec<Vec<u8>> {
    let folder = folder();
    let path = folder.path().join("journal");
    if let Ok(mut journal) = Journal::open(&path) {
        for what in
            [What::Begin("1".into()), What::Done("1".into()), What::UndoBegin, What::Failed("x".into()), What::Undone]
        {
            let _ = journal.write("network", what);
        }
    }
    seeds::file(&path).into_iter().collect()
}

fn run(data: &[u8]) {
    let path = FOLDER.with_borrow(|folder| folder.path().join("journal"));
    put(&path, data);
    let seen = Journal::read(&path);
    let opened = Journal::open(&path);
    assert_eq!(seen.is_ok(), opened.is_ok(), "reading it and opening it differ");
    let Ok(mut journal) = opened else { return };
    // What is written behind whatever was there is there at the next reading.
    journal.write("a step", What::Begin("2".into())).unwrap_or_else(|error| panic!("{error}"));
    let again = Journal::read(&path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again.state("a step"), journal.state("a step"));
    assert_eq!(again.open_steps(), journal.open_steps());
}
