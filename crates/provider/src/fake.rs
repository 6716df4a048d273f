//! A provider that does nothing but remember: for tests of the engine and of everything above it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use trainyard_plan::{Action, Facts, LocalFacts, Plan};
use trainyard_spec::Spec;

use crate::{Failure, Head, Logs, Observed, Provider, StepContext};

/// What the fake was told to do wrong.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Fail the n-th action, from 0.
    pub fail_at: Option<usize>,
    /// Wait for the deadline in the n-th action.
    pub hang_at: Option<usize>,
}

/// Remembers which actions took effect.
#[derive(Debug, Default)]
pub struct Fake {
    script: Script,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    actions: usize,
    made: BTreeSet<String>,
    log: Vec<String>,
}

impl Fake {
    /// A fake that follows `script`.
    pub fn new(script: Script) -> Self {
        Self { script, state: Mutex::default() }
    }

    /// Every action that took effect, in order.
    pub fn log(&self) -> Vec<String> {
        self.lock().log.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn name(action: &Action) -> String {
    serde_json::to_string(action).unwrap_or_default()
}

impl Provider for Fake {
    fn survey(&self, _: &Spec) -> Result<Facts, Failure> {
        Ok(Facts::Local(LocalFacts::assumed()))
    }

    fn execute(&self, _: &Plan, action: &Action, context: &StepContext<'_>) -> Result<(), Failure> {
        let number = {
            let mut state = self.lock();
            state.actions += 1;
            state.actions - 1
        };
        if self.script.hang_at == Some(number) {
            return context.wait_for("a thing that never comes", || Ok(Err("nothing".to_owned())));
        }
        if self.script.fail_at == Some(number) {
            return Err(Failure::refused("the fake was told to fail here"));
        }
        let mut state = self.lock();
        state.made.insert(name(action));
        state.log.push(name(action));
        Ok(())
    }

    fn holds(&self, _: &Plan, action: &Action) -> Result<bool, Failure> {
        Ok(self.lock().made.contains(&name(action)))
    }

    fn observe(&self, _: &Plan) -> Result<Observed, Failure> {
        Ok(Observed::here(true, Vec::new(), Vec::new()))
    }

    fn head<'a>(&'a self, _: &'a Plan) -> Result<Box<dyn Head + 'a>, Failure> {
        Err(Failure::refused("what only remembers has no head"))
    }

    fn logs<'a>(&'a self, _: &'a Plan) -> Result<Box<dyn Logs + 'a>, Failure> {
        Err(Failure::refused("what only remembers has no logs"))
    }
}
