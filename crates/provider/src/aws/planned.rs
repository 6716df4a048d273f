//! What a plan for AWS says of itself.

use trainyard_plan::Plan;
use trainyard_plan::aws::AwsTarget;

use crate::Failure;

/// The plan's target.
pub fn target(plan: &Plan) -> Result<&AwsTarget, Failure> {
    match &plan.target {
        trainyard_plan::Target::Aws(target) => Ok(target),
        trainyard_plan::Target::Local(_) => Err(Failure::internal("a plan of a rehearsal was handed to AWS")),
    }
}

/// The text of an artifact.
pub fn artifact<'a>(plan: &'a Plan, path: &str) -> Result<&'a str, Failure> {
    let artifact = plan.artifact(path);
    artifact.map(|artifact| artifact.text.as_str()).ok_or_else(|| Failure::internal(format!("the plan has no {path}")))
}
