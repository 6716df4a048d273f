//! ParallelCluster's part: through its own CloudFormation provider, or an installed `pcluster`.

mod cli;
mod failed;
mod fleet;
mod standing;

use std::collections::BTreeMap;

use serde_json::Value;
use trainyard_plan::Plan;
use trainyard_plan::aws::update;
use trainyard_plan::aws::{ClusterCall, Driver};

pub use cli::mind_the_program;
pub use fleet::{forget_mark, is_marked};
pub use standing::{changes, is_as_asked};

use super::nodes::{self, Awaited};
use super::planned::{artifact, target};
use super::stacks::root::{root, version};
use super::stacks::{self, Pause, Phase, Seen, Template, Wanted, phase};
use super::wires::Outputs;
use super::{Account, Patience, api, head};
use crate::local::Store;
use crate::{Failure, Progress};

/// CloudFormation takes a template of this many bytes in a call; a larger one from a bucket.
const INLINE_BYTES_MAX: usize = 51_200;
/// What the provider's template makes: roles with names, and a transform.
const PROVIDER_CAPABILITIES: &[&str] = &["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];

/// The properties of the cluster in the template of the stack that holds it.
const PROPERTIES: &str = "/Resources/Cluster/Properties";
/// A property that says what holds anyway: with it CloudFormation finds a change, and asks ParallelCluster again.
const NUDGE: (&str, &str) = ("ValidationFailureLevel", "ERROR");

/// What a template is handed over for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    /// To make the cluster.
    Make,
    /// To bring it to the whole configuration.
    Change,
    /// To ask for what was asked for before, and did not come to be.
    Repeat,
}

/// What a cluster's step works with.
pub struct Work<'a> {
    /// The account.
    pub account: &'a Account,
    /// The plan.
    pub plan: &'a Plan,
    /// The cluster's folder.
    pub store: &'a Store,
    /// How long to wait.
    pub patience: Patience<'a>,
}

/// The provider's stack as it is to be: ParallelCluster's own template, where it is published.
pub fn provider(account: &Account, name: &str, version: &str, tags: &BTreeMap<String, String>) -> Wanted {
    let (region, (end, _)) = (account.region(), account.partition());
    let url = format!(
        "https://{region}-aws-parallelcluster.s3.{region}.{end}/parallelcluster/{version}/templates/custom_resource/cluster.yaml"
    );
    Wanted {
        name: name.to_owned(),
        template: Template::At(url),
        parameters: BTreeMap::new(),
        capabilities: PROVIDER_CAPABILITIES.iter().map(|one| (*one).to_owned()).collect(),
        tags: tags.clone(),
        keep_failed: false,
    }
}

/// A provider serves clusters of its own version only, so another version under a live cluster is refused.
pub async fn mind_the_version(account: &Account, cluster: &str, wanted: &str) -> Result<(), Failure> {
    let Some(root) = root(account, cluster).await? else { return Ok(()) };
    match version(&root) {
        Some(stands) if stands == wanted => Ok(()),
        Some(stands) => Err(Failure::refused(format!(
            "the cluster {cluster} stands with ParallelCluster {stands}, and the spec asks for {wanted}: \
             ParallelCluster cannot change the version of a cluster"
        ))
        .hint(format!("stay with it: write `parallelcluster: {{ version: {stands} }}`"))
        .hint("or make the cluster anew, with its file systems kept: trainyard recreate")),
        None => Err(Failure::refused(format!(
            "a stack called {cluster} is there, and it is no cluster of ParallelCluster's"
        ))
        .hint("give the cluster another `name`, or delete that stack")),
    }
}

