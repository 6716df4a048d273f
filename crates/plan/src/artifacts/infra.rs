//! The stacks' templates.

use super::{Kind, Render};
use crate::Artifact;
use crate::aws::{Context, template_path, yaml};

pub(super) static KIND: Kind =
    Kind { name: "infra", about: "CloudFormation templates, one for each stack", render: Render::Aws(render) };

fn render(context: &Context<'_>) -> Vec<Artifact> {
    let template = |stack: &crate::aws::Stack| Artifact::text(template_path(stack.name), yaml(&stack.template));
    context.stacks.iter().map(template).collect()
}
