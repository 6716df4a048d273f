//! Limits of time that cannot be kept.

use super::{Rule, Scope};
use crate::model::{Engine, NodeKind, Timeouts};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "timeouts",
    summary: "The head node's time limit holds its own setup, and fits CloudFormation's",
    explain: "CloudFormation ends what it makes through a provider after 3600 s, and ParallelCluster's own stack takes some \
              minutes of that, so the head has 3000 s. With the engine `cli` it may have 3600. It needs 600 s to boot, and \
              one and a half times what its own scripts usually take (`seconds` in `setup.scripts`).",
    scope: Scope::Aws,
    check,
};

/// What is left of CloudFormation's 3600 s after ParallelCluster's own stack stands.
const PROVIDER_SECONDS_MAX: u32 = 3000;
/// The most that the setting takes.
const CLI_SECONDS_MAX: u32 = 3600;
/// A head boots and sets itself up in some 5 minutes; twice that.
const HEAD_SECONDS: u32 = 600;

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let most = match spec.parallelcluster.engine {
        Engine::Cloudformation => PROVIDER_SECONDS_MAX,
        Engine::Cli => CLI_SECONDS_MAX,
    };
    let scripts = spec.setup.scripts.iter().filter(|script| script.nodes == NodeKind::Head);
    let usual: u32 = scripts.map(|script| script.seconds).sum();
    let needed = HEAD_SECONDS + usual + usual / 2;
    if needed > most {
        let what = format!("with its scripts the head node needs {needed} s, and has {most} s at most");
        let fix = "do less in scripts of the head node, for example by a machine image of your own";
        return vec![Diagnostic::error(RULE.code, path!["setup", "scripts"], what).fix(fix)];
    }
    let Timeouts::Given(given) = &spec.timeouts else { return Vec::new() };
    let at = path!["timeouts", "head_seconds"];
    let asked = given.head_seconds;
    if asked > most {
        let what = format!("the head node can have {most} s at most, and {asked} are asked for");
        return vec![
            Diagnostic::error(RULE.code, at, what)
                .why("CloudFormation ends after 3600 s what a provider makes, with everything before the head")
                .replace(format!("use {most}, or the engine `cli`"), most.to_string()),
        ];
    }
    if asked < needed {
        let what = format!("the head node needs {needed} s, and has {asked}");
        return vec![
            Diagnostic::error(RULE.code, at, what)
                .why("600 s to boot, and half as much again as its scripts usually take")
                .replace(format!("use {needed} at least"), needed.to_string()),
        ];
    }
    Vec::new()
}
