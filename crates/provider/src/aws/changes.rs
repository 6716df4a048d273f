//! What an `up` would change of what stands: CloudFormation's own change sets, ParallelCluster's policy for each key,
//! and what was changed behind their backs.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::types::{ChangeSetType, Parameter, Replacement, ResourceChange as SdkChange, Stack};
use serde::Serialize;
use trainyard_plan::aws::update::{Change, Effect};
use trainyard_plan::aws::{AwsAction, ClusterCall, Driver, STACKS, StackCall};
use trainyard_plan::{Action, Plan};

use super::api::{self, LeavingKind};
use super::refused::{Answer, Refused};
use super::stacks::{self, Phase, Template, Wanted, phase};
use super::wires::Outputs;
use super::{Account, cluster, planned};
use crate::Failure;

/// How long CloudFormation may take to compare, in steps of half a second.
const LOOKS_MAX: u32 = 240;

/// Everything that would change.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Changes {
    /// Whether nothing of the cluster stands yet.
    pub is_new: bool,
    /// Stacks, in the plan's order; those without a change are left out.
    pub stacks: Vec<StackChange>,
    /// ParallelCluster's configuration.
    pub cluster: Vec<Change>,
    /// Stacks of the cluster that the plan does not have (any more).
    pub vanished: Vec<String>,
    /// What stands although its making counts as failed, and would be made anew.
    pub remade: Option<String>,
    /// People's file systems of before that no stack holds: new, empty ones would be made beside them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
}

/// A stack that would change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StackChange {
    /// Its name in the account.
    pub stack_name: String,
    /// Whether it would be made.
    pub is_new: bool,
    /// What would change in it.
    pub resources: Vec<ResourceChange>,
    /// What was changed by hand since CloudFormation made it.
    pub drift: Vec<String>,
}

/// A resource that would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResourceChange {
    /// Its name in the template.
    pub name: String,
    /// Its id in the account, where it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its type.
    pub kind: String,
    /// What would happen to it.
    pub fate: Fate,
    /// The properties that change.
    pub properties: Vec<String>,
}

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is made.
    Made,
    /// It is changed where it stands.
    InPlace,
    /// It may be replaced by another.
    PerhapsReplaced,
    /// It is replaced by another.
    Replaced,
    /// It is no longer the stack's.
    Goes,
}

impl Changes {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.stacks.is_empty() && self.cluster.is_empty() && self.vanished.is_empty()
    }

    /// Whether ParallelCluster has to make the cluster anew.
    pub fn recreates(&self) -> bool {
        self.cluster.iter().any(|change| change.effect == Effect::Recreates)
    }

    /// What is interrupted or lost, each in a sentence.
    pub fn losses(&self) -> Vec<String> {
        let vanished = self.vanished.iter().map(|name| format!("the stack {name} goes with what is in it"));
        let cluster = self.cluster.iter().filter(|change| change.effect.interrupts());
        let cluster = cluster.map(|change| format!("{} ({})", change.effect.says(), change.path));
        let resources = self.stacks.iter().flat_map(|stack| {
            let lost = stack.resources.iter().filter(|one| one.fate > Fate::InPlace);
            lost.map(|one| {
                let what = match one.fate {
                    Fate::Goes => "goes",
                    Fate::PerhapsReplaced => "may be replaced",
                    _ => "is replaced",
                };
                format!("{} of {} {what}", one.name, stack.stack_name)
            })
        });
        cluster.chain(resources).chain(vanished).chain(self.remade.clone()).chain(self.beside.clone()).collect()
    }
}

