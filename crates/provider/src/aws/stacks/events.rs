//! What happens inside a stack: how far it is, and what failed first.

use std::collections::{BTreeMap, HashSet};

use aws_sdk_cloudformation::types::{Stack, StackEvent};

use crate::aws::refused::{Answer, Refused};
use crate::{Failure, Progress, Resource, Resources};

/// Events of one operation are seldom more than some hundreds; this many pages of a hundred are read.
const PAGES_MAX: usize = 30;
/// Stacks inside stacks, when a failure is looked for.
const DEPTH_MAX: u32 = 3;

/// So often an answer may be from before the operation that was asked for: together some 40 s. CloudFormation is not
/// read at once as it was written.
pub(super) const STALE_LOOKS_MAX: u32 = 14;

/// So long before the first event a request may have been noted.
const REQUEST_MILLISECONDS: i64 = 10_000;

/// The events of the operation that runs, or ran last.
#[derive(Debug, Default)]
pub struct Seen {
    id: Option<String>,
    /// What the operation that is awaited is known by in its events.
    token: Option<String>,
    /// Whether every event that is new belongs to the awaited operation: somebody else's program begins it.
    is_from_now: bool,
    looks: u32,
    /// Whether the stack itself was shown as these events leave it.
    agrees: bool,
    known: HashSet<String>,
    /// Oldest first.
    events: Vec<StackEvent>,
    /// How many resources there will be, where that is known.
    of: Option<usize>,
}

impl Seen {
    /// Those of the operation with this token, and of none before it.
    pub fn after(token: String) -> Self {
        Self { token: Some(token), ..Self::default() }
    }

    /// Those of an operation that another program is going to ask for.
    pub async fn from_now(account: &crate::aws::Account, name: &str) -> Answer<Self> {
        let mut seen = Self { is_from_now: true, ..Self::default() };
        seen.read(account, name).await?;
        seen.events.clear();
        Ok(seen)
    }

    /// With how many resources there will be.
    #[must_use]
    pub fn of(mut self, resources: Option<usize>) -> Self {
        self.of = resources;
        self
    }

    /// What the operation is known by, if it is one that was asked for here.
    pub fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Whether what was read may be from before the operation that is awaited, or whoever looks next may still be
    /// shown what was.
    pub fn is_stale(&self) -> bool {
        self.is_awaited() && self.looks <= STALE_LOOKS_MAX && !self.agrees
    }

    fn is_awaited(&self) -> bool {
        self.token.is_some() || self.is_from_now
    }

    /// Takes in how the stack itself was shown; returns its status, by the events of the awaited operation if they are
    /// there.
    pub(super) fn shown(&mut self, stack: Option<&Stack>) -> String {
        self.looks += 1;
        let shown = stack.map_or("DELETE_COMPLETE", super::status);
        let is_mine = |event: &&StackEvent| self.is_from_now || event.client_request_token() == self.token.as_deref();
        let mine = self.events.iter().rev().find(|event| is_mine(event) && is_the_stack_itself(event));
        let told = mine.filter(|_| self.is_awaited()).map(|event| status(event).to_owned());
        let is_recent = told.as_deref() == Some("DELETE_COMPLETE") || self.is_recent(stack);
        self.agrees = told.as_deref() == Some(shown) && is_recent;
        told.unwrap_or_else(|| shown.to_owned())
    }

    /// Whether a stack is shown as it is since the operation began. CloudFormation notes the time of a request some
    /// time before the first event.
    fn is_recent(&self, stack: Option<&Stack>) -> bool {
        let Some(stack) = stack else { return false };
        let shown = stack.last_updated_time().or(stack.creation_time()).and_then(|at| at.to_millis().ok());
        shown.zip(self.began_at()).is_none_or(|(shown, began)| shown >= began - REQUEST_MILLISECONDS)
    }

    /// Which stack it is: its id stays good after it is deleted.
    pub fn is_about(&mut self, id: &str) {
        self.id.get_or_insert_with(|| id.to_owned());
    }

