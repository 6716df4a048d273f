//! Open files of the machine.

use trainyard_plan::metrics::filefd::{node_filefd_allocated, node_filefd_maximum};

use super::{Collector, Kind, Lane, Problem, Scope, misread};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "filefd",
    about: "open files",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Filefd(Text::new(setting.roots.proc.join("sys/fs/file-nr"))))),
};

struct Filefd(Text);

impl Collector for Filefd {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let path = self.0.path();
        let words: Vec<u64> = self.0.read()?.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [allocated, _, maximum] = words[..] else { return Err(misread(&path, "three numbers")) };
        sheet.put(&node_filefd_allocated, &[], allocated);
        sheet.put(&node_filefd_maximum, &[], maximum);
        Ok(())
    }
}
