//! Replays on nodes that are not there, or two on one node.

use std::collections::HashMap;

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, hostlist, nodes, path};

pub(super) static RULE: Rule = Rule {
    code: "replay-nodes",
    summary: "Replays of a rehearsal are on compute nodes of the spec, one on each",
    explain: "`rehearsal.replay` says by name which nodes show a replay. Nodes are called `<queue>-st-<resource>-1` up to \
              `min`, and `<queue>-dy-<resource>-1` for the rest up to `max`; several are written as Slurm writes them, \
              `train-st-gpu-[1-2]`. The head shows none. An entry without `nodes` is about every compute node, so it stands \
              alone. A node shows one machine: two entries for it would leave open which.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let known = nodes::Names::of(spec);
    let mut found = Vec::new();
    let mut taken: HashMap<String, usize> = HashMap::new();
    let mut everywhere = None;
    for (n, replay) in spec.rehearsal.replay.iter().enumerate() {
        let at = path!["rehearsal", "replay", n, "nodes"];
        let finding = |what: String| Diagnostic::error(RULE.code, at.clone(), what);
        let twice =
            |what: String| finding(what).why("a node shows one machine").fix("leave it to one of the two entries");
        let Some(text) = &replay.nodes else {
            if n > 0 {
                found.push(twice("without `nodes` it is about every node, and others are there".to_owned()));
            }
            everywhere = everywhere.or(Some(n));
            continue;
        };
        let Some(names) = hostlist::expand(text.as_str()) else {
            found.push(
                finding(format!("`{text}` is no list of nodes in Slurm's notation"))
                    .fix("write it as in `train-st-gpu-[1-2,5]`"),
            );
            continue;
        };
        if let Some(name) = names.iter().find(|name| !known.has(name)) {
            found.push(
                finding(format!("there is no compute node `{name}`"))
                    .why("names are `<queue>-st-<resource>-<n>` up to `min`, then `<queue>-dy-<resource>-<n>`")
                    .fix(instruction(spec)),
            );
        }
        let shared = || names.iter().find_map(|name| Some((name, *taken.get(name)?)));
        if let Some(other) = everywhere {
            let all = path!["rehearsal", "replay", other, "nodes"];
            let what = format!("`rehearsal.replay[{other}]` has no `nodes`, so it is about every node");
            found.push(twice(what).rests_on(all));
        } else if let Some((name, other)) = shared() {
            found.push(twice(format!("`{name}` is named by `rehearsal.replay[{other}]` too")));
        }
        for name in names {
            if taken.insert(name.clone(), n) == Some(n) {
                found.push(finding(format!("`{name}` is named twice")).fix("name it once"));
                break;
            }
        }
    }
    found
}

fn instruction(spec: &Spec) -> String {
    let resources = spec.queues.iter().flat_map(|queue| queue.compute.iter().map(move |resource| (queue, resource)));
    let groups = resources.flat_map(|(queue, resource)| {
        let fixed = resource.min.min(resource.max);
        [(true, fixed), (false, resource.max - fixed)].map(|(is_static, count)| {
            let stem = nodes::stem(&queue.name, &resource.name, is_static);
            match count {
                0 => None,
                1 => Some(format!("`{stem}-1`")),
                more => Some(format!("`{stem}-[1-{more}]`")),
            }
        })
    });
    let some: Vec<String> = groups.flatten().take(3).collect();
    format!("name nodes that are there, such as {}", some.join(" or "))
}
