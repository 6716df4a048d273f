//! `docs/iam.md`: what the person who runs trainyard must be allowed to do, from the reviewed tables.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::tables::{self, Call, Condition, Handler, Misfit, OPERATIONS, PROVIDERS, Scope};
use crate::iam::{CALLS, HANDLERS, SCOPES};

use super::{Ask, MARK, Reference};

pub(super) static REFERENCE: Reference = Reference { path: "docs/iam.md", compose };

/// The tables that the program carries too.
const CALLS_TEXT: &str = include_str!("../../../crates/plan/src/aws/iam/calls.tsv");
const HANDLERS_TEXT: &str = include_str!("../../../crates/plan/src/aws/iam/actions.tsv");
const SCOPES_TEXT: &str = include_str!("../../../crates/plan/src/aws/iam/scope.tsv");

const INTRODUCTION: &str = "
# What the caller may do

For the person who writes the policy of whoever runs `trainyard`. It comes in two parts: the
[calls that trainyard itself makes](#calls-that-trainyard-itself-makes), and the
[actions that CloudFormation takes in the caller's name](#actions-in-the-callers-name) when it makes a stack.

A policy of one cluster, made of both, with only the types that its own stacks use and with its own names:

```console
$ trainyard render iam trainyard.yaml --out policies
$ aws iam create-policy --policy-name p5-1 --policy-document file://policies/iam/1.json
```

IAM takes managed policies of up to 6144 characters, so there may be several files: attach all of them. With `--online`
or `--facts` they name the account too; otherwise `*` stands in its place.

What to know before it is used:

- **Nothing of this was run on real AWS.** The names are checked against AWS's published references; whether the policies
  are enough, only an account can tell. AWS's error names an action that is missing; the same command goes on from there.
- **ParallelCluster's own stack of the cluster is not made in the caller's name**, but with the role of its provider's
  function, which the provider's stack makes. The caller needs `lambda:InvokeFunction`, and what makes that stack.
- **With `parallelcluster: { engine: cli }` it is made in the caller's name.** Besides the rendered policies the caller then
  needs what ParallelCluster's guide asks of the users of `pcluster`; that is not in these tables. The same holds for
  `down` where somebody deleted the stack that held the cluster: its own stack is then deleted in the caller's name.
- **They are no barrier against somebody who means harm.** Whoever may make roles, and write what these may do, can gain
  more; against that holds a permissions boundary, or a service control policy of the account.
- EC2's actions are allowed on `*`, and others on all that has an id from AWS. An account for clusters alone is the better
  wall.
";

fn compose(_: Ask<'_>) -> Result<String, String> {
    let at = |path: &'static str| move |misfit: Misfit| format!("{path}:{}: {}", misfit.line, misfit.what);
    let calls = tables::calls(CALLS_TEXT).map_err(at(CALLS))?;
    let handlers = tables::handlers(HANDLERS_TEXT).map_err(at(HANDLERS))?;
    let scopes = tables::scopes(SCOPES_TEXT).map_err(at(SCOPES))?;
    let notes = tables::notes(HANDLERS_TEXT);
    let parts =
        [MARK.to_owned(), INTRODUCTION.to_owned(), of_calls(&calls), of_types(&handlers, &notes), of_scopes(&scopes)];
    Ok(parts.join("\n"))
}

fn of_calls(calls: &[Call<'_>]) -> String {
    let mut lines = vec![
        "## Calls that trainyard itself makes\n".to_owned(),
        "IAM's action is not always called like the operation, and some operations ask for more than one.\n".to_owned(),
        "| call | IAM's actions | made by | what for |\n|---|---|---|---|".to_owned(),
    ];
    for call in calls {
        let actions = match call.actions.as_slice() {
            [] => "none: anybody may".to_owned(),
            [same] if *same == call.name => "the same".to_owned(),
            actions => code(actions, ", "),
        };
        let commands: Vec<&str> = call.commands.split(", ").collect();
        lines.push(format!("| `{}` | {actions} | {} | {} |", call.name, code(&commands, ", "), cell(call.about)));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn of_types(handlers: &[Handler<'_>], notes: &BTreeMap<&str, String>) -> String {
    let kinds: BTreeSet<&str> = handlers.iter().map(|handler| handler.kind).collect();
    let mut lines = vec![
        "## Actions in the caller's name\n".to_owned(),
        format!(
            "What CloudFormation does for each of the {} types in the stacks of trainyard and of ParallelCluster's provider. \
             An update that replaces a resource takes create's and delete's actions too.\n",
            kinds.len()
        ),
    ];
    for kind in kinds {
        lines.push(format!("### {kind}\n"));
        if PROVIDERS.contains(&kind) {
            lines.push("In the stacks of ParallelCluster's provider.\n".to_owned());
        }
        lines.extend(notes.get(kind).map(|note| format!("{note}\n")));
        let of_kind: Vec<&Handler<'_>> = handlers.iter().filter(|handler| handler.kind == kind).collect();
        for operation in OPERATIONS {
            let handler = of_kind.iter().find(|handler| handler.operation == *operation);
            lines.extend(handler.map(|handler| format!("- {operation}: {}", code(&handler.actions, " "))));
        }
        let sources: BTreeSet<&str> = of_kind.iter().map(|handler| handler.source).collect();
        let linked: Vec<String> = sources.into_iter().map(|source| format!("[source]({source})")).collect();
        lines.push(format!("\n{}\n", linked.join(", ")));
    }
    lines.join("\n")
}

fn of_scopes(scopes: &[Scope<'_>]) -> String {
    let mut lines = vec![
        "## On what\n".to_owned(),
        "The narrowest that IAM and the names allow. Of the patterns that fit an action the longest one counts; all its rows \
         are allowed.\n"
            .to_owned(),
        "- `<cluster>`: the spec's `name`. `<begin>`: the same with a dash behind it, or its first 20 characters where it is \
         longer, because CloudFormation cuts long names; `<begin-lowercase>`: in small letters."
            .to_owned(),
        "- `<bucket>`: the data bucket, where it is made. `<linked>`: the data bucket, made or there before. `<files>`: how the \
         name of the files bucket begins."
            .to_owned(),
        "- `<key>`: the key pair. `<region>`: the region.\n".to_owned(),
        "| actions | resource | only where | why |\n|---|---|---|---|".to_owned(),
    ];
    let condition = |condition: &Condition<'_>| {
        format!("`{}` `{}`: {}", condition.operator, condition.key, code(&condition.values, ", "))
    };
    for scope in scopes {
        let only = scope.condition.as_ref().map_or_else(String::new, condition);
        lines.push(format!("| `{}` | `{}` | {only} | {} |", scope.pattern, scope.resource, cell(scope.why)));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn code(words: &[&str], between: &str) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(between)
}

/// A bar would end the table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