/// Compares the plan with what stands; changes nothing.
pub async fn changes(account: &Account, plan: &Plan, with_drift: bool) -> Result<Changes, Failure> {
    let mut outputs = Outputs::of(plan);
    let mut changes = Changes::default();
    let mut stands = false;
    for call in Outputs::calls(plan) {
        let stack = stacks::describe(account, &call.stack_name).await?;
        if let Some(stack) = &stack {
            stacks::mind_the_owner(stack, &call.stack_name, &plan.cluster)?;
            stands = true;
        }
        let change = stack_change(account, plan, call, stack.as_ref(), &mut outputs, with_drift).await?;
        // Whoever reads what is replaced gets another.
        let replaced = change.iter().flat_map(|change| &change.resources).filter(|one| one.fate > Fate::InPlace);
        replaced.filter_map(|one| one.id.as_deref()).for_each(|id| outputs.forget(id));
        changes.stacks.extend(change);
    }
    if let Some(call) = cluster_call(plan) {
        changes.cluster = cluster::changes(account, plan, call, &mut outputs).await?.unwrap_or_default();
    }
    changes.remade = remade(account, plan).await?;
    changes.is_new = !stands;
    changes.beside = beside(account, plan, &changes.stacks).await?;
    changes.vanished = vanished(account, plan).await?;
    Ok(changes)
}

/// What is there of people's where a stack for such things is to be made: somebody deleted the stack, which retained it.
async fn beside(account: &Account, plan: &Plan, stacks: &[StackChange]) -> Result<Vec<String>, Failure> {
    let is_made = |stack: &str| {
        let name = Outputs::calls(plan).find(|call| call.stack == stack).map(|call| &call.stack_name);
        stacks.iter().any(|change| change.is_new && Some(&change.stack_name) == name)
    };
    let (home, storage) = (is_made("home"), is_made("storage"));
    if !home && !storage {
        return Ok(Vec::new());
    }
    // Where the caller may not look, nothing is known of it.
    let found = api::leavings(account, &plan.cluster).await?.leavings;
    let mine = found.iter().filter_map(|one| match one.kind {
        LeavingKind::Volume | LeavingKind::OpenZfs if home => Some((&one.id, "/home")),
        LeavingKind::Lustre if storage => Some((&one.id, "/fsx")),
        _ => None,
    });
    let told = mine.map(|(id, place)| {
        format!("{id} is there from before, and no stack holds it: {place} becomes another, empty one (the spec can name the old one)")
    });
    Ok(told.collect())
}

/// A cluster that stands although the stack that holds it failed: it took longer than CloudFormation waits.
async fn remade(account: &Account, plan: &Plan) -> Result<Option<String>, Failure> {
    let Some(Driver::Provider { stack_name, .. }) = cluster_call(plan).map(|call| &call.driver) else {
        return Ok(None);
    };
    let holder = stacks::describe(account, stack_name).await?;
    if holder.is_none_or(|holder| phase(stacks::status(&holder)) != Phase::Broken) {
        return Ok(None);
    }
    let root = stacks::root::root(account, &plan.cluster).await?;
    let stands = root.is_some_and(|root| phase(stacks::status(&root)) == Phase::Stands);
    Ok(stands.then(|| format!("the cluster {} stands, but its making counts as failed: it is made anew", plan.cluster)))
}

/// The call that makes the plan's cluster.
pub fn cluster_call(plan: &Plan) -> Option<&ClusterCall> {
    plan.steps.iter().find_map(|step| match &step.action {
        Action::Aws(AwsAction::DeployCluster(call)) => Some(call.as_ref()),
        _ => None,
    })
}