impl Work<'_> {
    /// Makes the cluster, or brings one that stands to the whole configuration.
    pub async fn deploy(&self, call: &ClusterCall) -> Result<(), Failure> {
        let target = target(self.plan)?;
        mind_the_version(self.account, &self.plan.cluster, &target.parallelcluster).await?;
        match &call.driver {
            Driver::Cli => self.deploy_by_cli(call).await,
            Driver::Provider { stack_name, provider } => self.deploy_by_provider(call, stack_name, provider).await,
        }
    }

    /// Brings the cluster to the whole configuration.
    pub async fn update(&self, call: &ClusterCall) -> Result<(), Failure> {
        match &call.driver {
            Driver::Cli => self.update_by_cli(call).await,
            Driver::Provider { stack_name, provider } => self.change_by_provider(call, stack_name, provider).await,
        }
    }

    /// Deletes the cluster. What ParallelCluster retains (its logs) stays.
    pub async fn delete(&self, driver: &Driver) -> Result<(), Failure> {
        let cluster = &self.plan.cluster;
        match driver {
            Driver::Cli => self.delete_by_cli().await?,
            Driver::Provider { stack_name, .. } => {
                if stacks::describe(self.account, stack_name).await?.is_some() {
                    self.delete_stack(stack_name).await?;
                }
            }
        }
        // Without the stack that held it (somebody deleted that), its own stack is still there.
        if root(self.account, cluster).await?.is_some_and(|root| version(&root).is_some()) {
            stacks::delete(self.account, cluster, cluster, &self.patience).await?;
        }
        forget_mark(self.account, self.plan).await
    }

    async fn deploy_by_provider(&self, call: &ClusterCall, name: &str, provider: &str) -> Result<(), Failure> {
        let (mut may_delete, mut may_mend) = (true, true);
        loop {
            let Some(stack) = stacks::describe(self.account, name).await? else {
                self.refuse_a_stranger().await?;
                let wanted = self.wanted(call, name, provider, Intent::Make).await?;
                let begun = stacks::create(self.account, &wanted).await?;
                self.watch_cluster(name, begun).await?;
                return self.forget_creating(name).await;
            };
            stacks::mind_the_owner(&stack, name, &self.plan.cluster)?;
            match phase(stacks::status(&stack)) {
                Phase::Moving => {
                    self.watch(name, Seen::default()).await?;
                }
                Phase::Stands if may_delete && root(self.account, &self.plan.cluster).await?.is_none() => {
                    may_delete = false;
                    self.patience.tell("the cluster's own stack is gone: it is made anew");
                    self.delete_stack(name).await?;
                }
                Phase::Stands => {
                    if stacks::parameter(&stack, "Creating") == Some("true") {
                        self.forget_creating(name).await?;
                    }
                    return self.change_by_provider(call, name, provider).await;
                }
                Phase::Broken if may_delete => {
                    may_delete = false;
                    self.patience.tell("deleting what is left of an attempt that failed");
                    self.delete_stack(name).await?;
                }
                Phase::Stuck if may_mend => {
                    may_mend = false;
                    // The way back is refused as long as ParallelCluster's own stack moves.
                    stacks::watch(self.account, &self.plan.cluster, Seen::default(), &self.patience).await?;
                    // ParallelCluster's own stack went back; what is asked of it next says where it stands.
                    stacks::mend(self.account, name, stacks::status(&stack), &["Cluster"], &self.patience).await?;
                }
                Phase::Broken | Phase::Stuck | Phase::Gone => {
                    return Err(stacks::stuck(self.account, name, stacks::status(&stack)));
                }
            }
        }
    }

    async fn change_by_provider(&self, call: &ClusterCall, name: &str, provider: &str) -> Result<(), Failure> {
        self.around_the_fleet(call, async |differs| {
            // The provider takes an update without changes for a failure where ParallelCluster's last one was taken back.
            if !differs && is_as_asked(self.account, self.plan, call).await? {
                return Ok(());
            }
            let wanted = self.wanted(call, name, provider, Intent::Change).await?;
            if self.change(&wanted).await? || !differs {
                return Ok(());
            }
            // The stack has this template already, and the cluster is not so: a way back had to skip it.
            let wanted = self.wanted(call, name, provider, Intent::Repeat).await?;
            self.change(&wanted).await.map(|_| ())
        })
        .await
    }

    /// A cluster of that name that this plan's stack does not hold is not touched.
    async fn refuse_a_stranger(&self) -> Result<(), Failure> {
        let cluster = &self.plan.cluster;
        if root(self.account, cluster).await?.is_none() {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "a cluster called {cluster} stands already, and it was not made by trainyard's stacks"
        ))
        .hint("give this one another `name`"))
    }

    /// What only creation takes must be gone before the first real update: when that fails, CloudFormation goes back to
    /// the properties before it, and the provider would refuse those.
    async fn forget_creating(&self, name: &str) -> Result<(), Failure> {
        let Some(stack) = stacks::describe(self.account, name).await? else { return Ok(()) };
        let mut parameters: BTreeMap<String, String> = stack
            .parameters()
            .iter()
            .filter_map(|one| Some((one.parameter_key()?.to_owned(), one.parameter_value()?.to_owned())))
            .collect();
        parameters.insert("Creating".to_owned(), "false".to_owned());
        let tags =
            stack.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect();
        let wanted = Wanted {
            name: name.to_owned(),
            template: Template::Same,
            parameters,
            capabilities: Vec::new(),
            tags,
            keep_failed: false,
        };
        self.change(&wanted).await.map(|_| ())
    }

    /// `false`: the stack is so already.
    async fn change(&self, wanted: &Wanted) -> Result<bool, Failure> {
        let Some(begun) = stacks::update(self.account, wanted).await? else { return Ok(false) };
        self.watch_cluster(&wanted.name, begun).await?;
        Ok(true)
    }

    async fn delete_stack(&self, name: &str) -> Result<(), Failure> {
        let begun = stacks::begin_delete(self.account, name, &self.plan.cluster, &self.patience).await?;
        let (status, seen) = self.watch(name, begun).await?;
        if status != "DELETE_COMPLETE" {
            return Err(failed::explain(self, name, &status, &seen).await);
        }
        stacks::await_gone(self.account, name, &seen, &self.patience).await
    }

    async fn wanted(&self, call: &ClusterCall, name: &str, provider: &str, intent: Intent) -> Result<Wanted, Failure> {
        let token = provider_token(self.account, provider).await?.ok_or_else(|| {
            Failure::refused(format!("the provider's stack {provider} is gone"))
                .hint("make it again with: trainyard up")
        })?;
        let creating = intent == Intent::Make;
        Ok(Wanted {
            name: name.to_owned(),
            template: self.template(call, name, intent).await?,
            parameters: [("ServiceToken".to_owned(), token), ("Creating".to_owned(), creating.to_string())].into(),
            capabilities: Vec::new(),
            tags: call.tags.clone(),
            keep_failed: true,
        })
    }

    async fn template(&self, call: &ClusterCall, name: &str, intent: Intent) -> Result<Template, Failure> {
        let configured = if intent == Intent::Make { &call.start } else { &call.whole };
        let path = configured.template.as_deref().unwrap_or_default();
        let mut value: Value = serde_json::from_str(artifact(self.plan, path)?)
            .map_err(|error| Failure::internal(format!("{path} is no JSON: {error}")))?;
        let mut outputs = Outputs::of(self.plan);
        outputs.fill(self.account, &mut value).await?;
        if intent != Intent::Make
            && let Some(stands) = standing::in_the_template(self.account, name).await?
            && let Some(asked) = value.pointer_mut(standing::CONFIGURATION)
        {
            update::keep_what_only_creation_reads(&stands, asked);
        }
        if intent == Intent::Repeat
            && let Some(properties) = value.pointer_mut(PROPERTIES).and_then(Value::as_object_mut)
        {
            properties.insert(NUDGE.0.to_owned(), NUDGE.1.into());
        }
        let text = value.to_string();
        if text.len() <= INLINE_BYTES_MAX {
            return Ok(Template::Text(text));
        }
        let bucket = outputs.output(self.account, "data", "FilesBucketName").await?;
        super::files::template(self.account, &bucket, &text).await.map(Template::At)
    }

    /// Waits for the stack that holds the cluster, tells how far the cluster's own stack is, and what failed in it.
    async fn watch_cluster(&self, name: &str, begun: Seen) -> Result<(), Failure> {
        let (status, seen) = self.watch(name, begun).await?;
        if matches!(status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE") {
            return Ok(());
        }
        Err(failed::explain(self, name, &status, &seen).await)
    }

    async fn watch(&self, name: &str, mut seen: Seen) -> Result<(String, Seen), Failure> {
        let (mut inner, mut pause, mut has_moved) = (Seen::default(), Pause::default(), false);
        loop {
            let now = seen.look(self.account, name).await?;
            if phase(&now) != Phase::Moving && !seen.is_stale() {
                return Ok((now, seen));
            }
            let progress = self.progress(&mut inner, &mut has_moved).await?;
            self.patience.pause(&format!("the cluster {}", self.plan.cluster), progress, pause.next()).await?;
        }
    }

    async fn progress(&self, inner: &mut Seen, has_moved: &mut bool) -> Result<Progress, Failure> {
        let cluster = &self.plan.cluster;
        let status = inner.look(self.account, cluster).await?;
        if phase(&status) != Phase::Moving {
            let stage =
                if *has_moved { "ParallelCluster finishes" } else { "ParallelCluster checks the configuration" };
            return Ok(Progress::from(stage).at(stage));
        }
        if !std::mem::replace(has_moved, true) && status == "CREATE_IN_PROGRESS" {
            // Only for the view: who may not read it sees no total.
            let template = stacks::template(self.account, cluster).await.ok();
            *inner = std::mem::take(inner).of(template.as_deref().and_then(stacks::resources));
        }
        let mut progress = inner.progress(stacks::this_moment()).at("the cluster's resources");
        // The condition is waited for from the beginning; the head is there only when all that it needs is.
        if !inner.is_working_on("WaitCondition") {
            return Ok(progress);
        }
        let all = api::instances(self.account, cluster).await?;
        let Some(head) = nodes::head(&all).filter(|head| head.state == "running") else { return Ok(progress) };
        let stage = head::setup::stage(self.account, cluster, head).await;
        let running =
            all.iter().filter(|one| one.tag("node-type") == Some("Compute") && one.state == "running").count();
        progress.text = format!("{stage}; {running} compute nodes run");
        let queues = nodes::counted(nodes::wanted(self.plan), &all, None);
        Ok(progress.at(&stage).with_queues(queues.iter().map(Awaited::nodes)))
    }
}

/// What a provider's stack is spoken to by; `None` where it is gone.
async fn provider_token(account: &Account, provider: &str) -> Result<Option<String>, Failure> {
    let stack = stacks::describe(account, provider).await?;
    Ok(stack.and_then(|stack| stacks::outputs(&stack).remove("ServiceToken")))
}
