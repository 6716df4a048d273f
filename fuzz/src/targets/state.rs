//! What the agent kept over a restart.

use std::cell::RefCell;

use trainyard_node::jobs::record::Record;
use trainyard_node::xid::Store;

use super::{folder, put};
use crate::{Target, seeds};

pub(super) static TARGET: Target = Target {
    name: "state",
    about: "what the agent kept over a restart: Xids, jobs, jobs that ended",
    seeds: || {
        seeds::texts(&[
            "{\"version\":1,\"boot\":\"b\",\"cursor\":7,\"xids\":[[[\"0000:53:00.0\",79],{\"count\":2,\"first\":1,\"last\":2}]],\"sxids\":[],\
             \"recent\":[]}",
            "{\"version\":1,\"boot\":\"b\",\"saved\":\"1970-01-01T00:00:00Z\",\"jobs\":[{\"jobid\":\"7\",\"seen_since\":\
             \"1970-01-01T00:00:00Z\",\"gpus\":[{\"gpu\":0,\"seconds\":1.5}]}]}",
        ])
    },
    run,
};

thread_local! {
    static FOLDER: RefCell<tempfile::TempDir> = RefCell::new(folder());
}

/// Xids, jobs that run, jobs that ended.
const FILES: [&str; 3] = ["xid.json", "jobs.json", "jobs.jsonl"];

fn run(data: &[u8]) {
    FOLDER.with_borrow(|folder| {
        let folder = folder.path();
        for file in FILES {
            put(&folder.join(file), data);
        }
        let (ledger, problem) = Store::new(Some(folder)).load();
        assert!(
            problem.is_some() || ledger == Store::new(Some(folder)).load().0,
            "it is read differently the second time"
        );
        let record = Record::new(folder);
        if let Ok(Some(running)) = record.running() {
            record.keep(&running).unwrap_or_else(|problem| panic!("{}", problem.told()));
            let again = record.running().ok().flatten();
            assert_eq!(again, Some(running), "what was kept is something else");
        }
        for ended in record.ended(10) {
            assert!(!ended.sentence().is_empty());
        }
    });
}
