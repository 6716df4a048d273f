//! AWS: CloudFormation's stacks, ParallelCluster's cluster, and what they are doing.
//!
//! The only module with an async runtime. The engine stays as it is: each call of [`Provider`] runs to its end here.

mod account;
mod api;
mod changes;
mod cluster;
mod files;
mod head;
mod keeping;
mod key_pair;
mod logs;
mod nodes;
mod patience;
mod permissions;
mod planned;
mod record;
mod refused;
mod stacks;
mod survey;
mod wires;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use aws_sdk_cloudformation::types::Stack;
use trainyard_plan::aws::{AwsAction, StackCall};
use trainyard_plan::{Action, Facts, Plan};
use trainyard_run::Cancel;
use trainyard_spec::Spec;
use trainyard_spec::model::Engine;

pub use account::Account;
pub use api::{Instance, LoginPool, error_of};
pub use changes::{Changes, Fate, ResourceChange, StackChange};
pub use keeping::Kept;
pub use nodes::{Awaited, Described, Fleet, FleetWish, Listed};

use cluster::Work;
use patience::Patience;
use refused::Answer;
use stacks::{Pause, Phase, Template, Wanted, phase};
use wires::Outputs;

use crate::local::Store;
use crate::{Failure, Head, Logs, Observed, Progress, Provider, StepContext};

/// How long the agent of Systems Manager may take to connect before EC2's word counts alone.
const AGENT: Duration = Duration::from_mins(5);
/// File systems and databases take some minutes to go, large buckets longer.
const DELETION: Duration = Duration::from_hours(2);

/// The provider of clusters on AWS, for the cluster whose files are in `store`.
pub struct Aws {
    account: Account,
    store: Store,
    cancel: Cancel,
    folder: Option<PathBuf>,
}

impl Aws {
    /// The provider for one cluster. Nothing is asked of AWS yet.
    pub fn open(region: &str, store: Store, cancel: &Cancel) -> Result<Self, Failure> {
        Ok(Self { account: Account::open(region)?, store, cancel: cancel.clone(), folder: None })
    }

    /// Says where the spec's own files are.
    #[must_use]
    pub fn with_files_of(mut self, folder: PathBuf) -> Self {
        self.folder = Some(folder);
        self
    }

    /// Asks the compute fleet to start or stop. `false`: it does already.
    pub fn ask_fleet(&self, plan: &Plan, wish: FleetWish) -> Result<bool, Failure> {
        let work = async {
            let is_asked = nodes::ask_fleet(&self.account, &plan.cluster, wish).await?;
            // From here on somebody decided: no update that was interrupted starts it behind their back.
            cluster::forget_mark(&self.account, plan).await?;
            Ok(is_asked)
        };
        self.account.run(&self.cancel, "asking the fleet", work)
    }

    /// The state of the compute fleet.
    pub fn fleet(&self, cluster: &str) -> Result<Fleet, Failure> {
        self.account.run(&self.cancel, "asking the fleet", async { Ok(nodes::fleet(&self.account, cluster).await) })
    }

    /// What an `up` of this plan would change of what stands, and with `with_drift` what was changed by hand.
    pub fn changes(&self, plan: &Plan, with_drift: bool) -> Result<Changes, Failure> {
        self.account.run(&self.cancel, "comparing", changes::changes(&self.account, plan, with_drift))
    }

    /// Stacks of the cluster that the plan does not have any more and that hold nothing.
    pub fn vanished(&self, plan: &Plan) -> Result<Vec<String>, Failure> {
        let work = async { Ok(changes::vanished(&self.account, plan).await?) };
        self.account.run(&self.cancel, "looking at what stands", work)
    }

    /// Deletes stacks that the plan does not have any more. Resources that they retain stay.
    pub fn delete_stacks(&self, cluster: &str, names: &[String], progress: &dyn Fn(Progress)) -> Result<(), Failure> {
        let patience = Patience { deadline: Instant::now() + DELETION, progress };
        let work = async {
            for name in names {
                stacks::delete(&self.account, name, cluster, &patience).await?;
            }
            Ok(())
        };
        self.account.run(&self.cancel, "deleting stacks", work)
    }

    /// Every cluster of ParallelCluster's in the region.
    pub fn list(&self) -> Result<Vec<Listed>, Failure> {
        self.account.run(&self.cancel, "listing clusters", nodes::list(&self.account))
    }

    /// Everything of the cluster that stands and that `down` does not remove.
    pub fn kept(&self, plan: &Plan) -> Result<Vec<Kept>, Failure> {
        self.account.run(&self.cancel, "looking at what stays", keeping::kept(&self.account, plan))
    }

    /// Deletes what is kept under these names; of what holds data only what somebody `agreed` to.
    pub fn delete_kept(
        &self,
        plan: &Plan,
        names: &BTreeSet<String>,
        agreed: &[Kept],
        progress: &dyn Fn(Progress),
    ) -> Result<Vec<Kept>, Failure> {
        let patience = Patience { deadline: Instant::now() + DELETION, progress };
        let work = keeping::delete(&self.account, plan, names, agreed, &patience);
        self.account.run(&self.cancel, "deleting what was kept", work)
    }

