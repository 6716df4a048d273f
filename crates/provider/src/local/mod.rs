//! The rehearsal: a real Slurm cluster on this machine.

mod access;
mod agents;
mod execute;
mod follow;
mod head;
mod jobs;
mod logs;
mod slurm;
mod store;
pub mod supervisor;
mod survey;

pub use access::Access;
pub use follow::{Finished, News};
pub use jobs::{JobFiles, Submitted};
pub use store::Store;

use trainyard_plan::local::HEAD;
use trainyard_plan::{Action, Facts, Plan};
use trainyard_run::Cancel;
use trainyard_spec::Spec;

use crate::{Failure, Head, Logs, Observed, Provider, StepContext, Usage};

/// The provider of rehearsals, for the cluster whose files are in `store`.
#[derive(Debug, Clone)]
pub struct Local {
    store: Store,
    cancel: Cancel,
}

impl Local {
    /// The provider for one cluster.
    pub fn new(store: Store, cancel: &Cancel) -> Self {
        Self { store, cancel: cancel.clone() }
    }

    /// How to run programs on the head node of a running cluster.
    pub fn access(&self, plan: &Plan) -> Result<Access, Failure> {
        Access::open(&self.store, plan, &self.cancel)
    }
}

impl Provider for Local {
    fn survey(&self, spec: &Spec) -> Result<Facts, Failure> {
        survey::survey(spec, &self.store).map(Facts::Local)
    }

    fn execute(&self, plan: &Plan, action: &Action, context: &StepContext<'_>) -> Result<(), Failure> {
        let Action::Local(action) = action else { return Err(trainyard_plan::NotRehearsed.into()) };
        execute::execute(self, plan, action, context)
    }

    fn holds(&self, plan: &Plan, action: &Action) -> Result<bool, Failure> {
        let Action::Local(action) = action else { return Err(trainyard_plan::NotRehearsed.into()) };
        Ok(execute::holds(self, plan, action))
    }

    fn observe(&self, plan: &Plan) -> Result<Observed, Failure> {
        // A cluster that is down is a state; one that cannot be looked at is a failure.
        let has_head = |status: supervisor::Status| status.nodes.iter().any(|n| n.name == HEAD && n.pid.is_some());
        if !supervisor::Client::new(&self.store).status()?.is_some_and(has_head) {
            return Ok(Observed::here(false, Vec::new(), Vec::new()));
        }
        slurm::observe(&self.access(plan)?)
    }

    fn usage(&self, plan: &Plan) -> Result<Usage, Failure> {
        let Some(status) = supervisor::Client::new(&self.store).status()? else { return Ok(Usage::default()) };
        agents::usage(&self.access(plan)?, &status)
    }

    fn head<'a>(&'a self, plan: &'a Plan) -> Result<Box<dyn Head + 'a>, Failure> {
        Ok(Box::new(self.access(plan)?))
    }

    fn logs<'a>(&'a self, _: &'a Plan) -> Result<Box<dyn Logs + 'a>, Failure> {
        Ok(Box::new(logs::Files(&self.store)))
    }
}
