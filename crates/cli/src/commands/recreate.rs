//! `trainyard recreate`: the cluster anew, on the storage that it had.

use std::path::PathBuf;

use trainyard_provider::Failure;

use super::{down, up};
use crate::session::{SPEC_FILE, Session, Where};

/// Take the cluster down and make it anew from the spec. File systems, homes and buckets stay what they are.
///
/// For what ParallelCluster cannot change in place: another version, another head, another image.
#[derive(Debug, clap::Args)]
pub struct Recreate {
    /// The spec.
    #[arg(default_value = SPEC_FILE)]
    file: PathBuf,
    #[command(flatten)]
    rehearsal: super::plan::Rehearsal,
    /// Also when jobs run: they are ended.
    #[arg(long)]
    force: bool,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

impl Recreate {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let spec = session.spec(&self.file)?;
        let mut what = format!("this deletes cluster {} with its head and nodes, then makes it anew; what its file systems hold stays", spec.name);
        // What cannot be made again must not be taken down.
        let place = up::place(&spec, &self.rehearsal);
        if place == Where::Aws {
            let store = session.store_on(spec.name.as_str(), place)?;
            let facts = session.surveyed(&spec, &self.file, &store)?;
            let plan = self.rehearsal.plan(session, &spec, &facts)?;
            let lost = up::lost_with_the_head(&store, &plan)?;
            if !lost.is_empty() {
                what = format!("{what}, but this does not: {}", lost.join("; "));
            }
        }
        // The head's own disk goes, and whatever runs is ended.
        let _confirmed = session.ui.confirm(&what, spec.name.as_str(), self.yes)?;
        down::Down::of(&self.file, place, self.force).run(session)?;
        up::Up { file: self.file, rehearsal: self.rehearsal, wait_for_capacity: false, yes: true }.run(session)
    }
}