    /// Where the private key of a key pair lies on this machine.
    pub fn private_key(&self, name: &str) -> std::path::PathBuf {
        self.store.at(key_pair::path(name))
    }

    async fn carry_out(&self, plan: &Plan, action: &AwsAction, context: &StepContext<'_>) -> Result<(), Failure> {
        let account = &self.account;
        let work = Work { account, plan, store: &self.store, patience: Patience::of(context) };
        let patience = Patience::of(context);
        match action {
            AwsAction::DeployStack(call) => {
                let wanted = self.wanted(plan, call).await?;
                stacks::deploy(account, &wanted, &patience).await
            }
            AwsAction::DeleteStack { stack_name } => {
                stacks::delete(account, stack_name, &plan.cluster, &patience).await
            }
            AwsAction::UploadFiles { bucket, objects } => {
                let bucket = Outputs::of(plan).value(account, bucket).await?;
                files::upload(account, plan, self.folder.as_deref(), &bucket, objects, &patience).await
            }
            AwsAction::EnsureKeyPair { name } => key_pair::ensure(account, &self.store, &plan.cluster, name).await,
            AwsAction::DeployProvider { stack_name, version, tags } => {
                cluster::mind_the_version(account, &plan.cluster, version).await?;
                stacks::deploy(account, &cluster::provider(account, stack_name, version, tags), &patience).await
            }
            AwsAction::DeployCluster(call) => work.deploy(call).await,
            AwsAction::UpdateCluster(call) => work.update(call).await,
            AwsAction::DeleteCluster(driver) => work.delete(driver).await,
            AwsAction::AwaitNodes(wanted) => self.await_nodes(plan, wanted, &patience).await,
        }
    }

    async fn wanted(&self, plan: &Plan, call: &StackCall) -> Result<Wanted, Failure> {
        let mut outputs = Outputs::of(plan);
        let mut parameters = BTreeMap::new();
        for (name, wire) in &call.parameters {
            parameters.insert(name.clone(), outputs.value(&self.account, wire).await?);
        }
        Ok(Wanted {
            name: call.stack_name.clone(),
            template: Template::Text(planned::artifact(plan, &call.template)?.to_owned()),
            parameters,
            capabilities: call.capabilities.clone(),
            tags: call.tags.clone(),
            keep_failed: false,
        })
    }

    async fn await_nodes(
        &self,
        plan: &Plan,
        wanted: &[trainyard_plan::aws::AwaitedNodes],
        patience: &Patience<'_>,
    ) -> Result<(), Failure> {
        let (mut pause, begun) = (Pause::default(), Instant::now());
        let asks_slurm = planned::target(plan)?.asks_slurm;
        loop {
            let instances = api::instances(&self.account, &plan.cluster).await?;
            let scheduler = self.scheduler(plan, &instances).await?;
            let queues = nodes::awaited(&self.account, wanted, &instances, scheduler.as_ref()).await?;
            // The agent on the head needs a moment to connect; until then EC2's word is not enough.
            let is_heard = scheduler.is_some() || !asks_slurm || begun.elapsed() > AGENT;
            if is_heard && queues.iter().all(Awaited::is_complete) {
                return Ok(());
            }
            let missing: Vec<String> =
                queues.iter().filter(|q| !is_heard || !q.is_complete()).map(Awaited::says).collect();
            // What never comes is not waited for.
            let fleet = nodes::fleet(&self.account, &plan.cluster).await;
            if let Some(refused) = fleet.refuses(&plan.cluster).filter(|_| !queues.iter().all(Awaited::is_complete)) {
                return Err(refused.caused_by(std::io::Error::other(missing.join("; "))));
            }
            let stage = if is_heard { "nodes come" } else { "Slurm on the head does not answer yet" };
            let progress = Progress::from(missing.join("; ")).at(stage).with_queues(queues.iter().map(Awaited::nodes));
            patience.pause("all static nodes", progress, pause.next()).await?;
        }
    }

    async fn scheduler(&self, plan: &Plan, instances: &[Instance]) -> Answer<Option<nodes::Scheduler>> {
        if !planned::target(plan).is_ok_and(|target| target.asks_slurm) {
            return Ok(None);
        }
        nodes::scheduler(&self.account, instances).await
    }

