//! CloudFormation stacks: made, brought to a template, watched, deleted. Every operation may be done twice, and an
//! operation that another run began is waited for.

mod events;
pub mod root;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::{Capability, OnFailure, Parameter, Stack, Tag};

use events::STALE_LOOKS_MAX;
pub use events::Seen;

use super::refused::{Answer, Refused};
use super::{Account, Patience};
use crate::Failure;

/// A template: its text, or where it lies.
#[derive(Debug, Clone)]
pub enum Template {
    /// At most 51,200 bytes.
    Text(String),
    /// An address in S3.
    At(String),
    /// The one that the stack has.
    Same,
}

/// A stack as it is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Its template.
    pub template: Template,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
    /// What CloudFormation wants to be told that it makes.
    pub capabilities: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether what was made stays for a look when making it fails.
    pub keep_failed: bool,
}

impl Wanted {
    fn resources(&self) -> Option<usize> {
        let Template::Text(text) = &self.template else { return None };
        resources(text)
    }
}

/// How many resources a template makes; `None` where that depends on conditions, or cannot be read.
pub fn resources(template: &str) -> Option<usize> {
    let template = trainyard_spec::source::data(template)?;
    template["Conditions"].is_null().then(|| template["Resources"].as_object().map(serde_json::Map::len)).flatten()
}

/// What CloudFormation calls a stack's state, in groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Something is being done to it.
    Moving,
    /// It stands as asked, or as it was before a change that failed.
    Stands,
    /// It could not be made, or only in part: it is good for deleting.
    Broken,
    /// A change failed, and so did going back.
    Stuck,
    /// It is gone.
    Gone,
}

/// The group of a status.
pub fn phase(status: &str) -> Phase {
    match status {
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE" => Phase::Stands,
        "UPDATE_ROLLBACK_FAILED" | "UPDATE_FAILED" => Phase::Stuck,
        "DELETE_COMPLETE" => Phase::Gone,
        status if status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS" => Phase::Moving,
        // CREATE_FAILED, ROLLBACK_COMPLETE, ROLLBACK_FAILED, DELETE_FAILED, REVIEW_IN_PROGRESS
        _ => Phase::Broken,
    }
}

/// The status, as CloudFormation writes it.
pub fn status(stack: &Stack) -> &str {
    stack.stack_status().map_or("", |status| status.as_str())
}

/// What a stack gives out.
pub fn outputs(stack: &Stack) -> BTreeMap<String, String> {
    let pair = |output: &aws_sdk_cloudformation::types::Output| {
        Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))
    };
    stack.outputs().iter().filter_map(pair).collect()
}

/// A tag of a stack.
pub fn tag<'a>(stack: &'a Stack, key: &str) -> Option<&'a str> {
    stack.tags().iter().find(|tag| tag.key() == Some(key)).and_then(Tag::value)
}

/// A parameter of a stack.
pub fn parameter<'a>(stack: &'a Stack, key: &str) -> Option<&'a str> {
    stack.parameters().iter().find(|one| one.parameter_key() == Some(key)).and_then(Parameter::parameter_value)
}

/// The stack of that name or id; `None` when there is none.
pub async fn describe(account: &Account, name: &str) -> Answer<Option<Stack>> {
    let asked = account.cloudformation.describe_stacks().stack_name(name).send().await;
    match asked.map_err(|error| Refused::new("cloudformation:DescribeStacks", &error)) {
        Ok(answer) => {
            Ok(answer.stacks.unwrap_or_default().into_iter().next().filter(|s| phase(status(s)) != Phase::Gone))
        }
        Err(refused) if refused.is_absent() => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// Every stack of the region that is not gone.
pub async fn all(account: &Account) -> Answer<Vec<Stack>> {
    let mut pages = account.cloudformation.describe_stacks().into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| Refused::new("cloudformation:DescribeStacks", &error))?;
        all.extend(page.stacks.unwrap_or_default());
    }
    Ok(all)
}

