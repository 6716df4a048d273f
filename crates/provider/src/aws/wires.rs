//! What stacks give out, put where it is read: `${network.PrivateSubnetId}`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trainyard_plan::aws::{AwsAction, StackCall, Wire};
use trainyard_plan::{Action, Plan};

use super::{Account, stacks};
use crate::Failure;

/// Outputs of the plan's stacks, each stack asked once.
pub struct Outputs<'a> {
    plan: &'a Plan,
    known: BTreeMap<String, BTreeMap<String, String>>,
    forgotten: BTreeSet<String>,
}

impl<'a> Outputs<'a> {
    /// Of this plan; nothing is asked yet.
    pub fn of(plan: &'a Plan) -> Self {
        Self { plan, known: BTreeMap::new(), forgotten: BTreeSet::new() }
    }

    /// The calls that deploy the plan's stacks.
    pub fn calls(plan: &Plan) -> impl Iterator<Item = &StackCall> {
        plan.steps.iter().filter_map(|step| match &step.action {
            Action::Aws(AwsAction::DeployStack(call)) => Some(call),
            _ => None,
        })
    }

    /// The value of a wire.
    pub async fn value(&mut self, account: &Account, wire: &Wire) -> Result<String, Failure> {
        match wire {
            Wire::Known(text) => Ok(text.clone()),
            Wire::Output { stack, output } => self.output(account, stack, output).await,
        }
    }

    /// What a stack gives out.
    pub async fn output(&mut self, account: &Account, stack: &str, output: &str) -> Result<String, Failure> {
        if !self.known.contains_key(stack) {
            let call = Self::calls(self.plan).find(|call| call.stack == stack);
            let call = call
                .ok_or_else(|| Failure::internal(format!("the plan reads a stack `{stack}` that it does not make")))?;
            let found = stacks::describe(account, &call.stack_name).await?;
            let found = found.ok_or_else(|| {
                Failure::refused(format!("the stack {} is gone", call.stack_name))
                    .hint("make it again with: trainyard up")
            })?;
            self.known.insert(stack.to_owned(), stacks::outputs(&found));
        }
        let found = self.known.get(stack).and_then(|outputs| outputs.get(output));
        found.filter(|value| !self.forgotten.contains(*value)).cloned().ok_or_else(|| {
            Failure::refused(format!("the stack `{stack}` does not give out {output}"))
                .hint("it was made from another spec, or changed by hand; `trainyard up` brings it to this one")
        })
    }

    /// Who gives this id out counts as not giving it out yet: another comes in its place.
    pub fn forget(&mut self, id: &str) {
        self.forgotten.insert(id.to_owned());
    }

    /// Replaces every `${stack.Output}` in the texts of a value; one that is not given out is an error.
    pub async fn fill(&mut self, account: &Account, value: &mut Value) -> Result<(), Failure> {
        self.fill_all(account, value, false).await
    }

    /// The same, but what is not given out yet stays as it is.
    pub async fn fill_known(&mut self, account: &Account, value: &mut Value) -> Result<(), Failure> {
        self.fill_all(account, value, true).await
    }

    async fn fill_all(&mut self, account: &Account, value: &mut Value, lenient: bool) -> Result<(), Failure> {
        match value {
            Value::String(text) => match self.filled(account, text).await {
                Ok(filled) => *text = filled,
                // Only what a stack that is still to come will give out: AWS's refusals are not passed over.
                Err(failure) if lenient && failure.source.is_none() => {}
                Err(failure) => return Err(failure),
            },
            Value::Array(items) => {
                for item in items {
                    Box::pin(self.fill_all(account, item, lenient)).await?;
                }
            }
            Value::Object(fields) => {
                for (_, item) in fields.iter_mut() {
                    Box::pin(self.fill_all(account, item, lenient)).await?;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Ok(())
    }

    /// A text with every `${stack.Output}` replaced. Other `${…}` stay as they are.
    pub async fn filled(&mut self, account: &Account, text: &str) -> Result<String, Failure> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            filled.push_str(before);
            let inner = from[2..].split_once('}');
            let wire = inner
                .and_then(|(inner, _)| inner.split_once('.'))
                .filter(|(stack, _)| Self::calls(self.plan).any(|call| call.stack == *stack));
            if let (Some((stack, output)), Some((_, after))) = (wire, inner) {
                filled.push_str(&self.output(account, stack, output).await?);
                rest = after;
            } else {
                filled.push_str("${");
                rest = &from[2..];
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }
}
