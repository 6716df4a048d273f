//! `trainyard fleet`: starting and stopping all compute nodes of a cluster on AWS.

use std::path::PathBuf;
#[cfg(feature = "aws")]
use std::time::{Duration, Instant};

use trainyard_provider::Failure;

#[cfg(feature = "aws")]
use crate::jobs::AtWork;
use crate::session::{Session, Target};

/// Start or stop every compute node of a cluster on AWS, or show whether they may run.
///
/// A stopped fleet costs nothing but the head, the login nodes and the storage. Jobs that run are ended.
#[derive(Debug, clap::Args)]
pub struct Fleet {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show the state of the fleet (the default).
    Status {
        /// The spec.
        spec: Option<PathBuf>,
    },
    /// Let compute nodes run: static ones come at once, others when jobs ask.
    Start(Change),
    /// End every compute node, and the jobs on them.
    Stop(Change),
}

#[derive(Debug, clap::Args)]
struct Change {
    /// The spec.
    spec: Option<PathBuf>,
    /// Come back at once, without waiting until it is done.
    #[arg(long)]
    no_wait: bool,
    /// Do not ask, even when jobs run.
    #[arg(short, long)]
    yes: bool,
}

/// How long a fleet may take.
#[cfg(feature = "aws")]
const PATIENCE: Duration = Duration::from_mins(30);

impl Fleet {
    #[cfg(not(feature = "aws"))]
    pub fn run(self, _: &Session) -> Result<u8, Failure> {
        Err(Failure::usage("this trainyard was built without AWS"))
    }

    #[cfg(feature = "aws")]
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        use trainyard_provider::aws::FleetWish;
        let (spec, change) = match self.action {
            None => (None, None),
            Some(Action::Status { spec }) => (spec, None),
            Some(Action::Start(change)) => (change.spec.clone(), Some((FleetWish::Start, change))),
            Some(Action::Stop(change)) => (change.spec.clone(), Some((FleetWish::Stop, change))),
        };
        let target = Target { file: self.target.file.clone().or(spec), ..self.target };
        let made = session.made(&target)?;
        let trainyard_plan::Target::Aws(place) = &made.plan.target else {
            return Err(Failure::usage(format!("`{}` is a rehearsal: its nodes come and go with jobs", made.plan.cluster))
                .hint("the fleet of a cluster on AWS is meant: --on aws"));
        };
        let aws = session.aws(&place.region, &made.store)?;
        let cluster = made.plan.cluster.as_str();
        if let Some((wish, change)) = change {
            if wish == FleetWish::Stop {
                mind_the_jobs(session, &made, change.yes)?;
            }
            let asked = aws.ask_fleet(&made.plan, wish)?;
            if asked && !change.no_wait {
                follow(session, &aws, cluster, wish)?;
            }
        }
        let fleet = aws.fleet(cluster)?;
        if session.ui.is_json() {
            session.ui.json(&serde_json::json!({"cluster": cluster, "status": fleet.status, "updated_at": fleet.updated_at}));
        } else {
            let since = fleet.updated_at.map(|at| format!(" since {at}")).unwrap_or_default();
            session.ui.data(&format!("fleet of {cluster}: {}{since}", fleet.status));
        }
        Ok(u8::from(fleet.status == "UNKNOWN"))
    }
}

#[cfg(feature = "aws")]
fn mind_the_jobs(session: &Session, made: &crate::session::Made, agreed: bool) -> Result<(), Failure> {
    let observed = made.provider.observe(&made.plan)?;
    let Some(at_work) = AtWork::of(&observed, true).says() else { return Ok(()) };
    let what = format!("this ends what runs: {at_work}");
    session.ui.confirm(&what, &made.plan.cluster, agreed).map(|_| ())
}

#[cfg(feature = "aws")]
fn follow(
    session: &Session,
    aws: &trainyard_provider::aws::Aws,
    cluster: &str,
    wish: trainyard_provider::aws::FleetWish,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut told = String::new();
    loop {
        let status = aws.fleet(cluster)?.status;
        if status == wish.goal() {
            return Ok(());
        }
        if status != told && !session.ui.is_json() {
            session.ui.say(&format!("  {status}"));
            told.clone_from(&status);
        }
        if session.cancel.is_set() {
            return Err(Failure::interrupted("stopped while the fleet changes; it goes on changing")
                .hint("look again with: trainyard fleet status"));
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::refused(format!("the fleet did not {} in time; it is {status}", wish.word()))
                .hint("see why with: trainyard logs tail clustermgtd slurm_fleet_status_manager"));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}
