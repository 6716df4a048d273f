//! Through an installed `pcluster`: the same configuration, its own command.

use std::time::Duration;

use trainyard_plan::aws::{ClusterCall, Configured};
use trainyard_run::Command;

use super::{Phase, Seen, Work, artifact, phase, root, stacks, target};
use crate::Failure;
use crate::aws::wires::Outputs;

/// It synthesizes templates before it answers.
const PATIENCE: Duration = Duration::from_mins(5);

impl Work<'_> {
    pub(super) async fn deploy_by_cli(&self, call: &ClusterCall) -> Result<(), Failure> {
        self.mind_the_program()?;
        let cluster = &self.plan.cluster;
        let holder = format!("{cluster}-cluster");
        if stacks::describe(self.account, &holder).await?.is_some() {
            return Err(Failure::refused(format!(
                "the cluster {cluster} is held by the stack {holder}, and is not changed beside it"
            ))
            .hint("leave `parallelcluster.engine` as it was")
            .hint("or make the cluster anew with the other engine: trainyard down, then trainyard up"));
        }
        let mut may_delete = true;
        loop {
            let Some(stack) = root(self.account, cluster).await? else {
                let file = self.written(&call.start).await?;
                let begun = Seen::from_now(self.account, cluster).await?;
                self.pcluster(&["create-cluster", "--rollback-on-failure", "false", "-n", cluster, "-c", &file])?;
                return self.arrive(begun).await;
            };
            match phase(stacks::status(&stack)) {
                Phase::Moving => {
                    stacks::watch(self.account, cluster, Seen::default(), &self.patience).await?;
                }
                Phase::Stands => return self.update_by_cli(call).await,
                Phase::Broken if may_delete => {
                    may_delete = false;
                    self.delete_by_cli().await?;
                }
                _ => return Err(stacks::stuck(self.account, cluster, stacks::status(&stack))),
            }
        }
    }

    pub(super) async fn update_by_cli(&self, call: &ClusterCall) -> Result<(), Failure> {
        self.mind_the_program()?;
        let cluster = &self.plan.cluster;
        let file = self.written(&call.whole).await?;
        self.around_the_fleet(call, async |_| {
            let begun = Seen::from_now(self.account, cluster).await?;
            match self.pcluster(&["update-cluster", "-n", cluster, "-c", &file]) {
                Ok(()) => self.arrive(begun).await,
                Err(failure) if failure.chain().iter().any(|text| text.contains("No changes found")) => Ok(()),
                Err(failure) => Err(failure),
            }
        })
        .await
    }

    pub(super) async fn delete_by_cli(&self) -> Result<(), Failure> {
        let cluster = &self.plan.cluster;
        let Some(root) = root(self.account, cluster).await? else { return Ok(()) };
        stacks::mind_the_owner(&root, cluster, cluster)?;
        let mut begun = Seen::from_now(self.account, cluster).await?;
        // By its id it is known also when it is gone.
        begun.is_about(root.stack_id().unwrap_or(cluster));
        self.pcluster(&["delete-cluster", "-n", cluster])?;
        self.arrive(begun).await
    }

    async fn arrive(&self, begun: Seen) -> Result<(), Failure> {
        stacks::settle(self.account, &self.plan.cluster, begun, &self.patience).await.map(|_| ())
    }

    /// The configuration as a file, with what stacks gave out put in.
    async fn written(&self, configured: &Configured) -> Result<String, Failure> {
        let text = artifact(self.plan, &configured.configuration)?;
        let text = Outputs::of(self.plan).filled(self.account, text).await?;
        self.store.write(&configured.configuration, text.as_bytes(), 0o644)?;
        Ok(self.store.at(&configured.configuration).to_string_lossy().into_owned())
    }

    fn mind_the_program(&self) -> Result<(), Failure> {
        mind_the_program(&target(self.plan)?.parallelcluster)
    }

    fn pcluster(&self, arguments: &[&str]) -> Result<(), Failure> {
        let region = self.account.region().to_owned();
        Command::new("pcluster").args(arguments).args(["-r", &region]).deadline(PATIENCE).run()?;
        Ok(())
    }
}

/// The program must be there, in the plan's version: before anything is made for a cluster that it is to make.
pub fn mind_the_program(wanted: &str) -> Result<(), Failure> {
    let output = Command::new("pcluster").arg("version").deadline(PATIENCE).run().map_err(|error| {
        Failure::from(error)
            .within("`parallelcluster.engine: cli` needs an installed pcluster")
            .hint(format!("pip install aws-parallelcluster=={wanted}"))
            .hint("or leave `engine` out: ParallelCluster's CloudFormation provider needs nothing here")
    })?;
    if output.stdout.contains(&format!("\"{wanted}\"")) {
        return Ok(());
    }
    Err(Failure::refused(format!("the installed pcluster is not {wanted}: {}", output.stdout.trim()))
        .hint(format!("pip install aws-parallelcluster=={wanted}, or write its version into the spec")))
}