/// Whether a stack was made from this template, with these parameters and tags.
pub async fn is_as(account: &Account, stack: &Stack, wanted: &Wanted) -> Answer<bool> {
    let same_parameters = stack.parameters().len() == wanted.parameters.len()
        && wanted.parameters.iter().all(|(name, value)| parameter(stack, name) == Some(value));
    let same_tags = stack.tags().len() == wanted.tags.len()
        && wanted.tags.iter().all(|(key, value)| tag(stack, key) == Some(value));
    match &wanted.template {
        Template::Text(text) if same_parameters && same_tags => match template(account, &wanted.name).await {
            Ok(stands) => Ok(stands == *text),
            // A late look showed it.
            Err(refused) if refused.is_absent() => Ok(false),
            Err(refused) => Err(refused),
        },
        Template::Text(_) => Ok(false),
        // Where it lies says which one it is, and the stack does not tell where that was.
        Template::At(_) | Template::Same => Ok(same_parameters && same_tags),
    }
}

/// The template that a stack was made from.
pub async fn template(account: &Account, name: &str) -> Answer<String> {
    let asked = account.cloudformation.get_template().stack_name(name).send().await;
    let answer = asked.map_err(|error| Refused::new("cloudformation:GetTemplate", &error))?;
    answer.template_body.ok_or_else(|| Refused::unreadable("cloudformation:GetTemplate", "no template"))
}

/// The tag that says whose a stack is.
pub const OWNER: &str = "trainyard:cluster";

/// Nothing is done to a stack that is not the cluster's: names alone may meet those of somebody else.
pub fn mind_the_owner(stack: &Stack, name: &str, cluster: &str) -> Result<(), Failure> {
    if tag(stack, OWNER) == Some(cluster) {
        return Ok(());
    }
    let whose = match tag(stack, OWNER) {
        Some(other) => format!("it belongs to the cluster {other}"),
        None => format!("it has no tag {OWNER}"),
    };
    Err(Failure::refused(format!("the stack {name} is not one of trainyard's for the cluster {cluster}: {whose}"))
        .hint("nothing was done to it; give the cluster another `name`, or remove that stack yourself"))
}

/// Makes the stack, or brings it to what is wanted.
pub async fn deploy(account: &Account, wanted: &Wanted, patience: &Patience<'_>) -> Result<(), Failure> {
    // A broken one is deleted once, a stuck one mended once; what breaks again is told.
    let (mut may_delete, mut may_mend) = (true, true);
    loop {
        let stack = describe(account, &wanted.name).await?;
        let Some(stack) = stack else {
            let begun = create(account, wanted).await?;
            return settle(account, &wanted.name, begun, patience).await.map(|_| ());
        };
        mind_the_owner(&stack, &wanted.name, wanted.tags.get(OWNER).map_or("", String::as_str))?;
        match phase(status(&stack)) {
            Phase::Moving => {
                watch(account, &wanted.name, Seen::default(), patience).await?;
            }
            Phase::Stands => {
                if let Some(begun) = update(account, wanted).await? {
                    settle(account, &wanted.name, begun, patience).await?;
                }
                return Ok(());
            }
            Phase::Broken if may_delete => {
                may_delete = false;
                patience.tell(format!("deleting what is left of {} ({})", wanted.name, status(&stack)));
                delete(account, &wanted.name, wanted.tags.get(OWNER).map_or("", String::as_str), patience).await?;
            }
            Phase::Stuck if may_mend => {
                may_mend = false;
                mend(account, &wanted.name, status(&stack), &[], patience).await?;
            }
            Phase::Broken | Phase::Stuck | Phase::Gone => return Err(stuck(account, &wanted.name, status(&stack))),
        }
    }
}

/// A stack that only a person can help.
pub fn stuck(account: &Account, name: &str, status: &str) -> Failure {
    let region = account.region();
    Failure::refused(format!("the stack {name} is in {status}, and going back to where it was failed again"))
        .hint(format!("skip what cannot go back: aws cloudformation continue-update-rollback --region {region} --stack-name {name} --resources-to-skip NAME"))
        .hint("or, in the console, CloudFormation > the stack > Stack actions > Continue update rollback")
}

