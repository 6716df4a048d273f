//! The stack that has ParallelCluster's provider make the cluster, for each configuration.

use serde_json::{Value, json};
use trainyard_spec::model::Engine;

use super::{Kind, Render};
use crate::Artifact;
use crate::aws::{Context, START, Stage, WHOLE, cluster_template_path, configuration};

pub(super) static KIND: Kind = Kind {
    name: "cluster-stack",
    about: "CloudFormation template that has ParallelCluster's provider make the cluster",
    render: Render::Aws(render),
};

fn render(context: &Context<'_>) -> Vec<Artifact> {
    if context.spec.parallelcluster.engine != Engine::Cloudformation {
        return Vec::new();
    }
    let artifact = |path: &str, stage| {
        // Our own types always serialize; an empty artifact would fail every test there is.
        let text = serde_json::to_string_pretty(&template(context, stage)).unwrap_or_default();
        Artifact::text(cluster_template_path(path), text)
    };
    let mut all = vec![artifact(WHOLE, Stage::Whole)];
    if context.timeouts.starts_at_zero {
        all.push(artifact(START, Stage::Start));
    }
    all
}

/// The provider hands every property to the operation, and refuses one that the operation does not take. So
/// `RollbackOnFailure`, which only creation takes, is there only while `Creating` says so.
fn template(context: &Context<'_>, stage: Stage) -> Value {
    let name = &context.spec.name;
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Cluster {name}: ParallelCluster makes its own stack, called {name}. Made by trainyard."),
        "Parameters": {
            "ServiceToken": { "Type": "String", "Description": "The provider: output of its stack" },
            "Creating": { "Type": "String", "AllowedValues": ["true", "false"], "Description": "Whether the cluster is being made" },
        },
        "Conditions": { "IsCreating": { "Fn::Equals": [{ "Ref": "Creating" }, "true"] } },
        "Resources": {
            "Cluster": {
                "Type": "Custom::PclusterCluster",
                "Properties": {
                    "ServiceToken": { "Ref": "ServiceToken" },
                    "ClusterName": name.to_string(),
                    "ClusterConfiguration": configuration(context, stage),
                    "DeletionPolicy": "Delete",
                    "RollbackOnFailure": { "Fn::If": ["IsCreating", "false", { "Ref": "AWS::NoValue" }] },
                },
            },
        },
        "Outputs": {
            "ClusterName": { "Description": "The cluster", "Value": { "Ref": "Cluster" } },
        },
    })
}