    /// The stack's id, once it is known.
    pub fn stack_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Reads what is new, back to where the operation began.
    pub async fn read(&mut self, account: &crate::aws::Account, name: &str) -> Answer<()> {
        let stack = self.id.clone().unwrap_or_else(|| name.to_owned());
        let mut token = None;
        let mut new = Vec::new();
        'pages: for _ in 0..PAGES_MAX {
            let asked = account.cloudformation.describe_stack_events().stack_name(&stack).set_next_token(token.take());
            let answer =
                match asked.send().await.map_err(|error| Refused::new("cloudformation:DescribeStackEvents", &error)) {
                    Ok(answer) => answer,
                    // A deleted stack is known by its id only.
                    Err(refused) if refused.is_absent() => return Ok(()),
                    Err(refused) => return Err(refused),
                };
            for event in answer.stack_events.unwrap_or_default() {
                let id = event.event_id().unwrap_or_default().to_owned();
                if self.known.contains(&id) {
                    break 'pages;
                }
                let is_begin = begins(&event);
                self.known.insert(id);
                new.push(event);
                if is_begin {
                    // What is older belongs to another operation.
                    self.events.clear();
                    break 'pages;
                }
            }
            token = answer.next_token;
            if token.is_none() {
                break;
            }
        }
        self.events.extend(new.into_iter().rev());
        Ok(())
    }

    /// When the operation began, in milliseconds since 1970.
    pub fn began_at(&self) -> Option<i64> {
        self.events.first()?.timestamp()?.to_millis().ok()
    }

    /// How far it is at this moment (milliseconds since 1970).
    pub fn progress(&self, now: i64) -> Progress {
        let mut last: BTreeMap<&str, &StackEvent> = BTreeMap::new();
        for event in self.events.iter().filter(|event| !is_the_stack_itself(event)) {
            last.insert(event.logical_resource_id().unwrap_or_default(), event);
        }
        let of = |end: &str| last.values().filter(|event| status(event).ends_with(end)).count();
        let mut moving: Vec<Resource> = last
            .iter()
            .filter(|(_, event)| status(event).ends_with("_IN_PROGRESS"))
            .map(|(id, event)| Resource {
                name: format!("{id} ({})", short(event.resource_type().unwrap_or_default())),
                seconds: self
                    .begin_of(id)
                    .map_or(0, |begin| (now.saturating_sub(begin) / 1000).try_into().unwrap_or(0)),
            })
            .collect();
        moving.sort_by_key(|resource| std::cmp::Reverse(resource.seconds));
        let shown = moving.iter().take(3).map(|resource| resource.name.as_str()).collect::<Vec<_>>().join(", ");
        let more = if moving.len() > 3 { format!(" and {} more", moving.len() - 3) } else { String::new() };
        let done = of("_COMPLETE");
        let of = self.of.filter(|_| !self.goes_back());
        let text = match (last.len(), moving.len()) {
            (0, _) => return "begun".into(),
            (_, 0) => format!("{done} resources done"),
            _ => format!("{done} resources done; working on {shown}{more}"),
        };
        Progress { text, resources: Some(Resources { done, of, in_progress: moving }), ..Progress::default() }
    }

    /// When what is being done to a resource began: it may have been made before, in the same operation, and go now.
    fn begin_of(&self, resource: &str) -> Option<i64> {
        let kind = |event: &StackEvent| status(event).split('_').next().unwrap_or_default().to_owned();
        let mut its = self.events.iter().rev().filter(|event| event.logical_resource_id() == Some(resource)).peekable();
        let now = kind(its.peek()?);
        its.take_while(|event| kind(event) == now).last()?.timestamp()?.to_millis().ok()
    }

    /// Whether the stack is on its way back: what is done then is what is gone.
    fn goes_back(&self) -> bool {
        self.events.iter().any(|event| is_the_stack_itself(event) && status(event).contains("ROLLBACK"))
    }

    /// What failed first, in CloudFormation's words.
    pub async fn failure(&self, account: &crate::aws::Account, name: &str, now: &str) -> Failure {
        let failed = Failure::refused(format!("the stack {name} ended in {now}"));
        let mut causes = Vec::new();
        self.collect(account, &mut causes).await;
        let Some(first) = causes.first().cloned() else {
            return failed
                .hint(format!("its events say more: aws cloudformation describe-stack-events --stack-name {name}"));
        };
        let more =
            if causes.len() > 1 { format!("; {} more failed after it", causes.len() - 1) } else { String::new() };
        failed.caused_by(std::io::Error::other(first + &more))
    }

    /// Adds every cause, those inside nested stacks in place of what is said of these.
    pub async fn collect(&self, account: &crate::aws::Account, causes: &mut Vec<String>) {
        self.causes(account, DEPTH_MAX, causes).await;
    }

    /// Whether a resource whose type contains `kind` is being made.
    pub fn is_working_on(&self, kind: &str) -> bool {
        let last = self.events.iter().rev().find(|event| event.resource_type().unwrap_or_default().contains(kind));
        last.is_some_and(|event| status(event).ends_with("_IN_PROGRESS"))
    }

    async fn causes(&self, account: &crate::aws::Account, depth: u32, causes: &mut Vec<String>) {
        for event in self.events.iter().filter(|event| is_cause(event)) {
            let reason = event.resource_status_reason().unwrap_or("no reason given");
            let kind = event.resource_type().unwrap_or_default();
            let nested = event.physical_resource_id().filter(|_| kind == "AWS::CloudFormation::Stack" && depth > 0);
            let before = causes.len();
            if let Some(id) = nested {
                let mut inner = Self::default();
                inner.is_about(id);
                // What a nested stack says is better than what is said of it, where it can be had.
                if inner.read(account, id).await.is_ok() {
                    Box::pin(inner.causes(account, depth - 1, causes)).await;
                }
            }
            if causes.len() == before {
                causes.push(format!("{} ({}): {reason}", event.logical_resource_id().unwrap_or_default(), short(kind)));
            }
        }
    }

    /// The reason of the first resource of that type that failed.
    pub fn reason_of(&self, kind: &str) -> Option<String> {
        let event = self.events.iter().find(|event| is_cause(event) && event.resource_type() == Some(kind))?;
        event.resource_status_reason().map(str::to_owned)
    }
}

