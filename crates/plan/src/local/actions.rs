//! The rehearsal's steps, in order, each with deadline and undo.

use trainyard_spec::Spec;

use super::layout::{self, FOLDERS, PASSING};
use crate::plan::{Action, Artifact, Step, Undo, fingerprint};
use crate::rehearsed::{HEAD, LocalAction, Rehearsed};

pub(super) fn steps(spec: &Spec, rehearsed: &Rehearsed, artifacts: &[Artifact]) -> Vec<Step> {
    let fixed: Vec<String> =
        rehearsed.nodes.iter().filter(|n| n.is_static && n.name != HEAD).map(|n| n.name.clone()).collect();
    let digest = fingerprint(&artifacts);
    let (kept, made): (Vec<_>, Vec<_>) =
        FOLDERS.iter().map(|(path, mode)| ((*path).to_owned(), *mode)).partition(|(path, _)| layout::is_kept(path));
    let passing = PASSING.iter().map(|path| (*path).to_owned()).collect();
    let boot = u64::from(spec.rehearsal.boot_seconds);
    let many = u64::try_from(fixed.len()).unwrap_or(u64::MAX);
    let mut steps = vec![
        Draft::new("data", "Make the shared folders", LocalAction::MakeFolders(kept), 30, 0)
            .keep("files in /fsx and /home are people's; logs tell what happened"),
        Draft::new("folders", "Make the cluster's folders", LocalAction::MakeFolders(made), 30, 0)
            .undo("Remove what nobody made by hand", LocalAction::RemoveFolders(passing)),
        Draft::new("program", "Install trainyard on the nodes", LocalAction::InstallProgram, 60, 0).step,
        Draft::new("key", "Make the cluster's key", LocalAction::MakeKey("run/munge.key".into()), 10, 0).step,
        Draft::new("configuration", "Write Slurm's configuration", LocalAction::WriteArtifacts { digest }, 30, 0).step,
        Draft::new(
            "supervisor",
            "Start the node supervisor",
            LocalAction::StartSupervisor { digest: fingerprint(rehearsed) },
            20,
            1,
        )
        .undo("Stop the node supervisor", LocalAction::StopSupervisor),
        Draft::new("head", "Start the head node", LocalAction::StartNodes(vec![HEAD.into()]), 30, 1)
            .undo("Stop the head node", LocalAction::StopNodes(vec![HEAD.into()])),
        Draft::new("controller", "Wait for slurmctld", LocalAction::AwaitController, 60, 1).step,
    ];
    if !fixed.is_empty() {
        let nodes = if fixed.len() == 1 { "1 static node".to_owned() } else { format!("{} static nodes", fixed.len()) };
        let names = format!("Start {nodes}");
        steps.push(
            Draft::new(
                "nodes",
                &names,
                LocalAction::StartNodes(fixed.clone()),
                60 + boot + 2 * many,
                1 + boot + many / 8,
            )
            .undo("Stop the static nodes", LocalAction::StopNodes(fixed.clone())),
        );
        let verb = if fixed.len() == 1 { "takes" } else { "take" };
        let wait = format!("Wait until {nodes} {verb} jobs");
        steps.push(Draft::new("ready", &wait, LocalAction::AwaitIdle(fixed), 60 + 2 * many, 2 + many / 8).step);
    }
    steps
}

struct Draft {
    step: Step,
}

impl Draft {
    fn new(name: &str, title: &str, action: LocalAction, deadline_seconds: u64, expected_seconds: u64) -> Self {
        let action = Action::Local(action);
        let (name, title) = (name.to_owned(), title.to_owned());
        Self {
            step: Step { name, title, action, deadline_seconds, expected_seconds, undo: Undo::Nothing, required: true },
        }
    }

    fn keep(mut self, because: &str) -> Step {
        self.step.undo = Undo::Kept { because: because.to_owned() };
        self.step
    }

    fn undo(mut self, title: &str, action: LocalAction) -> Step {
        self.step.undo = Undo::Act { title: title.to_owned(), action: Action::Local(action) };
        self.step
    }
}