    /// Whether what an action is to come to is so already, whoever made it so: another machine may have changed it.
    async fn holding(&self, plan: &Plan, action: &AwsAction) -> Result<bool, Failure> {
        let standing = async |name: &str| -> Result<Option<Stack>, Failure> {
            let found = stacks::describe(&self.account, name).await?;
            Ok(found.filter(|stack| phase(stacks::status(stack)) == Phase::Stands))
        };
        match action {
            AwsAction::DeployStack(call) => {
                let Some(stack) = standing(&call.stack_name).await? else { return Ok(false) };
                // What it reads may be given out by a stack that is gone: then it is made anew first.
                let Ok(wanted) = self.wanted(plan, call).await else { return Ok(false) };
                Ok(stacks::is_as(&self.account, &stack, &wanted).await?)
            }
            AwsAction::DeployProvider { stack_name, .. } => Ok(standing(stack_name).await?.is_some()),
            AwsAction::EnsureKeyPair { name } => Ok(api::key_pair_exists(&self.account, name).await?),
            AwsAction::DeployCluster(call) | AwsAction::UpdateCluster(call) => {
                // A change that stopped the fleet and did not start it again is not through.
                Ok(cluster::is_as_asked(&self.account, plan, call).await?
                    && !cluster::is_marked(&self.account, plan).await?)
            }
            // What was undone, and what is only looked at, is looked at again.
            AwsAction::UploadFiles { .. }
            | AwsAction::DeleteStack { .. }
            | AwsAction::DeleteCluster(_)
            | AwsAction::AwaitNodes(_) => Ok(false),
        }
    }

    async fn look(&self, plan: &Plan) -> Result<Observed, Failure> {
        let (account, name) = (&self.account, plan.cluster.as_str());
        // All at once: Slurm's answer takes as long as the others together.
        let slurm = async {
            let instances = api::instances(account, name).await?;
            // Who may not ask Slurm is still told what EC2 knows.
            match self.scheduler(plan, &instances).await {
                Err(refused) if refused.is_denial() => Ok((instances, None)),
                answer => Ok::<_, Failure>((instances, answer?)),
            }
        };
        let (described, (instances, scheduler), logins, fleet) = tokio::try_join!(
            nodes::described(account, name),
            slurm,
            async { Ok(api::login_pools(account, name).await?) },
            async { Ok(nodes::fleet(account, name).await) },
        )?;
        let Some(described) = described else {
            return Ok(Observed { controller: false, nodes: Vec::new(), jobs: Vec::new(), cloud: None });
        };
        let queues = nodes::awaited(account, nodes::wanted(plan), &instances, scheduler.as_ref()).await?;
        let controller = scheduler.is_some();
        let scheduler = scheduler.unwrap_or_default();
        let cloud = Cloud { cluster: described, fleet, instances, logins, queues };
        Ok(Observed { controller, nodes: scheduler.nodes, jobs: scheduler.jobs, cloud: Some(cloud) })
    }
}

/// What AWS says of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Cloud {
    /// ParallelCluster's own stack.
    pub cluster: Described,
    /// The compute fleet.
    pub fleet: Fleet,
    /// Every instance.
    pub instances: Vec<Instance>,
    /// Login pools.
    pub logins: Vec<LoginPool>,
    /// Static nodes, by queue.
    pub queues: Vec<Awaited>,
}

impl Cloud {
    /// Compute nodes that run, of a cluster that was complete once and whose end nobody asked for.
    pub(crate) fn compute_at_work(&self) -> usize {
        let was_complete = self.cluster.cluster_status.starts_with("UPDATE_")
            || matches!(self.cluster.cluster_status.as_str(), "CREATE_COMPLETE");
        let is_at_work = |one: &&Instance| one.tag("node-type") == Some("Compute") && one.state == "running";
        if was_complete { self.instances.iter().filter(is_at_work).count() } else { 0 }
    }
}

impl Provider for Aws {
    fn survey(&self, spec: &Spec) -> Result<Facts, Failure> {
        if spec.parallelcluster.engine == Engine::Cli {
            cluster::mind_the_program(&spec.parallelcluster.version.to_string())?;
        }
        let work = survey::survey(&self.account, spec);
        self.account.run(&self.cancel, "looking at the account", work).map(Facts::Aws)
    }

    fn execute(&self, plan: &Plan, action: &Action, context: &StepContext<'_>) -> Result<(), Failure> {
        let work = self.carry_out(plan, aws(action)?, context);
        self.account.run(context.cancel, "AWS was at work; it goes on with what was begun", work)
    }

    fn holds(&self, plan: &Plan, action: &Action) -> Result<bool, Failure> {
        let work = self.holding(plan, aws(action)?);
        self.account.run(&self.cancel, "looking at what stands", work)
    }

    fn observe(&self, plan: &Plan) -> Result<Observed, Failure> {
        self.account.run(&self.cancel, "looking at the cluster", self.look(plan))
    }

    fn head<'a>(&'a self, plan: &'a Plan) -> Result<Box<dyn Head + 'a>, Failure> {
        Ok(Box::new(head::AwsHead::of(self, plan)?))
    }

    fn logs<'a>(&'a self, plan: &'a Plan) -> Result<Box<dyn Logs + 'a>, Failure> {
        Ok(Box::new(logs::AwsLogs::of(self, plan)?))
    }
}

/// The key pair that the plan makes.
fn key_name(plan: &Plan) -> Option<&str> {
    plan.steps.iter().find_map(|step| match &step.action {
        Action::Aws(AwsAction::EnsureKeyPair { name }) => Some(name.as_str()),
        _ => None,
    })
}

fn aws(action: &Action) -> Result<&AwsAction, Failure> {
    match action {
        Action::Aws(action) => Ok(action),
        Action::Local(_) => Err(Failure::internal("a step of a rehearsal was handed to AWS")),
    }
}