fn status(event: &StackEvent) -> &str {
    event.resource_status().map_or("", |status| status.as_str())
}

fn is_the_stack_itself(event: &StackEvent) -> bool {
    event.physical_resource_id().is_some() && event.physical_resource_id() == event.stack_id()
}

/// The first event of an operation that somebody asked for.
fn begins(event: &StackEvent) -> bool {
    is_the_stack_itself(event)
        && matches!(status(event), "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS")
}

/// Whether it failed by itself, and not because something else did.
fn is_cause(event: &StackEvent) -> bool {
    let reason = event.resource_status_reason().unwrap_or_default();
    let is_echo = ["cancelled", "The following resource(s) failed"].iter().any(|echo| reason.contains(echo));
    status(event).ends_with("_FAILED") && !is_the_stack_itself(event) && !is_echo
}

/// `AWS::FSx::FileSystem` → `FSx FileSystem`
fn short(kind: &str) -> String {
    kind.trim_start_matches("AWS::").replace("::", " ")
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::primitives::DateTime;
    use aws_sdk_cloudformation::types::ResourceStatus;

    use super::*;

    /// The events of a stack `s`, told as `(second, resource, status)`.
    fn seen(events: &[(i64, &str, &str)]) -> Seen {
        let event = |(second, resource, status): &(i64, &str, &str)| {
            StackEvent::builder()
                .stack_id("arn:s")
                .event_id(format!("{second}-{resource}-{status}"))
                .stack_name("s")
                .logical_resource_id(*resource)
                .physical_resource_id(if *resource == "s" { "arn:s" } else { "i-1" })
                .resource_type(if *resource == "s" { "AWS::CloudFormation::Stack" } else { "AWS::EC2::VPC" })
                .resource_status(ResourceStatus::from(*status))
                .timestamp(DateTime::from_secs(*second))
                .build()
        };
        Seen { events: events.iter().map(event).collect(), of: Some(3), ..Seen::default() }
    }

    #[test]
    fn progress_is_of_what_is_done_now() {
        let begun = [(0, "s", "CREATE_IN_PROGRESS"), (1, "A", "CREATE_IN_PROGRESS"), (2, "A", "CREATE_IN_PROGRESS")];
        let made = [(4, "A", "CREATE_COMPLETE"), (4, "B", "CREATE_IN_PROGRESS")];
        let back =
            [(1800, "s", "ROLLBACK_IN_PROGRESS"), (1800, "B", "CREATE_FAILED"), (1801, "A", "DELETE_IN_PROGRESS")];
        let gone = [(1810, "A", "DELETE_COMPLETE")];
        let moving = |name: &str, seconds| vec![Resource { name: format!("{name} (EC2 VPC)"), seconds }];
        for (events, now, wanted) in [
            (begun.to_vec(), 31, Resources { done: 0, of: Some(3), in_progress: moving("A", 30) }),
            // This machine's clock may be behind.
            (begun.to_vec(), 0, Resources { done: 0, of: Some(3), in_progress: moving("A", 0) }),
            ([&begun[..], &made].concat(), 64, Resources { done: 1, of: Some(3), in_progress: moving("B", 60) }),
            ([&begun[..], &made, &back].concat(), 1803, Resources { done: 0, of: None, in_progress: moving("A", 2) }),
            (
                [&begun[..], &made, &back, &gone].concat(),
                1811,
                Resources { done: 1, of: None, in_progress: Vec::new() },
            ),
        ] {
            assert_eq!(seen(&events).progress(now * 1000).resources, Some(wanted), "{events:?}");
        }
    }
}