/// Lets a stack whose change failed, and whose way back failed too, try that way again; and where that fails, without
/// the resources that may be `skipped`: what they are is then looked at by the next change.
///
/// One that was left as it was after a failure (`UPDATE_FAILED`: somebody switched the way back off) is sent back.
pub async fn mend(
    account: &Account,
    name: &str,
    status: &str,
    skipped: &[&str],
    patience: &Patience<'_>,
) -> Result<(), Failure> {
    patience.tell(format!("going back to where {name} was"));
    if status == "UPDATE_FAILED" {
        let begun = Seen::after(token());
        let call = account.cloudformation.rollback_stack().stack_name(name).set_client_request_token(begun.token());
        call.send().await.map_err(|error| Refused::new("cloudformation:RollbackStack", &error))?;
        watch(account, name, begun, patience).await?;
        return Ok(());
    }
    for skip in [&[][..], skipped] {
        let begun = Seen::after(token());
        let call = account.cloudformation.continue_update_rollback().stack_name(name);
        let call = call.set_client_request_token(begun.token());
        let skip = skip.iter().map(|one| (*one).to_owned()).collect();
        let asked = call.set_resources_to_skip(Some(skip)).send().await;
        asked.map_err(|error| Refused::new("cloudformation:ContinueUpdateRollback", &error))?;
        let (now, _) = watch(account, name, begun, patience).await?;
        if phase(&now) != Phase::Stuck || skipped.is_empty() {
            break;
        }
    }
    Ok(())
}

/// Milliseconds since 1970.
pub fn this_moment() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A name for one intended operation: a call that is repeated because its answer was lost is then the same operation.
fn token() -> String {
    format!("trainyard-{}-{}", std::process::id(), jiff::Timestamp::now().as_microsecond())
}

/// Begins to make the stack; what it returns follows that operation.
pub async fn create(account: &Account, wanted: &Wanted) -> Result<Seen, Failure> {
    let on_failure = if wanted.keep_failed { OnFailure::DoNothing } else { OnFailure::Rollback };
    let call = account.cloudformation.create_stack().stack_name(&wanted.name).on_failure(on_failure);
    let begun = Seen::after(token()).of(wanted.resources());
    let call = call.set_client_request_token(begun.token());
    let call = match &wanted.template {
        Template::Text(text) => call.template_body(text),
        Template::At(url) => call.template_url(url),
        Template::Same => return Err(Failure::internal(format!("{} has no template yet", wanted.name))),
    };
    let call = call
        .set_parameters(Some(parameters(&wanted.parameters)))
        .set_capabilities(Some(capabilities(&wanted.capabilities)))
        .set_tags(Some(tags(&wanted.tags)));
    match call.send().await {
        Ok(_) => Ok(begun),
        // Somebody else made it in this moment.
        Err(error) if error.code() == Some("AlreadyExistsException") => Ok(Seen::default()),
        Err(error) => Err(Refused::new("cloudformation:CreateStack", &error).into()),
    }
}

/// Begins to update a stack that stands; what it returns follows that operation. `None`: there is nothing to change.
pub async fn update(account: &Account, wanted: &Wanted) -> Result<Option<Seen>, Failure> {
    let begun = Seen::after(token());
    let call = account.cloudformation.update_stack().stack_name(&wanted.name);
    let call = call.set_client_request_token(begun.token());
    let call = match &wanted.template {
        Template::Text(text) => call.template_body(text),
        Template::At(url) => call.template_url(url),
        Template::Same => call.use_previous_template(true),
    };
    let call = call
        .set_parameters(Some(parameters(&wanted.parameters)))
        .set_capabilities(Some(capabilities(&wanted.capabilities)))
        .set_tags(Some(tags(&wanted.tags)));
    match call.send().await.map_err(|error| Refused::new("cloudformation:UpdateStack", &error)) {
        Ok(_) => Ok(Some(begun)),
        Err(refused) if refused.message.contains("No updates are to be performed") => Ok(None),
        Err(refused) => Err(refused.into()),
    }
}

/// Deletes the stack and what it does not retain. One that is not there is fine.
pub async fn delete(account: &Account, name: &str, cluster: &str, patience: &Patience<'_>) -> Result<(), Failure> {
    let begun = begin_delete(account, name, cluster, patience).await?;
    let (status, seen) = watch(account, name, begun, patience).await?;
    if status != "DELETE_COMPLETE" {
        return Err(seen.failure(account, name, &status).await);
    }
    await_gone(account, name, &seen, patience).await
}

