//! Scripts that would not run, or not as they are written.

use super::{Rule, Scope};
use crate::model::NodeKind;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "setup-script",
    summary: "A script of your own names a queue that is there, can be fetched, and has plain arguments",
    explain: "`queue` narrows a script to the compute nodes of one queue, so it goes with `nodes: compute` and the name of a \
              queue. Nodes fetch scripts when they start: without NAT and without a proxy they reach S3 and nothing else, so \
              the script has to be `s3://…`. An argument is one line of text.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let network = &spec.network;
    let is_cut_off = !network.nat && network.http_proxy.is_none() && network.existing.is_none();
    let mut found = Vec::new();
    for (n, script) in spec.setup.scripts.iter().enumerate() {
        let at = path!["setup", "scripts", n];
        if let Some(queue) = &script.queue {
            let finding = |what: String| Diagnostic::error(RULE.code, at.at("queue"), what);
            if script.nodes != NodeKind::Compute {
                let what = "only compute nodes belong to a queue".to_owned();
                found.push(finding(what).fix("set `nodes: compute`, or remove `queue`").at_key());
            } else if !spec.queues.iter().any(|known| known.name == *queue) {
                let names: Vec<&str> = spec.queues.iter().map(|queue| queue.name.as_str()).collect();
                let finding = finding(format!("there is no queue `{queue}`"));
                found.push(match crate::shape::nearest(queue.as_str(), &names) {
                    Some(near) => finding.replace(format!("did you mean `{near}`?"), near),
                    None => finding.fix(format!("use one of {}", names.join(", "))),
                });
            }
        }
        if is_cut_off && script.script.starts_with("https://") {
            found.push(
                Diagnostic::error(RULE.code, at.at("script"), "without NAT and proxy, nodes reach scripts in S3 only")
                    .fix("copy it into a bucket of yours and write `s3://…`, or set `network: { nat: true }`"),
            );
        }
        for (a, _) in script.args.iter().enumerate().filter(|(_, arg)| arg.chars().any(char::is_control)) {
            let what = "an argument is one line, without control characters";
            found.push(
                Diagnostic::error(RULE.code, at.at("args").at(a), what)
                    .fix("put longer text into the script, or into a file beside it"),
            );
        }
    }
    found
}