async fn stack_change(
    account: &Account,
    plan: &Plan,
    call: &StackCall,
    stack: Option<&Stack>,
    outputs: &mut Outputs<'_>,
    with_drift: bool,
) -> Result<Option<StackChange>, Failure> {
    let change =
        |is_new, resources, drift| StackChange { stack_name: call.stack_name.clone(), is_new, resources, drift };
    let Some(stack) = stack.filter(|stack| phase(stacks::status(stack)) != Phase::Broken) else {
        return Ok(Some(change(true, Vec::new(), Vec::new())));
    };
    if matches!(phase(stacks::status(stack)), Phase::Moving | Phase::Stuck) {
        return Ok(None);
    }
    let text = planned::artifact(plan, &call.template)?;
    let mut parameters = BTreeMap::new();
    let mut is_known = true;
    for (name, wire) in &call.parameters {
        // What a stack that is still to come gives out is not known: its reader is compared without it.
        let known = outputs.value(account, wire).await.ok();
        match known.or_else(|| stacks::parameter(stack, name).map(str::to_owned)) {
            Some(value) => drop(parameters.insert(name.clone(), value)),
            None => is_known = false,
        }
    }
    let wanted = Wanted {
        name: call.stack_name.clone(),
        template: Template::Text(text.to_owned()),
        parameters,
        capabilities: call.capabilities.clone(),
        tags: call.tags.clone(),
        keep_failed: false,
    };
    let drift = if with_drift { drift(account, &call.stack_name).await? } else { Vec::new() };
    if is_known && stacks::is_as(account, stack, &wanted).await? {
        return Ok((!drift.is_empty()).then(|| change(false, Vec::new(), drift)));
    }
    if !is_known {
        // It reads what a stack that is still to come gives out: CloudFormation cannot be asked about it yet.
        return Ok(Some(change(false, Vec::new(), drift)));
    }
    let resources = change_set(account, &wanted).await?;
    Ok((!resources.is_empty() || !drift.is_empty()).then(|| change(false, resources, drift)))
}

