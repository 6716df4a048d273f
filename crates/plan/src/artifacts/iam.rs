//! The IAM policies of whoever makes the cluster.

use super::{Kind, Render};
use crate::Artifact;
use crate::aws::{Context, iam};

pub(super) static KIND: Kind = Kind {
    name: "iam",
    about: "IAM policies of whoever runs trainyard: all of them together",
    render: Render::Beside(render),
};

fn render(context: &Context<'_>) -> Vec<Artifact> {
    let policy = |(number, policy): (usize, &_)| {
        // Our own types always serialize; an empty artifact would fail every test there is.
        let text = serde_json::to_string_pretty(policy).unwrap_or_default();
        Artifact::text(format!("iam/{}.json", number + 1), text)
    };
    iam::policies(context).iter().enumerate().map(policy).collect()
}