/// Waits until a deleted stack is not shown by its name either: whoever makes the next one would take it for standing.
pub async fn await_gone(account: &Account, name: &str, deleted: &Seen, patience: &Patience<'_>) -> Result<(), Failure> {
    let mut pause = Pause::default();
    for _ in 0..STALE_LOOKS_MAX {
        let shown = describe(account, name).await?;
        if shown.is_none_or(|shown| shown.stack_id() != deleted.stack_id()) {
            break;
        }
        patience.pause(&format!("the stack {name}"), "deleted, and still shown", pause.next()).await?;
    }
    Ok(())
}

/// Asks for the deletion, once nothing else is being done to the stack; what it returns follows that operation.
pub async fn begin_delete(
    account: &Account,
    name: &str,
    cluster: &str,
    patience: &Patience<'_>,
) -> Result<Seen, Failure> {
    loop {
        let Some(stack) = describe(account, name).await? else { return Ok(Seen::default()) };
        mind_the_owner(&stack, name, cluster)?;
        match status(&stack) {
            "DELETE_IN_PROGRESS" => return Ok(Seen::default()),
            status if phase(status) == Phase::Moving => {
                watch(account, name, Seen::default(), patience).await?;
            }
            _ => {
                let mut begun = Seen::after(token());
                // By its id it is known also when it is gone.
                begun.is_about(stack.stack_id().unwrap_or(name));
                let call = account.cloudformation.delete_stack().stack_name(name);
                let asked = call.set_client_request_token(begun.token()).send().await;
                asked.map_err(|error| Refused::new("cloudformation:DeleteStack", &error))?;
                return Ok(begun);
            }
        }
    }
}

/// Waits for the operation that was begun, and tells what failed in it.
pub async fn settle(account: &Account, name: &str, begun: Seen, patience: &Patience<'_>) -> Result<String, Failure> {
    let (status, seen) = watch(account, name, begun, patience).await?;
    let is_well = matches!(status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "DELETE_COMPLETE");
    if is_well {
        return Ok(status);
    }
    Err(seen.failure(account, name, &status).await)
}

/// Waits until nothing is being done to the stack, and returns its status.
pub async fn watch(
    account: &Account,
    name: &str,
    mut seen: Seen,
    patience: &Patience<'_>,
) -> Result<(String, Seen), Failure> {
    let mut pause = Pause::default();
    loop {
        let now = seen.look(account, name).await?;
        if phase(&now) != Phase::Moving && !seen.is_stale() {
            return Ok((now, seen));
        }
        patience.pause(&format!("the stack {name}"), seen.progress(this_moment()), pause.next()).await?;
    }
}

/// Pauses that grow from a seventh of a second to five.
#[derive(Debug, Default)]
pub struct Pause(u32);

impl Pause {
    /// The next one.
    pub fn next(&mut self) -> Duration {
        self.0 += 1;
        Duration::from_millis(150).mul_f64(1.5_f64.powi(self.0.min(20).cast_signed() - 1)).min(Duration::from_secs(5))
    }
}

impl Seen {
    /// Reads status and events. The events of an operation that was asked for here are what counts: what else is
    /// read may be from before it.
    pub async fn look(&mut self, account: &Account, name: &str) -> Answer<String> {
        let stack = describe(account, self.stack_id().unwrap_or(name)).await?;
        if let Some(id) = stack.as_ref().and_then(Stack::stack_id) {
            self.is_about(id);
        }
        self.read(account, name).await?;
        Ok(self.shown(stack.as_ref()))
    }
}

fn parameters(given: &BTreeMap<String, String>) -> Vec<Parameter> {
    given.iter().map(|(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build()).collect()
}

/// Tags in the SDK's form.
pub fn tags(given: &BTreeMap<String, String>) -> Vec<Tag> {
    given.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Capabilities in the SDK's form.
pub fn capabilities(given: &[String]) -> Vec<Capability> {
    given.iter().map(|one| Capability::from(one.as_str())).collect()
}