/// What CloudFormation says that an update would change. The change set is deleted again.
async fn change_set(account: &Account, wanted: &Wanted) -> Result<Vec<ResourceChange>, Failure> {
    let name = format!("trainyard-{}-{}", std::process::id(), jiff::Timestamp::now().as_millisecond());
    let Template::Text(text) = &wanted.template else { return Ok(Vec::new()) };
    let parameters: Vec<Parameter> = wanted
        .parameters
        .iter()
        .map(|(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build())
        .collect();
    let call = account
        .cloudformation
        .create_change_set()
        .stack_name(&wanted.name)
        .change_set_name(&name)
        .change_set_type(ChangeSetType::Update)
        .template_body(text)
        .set_parameters(Some(parameters))
        .set_capabilities(Some(stacks::capabilities(&wanted.capabilities)))
        .set_tags(Some(stacks::tags(&wanted.tags)));
    call.send().await.map_err(|error| Refused::new("cloudformation:CreateChangeSet", &error))?;
    let found = described(account, &wanted.name, &name).await;
    let gone = account.cloudformation.delete_change_set().stack_name(&wanted.name).change_set_name(&name).send().await;
    gone.map_err(|error| Refused::new("cloudformation:DeleteChangeSet", &error))?;
    found
}

async fn described(account: &Account, stack: &str, name: &str) -> Result<Vec<ResourceChange>, Failure> {
    for look in 0..LOOKS_MAX {
        let (mut token, mut all) = (None, Vec::new());
        let (status, reason) = loop {
            let call = account.cloudformation.describe_change_set().stack_name(stack).change_set_name(name);
            let asked = call.set_next_token(token.take()).send().await;
            let page = asked.map_err(|error| Refused::new("cloudformation:DescribeChangeSet", &error))?;
            all.extend(page.changes().iter().filter_map(|change| change.resource_change().map(read)));
            token = page.next_token;
            if token.is_none() {
                let status = page.status.map(|status| status.as_str().to_owned()).unwrap_or_default();
                break (status, page.status_reason.unwrap_or_default());
            }
        };
        match status.as_str() {
            "CREATE_COMPLETE" => return Ok(all),
            // That there is nothing to change is a failure in CloudFormation's words.
            "FAILED" if reason.contains("didn't contain changes") || reason.contains("No updates") => {
                return Ok(Vec::new());
            }
            "FAILED" => {
                return Err(Failure::refused(format!(
                    "CloudFormation cannot change the stack {stack} as the spec asks"
                ))
                .caused_by(std::io::Error::other(reason)));
            }
            _ => tokio::time::sleep(Duration::from_millis(if look == 0 { 100 } else { 500 })).await,
        }
    }
    Err(Failure::refused(format!("CloudFormation did not say in time what would change in the stack {stack}"))
        .hint("run the same command again"))
}

fn read(change: &SdkChange) -> ResourceChange {
    let action = change.action().map_or("", |action| action.as_str());
    let fate = match (action, change.replacement()) {
        ("Add" | "Import", _) => Fate::Made,
        ("Remove", _) => Fate::Goes,
        (_, Some(Replacement::True)) => Fate::Replaced,
        (_, Some(Replacement::Conditional)) => Fate::PerhapsReplaced,
        _ => Fate::InPlace,
    };
    let mut properties: Vec<String> =
        change.details().iter().filter_map(|detail| detail.target()?.name().map(str::to_owned)).collect();
    properties.sort();
    properties.dedup();
    ResourceChange {
        name: change.logical_resource_id().unwrap_or_default().to_owned(),
        id: change.physical_resource_id().map(str::to_owned),
        kind: change.resource_type().unwrap_or_default().to_owned(),
        fate,
        properties,
    }
}

/// What was changed by hand. Types that CloudFormation cannot look at are passed over.
async fn drift(account: &Account, stack: &str) -> Result<Vec<String>, Failure> {
    let asked = account.cloudformation.detect_stack_drift().stack_name(stack).send().await;
    let answer = asked.map_err(|error| Refused::new("cloudformation:DetectStackDrift", &error))?;
    let id = answer.stack_drift_detection_id.unwrap_or_default();
    for look in 0..LOOKS_MAX {
        let asked =
            account.cloudformation.describe_stack_drift_detection_status().stack_drift_detection_id(&id).send().await;
        let answer = asked.map_err(|error| Refused::new("cloudformation:DescribeStackDriftDetectionStatus", &error))?;
        if answer.detection_status.is_some_and(|status| status.as_str() != "DETECTION_IN_PROGRESS") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(if look == 0 { 100 } else { 500 })).await;
    }
    let asked = account.cloudformation.describe_stack_resource_drifts().stack_name(stack).send().await;
    let answer = asked.map_err(|error| Refused::new("cloudformation:DescribeStackResourceDrifts", &error))?;
    let drifts = answer.stack_resource_drifts.unwrap_or_default();
    let changed = drifts.iter().filter_map(|one| {
        let status = one.stack_resource_drift_status().map_or("", |status| status.as_str());
        let name = one.logical_resource_id().unwrap_or_default();
        match status {
            "DELETED" => Some(format!("{name} is gone")),
            "MODIFIED" => {
                let is_group = one.resource_type() == Some("AWS::EC2::SecurityGroup");
                let paths: Vec<&str> =
                    one.property_differences().iter().filter_map(|one| one.property_path()).collect();
                // File systems bring rules of their own into the nodes' group; CloudFormation does not count them.
                let perhaps = if is_group { " (or by rules that other resources add to it)" } else { "" };
                Some(format!("{name} was changed: {}{perhaps}", paths.join(", ")))
            }
            _ => None,
        }
    });
    Ok(changed.collect())
}

/// Stacks of the cluster that the plan does not make any more and that hold nothing: last made first. Those that hold
/// something stay, and `down` lists them.
pub async fn vanished(account: &Account, plan: &Plan) -> Answer<Vec<String>> {
    let planned: Vec<&str> = Outputs::calls(plan).map(|call| call.stack_name.as_str()).collect();
    let names = STACKS.iter().filter(|kind| kind.stays.is_none()).map(|kind| format!("{}-{}", plan.cluster, kind.name));
    let mut found = Vec::new();
    for name in names.filter(|name| !planned.contains(&name.as_str())).rev() {
        let stack = stacks::describe(account, &name).await?;
        if stack.is_some_and(|stack| stacks::tag(&stack, stacks::OWNER) == Some(plan.cluster.as_str())) {
            found.push(name);
        }
    }
    Ok(found)
}
