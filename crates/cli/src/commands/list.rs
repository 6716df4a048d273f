//! `trainyard list`: every cluster that is known, here and on AWS.

use trainyard_provider::Failure;
use trainyard_provider::local::Store;

use crate::session::{Session, Where};
use crate::ui::table;

/// Show every cluster: rehearsals of this machine, and ParallelCluster's clusters of a region on AWS.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Look in this AWS region as well; without it, in the regions of clusters that were made from this machine.
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
}

/// A cluster, in a line.
#[derive(Debug, serde::Serialize)]
struct Line {
    name: String,
    place: String,
    status: String,
    version: String,
    scheduler: String,
}

impl List {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let mut lines = rehearsals(session)?;
        lines.extend(on_aws(session, self.region)?);
        if session.ui.is_json() {
            session.ui.json(&lines);
            return Ok(0);
        }
        if lines.is_empty() {
            session.ui.say("no clusters; make one with: trainyard init && trainyard up");
            return Ok(0);
        }
        let rows = lines.into_iter().map(|line| [line.name, line.place, line.status, line.version]);
        session.ui.data(&table(["cluster", "where", "status", "ParallelCluster"], rows));
        Ok(0)
    }
}

fn rehearsals(session: &Session) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for name in Store::list(session.home()?)? {
        let store = session.store_on(&name, Where::Local)?;
        let Ok(Some(plan)) = store.plan() else { continue };
        let status = if session.local(&store).access(&plan).is_ok() { "up" } else { "down" };
        let (place, version) = ("this machine".to_owned(), String::new());
        lines.push(Line { name, place, status: status.to_owned(), version, scheduler: "slurm".to_owned() });
    }
    Ok(lines)
}

#[cfg(not(feature = "aws"))]
fn on_aws(_: &Session, _: Vec<String>) -> Result<Vec<Line>, Failure> {
    Ok(Vec::new())
}

#[cfg(feature = "aws")]
fn on_aws(session: &Session, mut regions: Vec<String>) -> Result<Vec<Line>, Failure> {
    for name in Store::list(session.home()?)? {
        if let Ok(Some(plan)) = session.store_on(&name, Where::Aws)?.plan()
            && let trainyard_plan::Target::Aws(target) = plan.target
        {
            regions.push(target.region);
        }
    }
    regions.sort();
    regions.dedup();
    let mut lines = Vec::new();
    for region in regions {
        // Any cluster's folder does: nothing is written.
        let aws = session.aws(&region, &session.store_on("list", Where::Aws)?)?;
        let line = |found: trainyard_provider::aws::Listed| Line {
            name: found.name,
            place: region.clone(),
            status: found.cluster_status,
            version: found.version,
            scheduler: found.scheduler,
        };
        lines.extend(aws.list()?.into_iter().map(line));
    }
    Ok(lines)
}
