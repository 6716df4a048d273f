//! The plan of a cluster on AWS: stacks by lifetime, ParallelCluster's configuration, steps.

pub(crate) mod cloudformation;
pub(crate) mod cluster;
mod cost;
mod expects;
mod fits;
pub mod iam;
mod names;
pub(crate) mod node_files;
mod notes;
mod place;
pub(crate) mod stacks;
mod steps;
mod target;
mod timeouts;
pub mod update;
pub(crate) mod wire;

use trainyard_spec::facts::AwsFacts;
use trainyard_spec::{Diagnostic, Spec};

use cluster::explain::explain;
pub use cluster::explain::{Explained, settings};
pub(crate) use cluster::{Stage, configuration};
pub use cost::snapshot_rate;
pub(crate) use stacks::Stack;
pub use stacks::{STACKS, StackKind};
pub(crate) use steps::{START, WHOLE, cluster_template_path, template_path};
pub use target::{
    AwaitedNodes, AwsAction, AwsTarget, ClusterCall, Configured, Driver, Expected, Keepsake, StackCall, Upload,
    UploadFrom,
};
pub use wire::Wire;

use crate::{Plan, Target, artifacts};
use cloudformation::{Template, Text, kind};
use place::Place;

/// What everything of an AWS plan is made from.
pub struct Context<'a> {
    /// The spec.
    pub spec: &'a Spec,
    /// The facts.
    pub facts: &'a AwsFacts,
    /// Where nodes stand.
    pub(crate) place: Place<'a>,
    /// The stacks, in the order in which they are made.
    pub(crate) stacks: Vec<Stack>,
    /// The limits of time.
    pub(crate) timeouts: timeouts::Timeouts,
}

impl<'a> Context<'a> {
    fn new(spec: &'a Spec, facts: &'a AwsFacts) -> Self {
        let place = Place::new(spec, facts);
        let timeouts = timeouts::derive(spec, facts);
        let mut context = Self { spec, facts, place, stacks: Vec::new(), timeouts };
        for kind in STACKS {
            if let Some(stack) = stacks::build(kind, &context) {
                context.stacks.push(stack);
            }
        }
        context
    }

    /// The group of every node, as a parameter.
    pub(crate) fn reads_nodes(&self, template: &mut Template) -> Text {
        let group = self.place.nodes_group();
        template.reads("NodesSecurityGroupId", kind::SECURITY_GROUP, "The group of every node", &group)
    }

    /// Two subnets in two zones, as the parameters `<stem>SubnetId` and `Second<stem>SubnetId`.
    pub(crate) fn reads_services(&self, template: &mut Template, stem: &str, about: &str) -> Vec<Text> {
        let names = [format!("{stem}SubnetId"), format!("Second{stem}SubnetId")];
        let subnets = self.place.service_subnets();
        subnets.iter().zip(names).map(|(subnet, name)| template.reads(&name, kind::SUBNET, about, subnet)).collect()
    }

    /// A value as it is known: what a stack gives out is known once it stands.
    pub(crate) fn resolve(&self, wire: &Wire) -> Wire {
        let Wire::Output { stack, output } = wire else { return wire.clone() };
        match self.facts.outputs.get(stack).and_then(|outputs| outputs.get(output)) {
            Some(value) => Wire::Known(value.clone()),
            None => wire.clone(),
        }
    }
}

pub(crate) fn build(spec: &Spec, facts: &AwsFacts) -> Result<Plan, Vec<Diagnostic>> {
    fits::reasons(spec, facts)?;
    let context = Context::new(spec, facts);
    let artifacts = artifacts::all_aws(&context);
    let steps = steps::steps(&context, &artifacts);
    let target = AwsTarget {
        region: region(spec).to_owned(),
        zones: context.place.zones.clone(),
        parallelcluster: spec.parallelcluster.version.to_string(),
        cluster: spec.name.to_string(),
        asks_slurm: spec.access.ssm,
        expects: expects::expects(&context),
        keeps: cost::keeps(&context),
        loses: loses(spec),
        assumed: facts.assumed.clone(),
    };
    let notes = notes::notes(&context);
    Ok(Plan { version: 1, cluster: spec.name.to_string(), artifacts, steps, notes, target: Target::Aws(target) })
}

/// What of people's nothing keeps when the head goes.
fn loses(spec: &Spec) -> Vec<String> {
    let is_ephemeral = matches!(spec.storage.home, trainyard_spec::model::Home::Ephemeral {});
    is_ephemeral.then(|| "/home, which lies on the head's own disk".to_owned()).into_iter().collect()
}

/// What the spec names and does not make, each with the id by which it is looked for.
pub fn expected(spec: &Spec, facts: &AwsFacts) -> Vec<(String, Expected)> {
    let expected = expects::expects(&Context::new(spec, facts));
    expected.into_iter().map(|one| (fits::identifier(&one), one)).collect()
}

/// The name of the key pair.
pub fn key_name(spec: &Spec) -> String {
    names::key(spec)
}

/// The quotas that the spec draws on, by their code in Service Quotas (service `ec2`).
pub fn quota_codes(spec: &Spec) -> Vec<&'static str> {
    fits::quota_needs(spec).into_keys().collect()
}

/// Every line of ParallelCluster's configuration with the reason for it.
pub fn explained(spec: &Spec, facts: &AwsFacts) -> Vec<Explained> {
    let context = Context::new(spec, facts);
    let data = configuration(&context, Stage::Whole);
    // The same text as the artifact's: its lines are walked side by side with the data.
    let value = serde_json::to_value(&data).unwrap_or_default();
    explain(&yaml(&data), &value)
}

/// What a kind of artifact that is no part of a plan renders.
pub(crate) fn rendered(
    render: fn(&Context<'_>) -> Vec<crate::Artifact>,
    spec: &Spec,
    facts: &AwsFacts,
) -> Vec<crate::Artifact> {
    render(&Context::new(spec, facts))
}

/// Any of our data as YAML that every reader takes alike: one line to a value, nothing folded.
pub(crate) fn yaml(data: &impl serde::Serialize) -> String {
    // Our own types always serialize; an empty artifact would fail every test there is.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(data, options).unwrap_or_default()
}

/// The region; `check` demands one on AWS.
pub(crate) fn region(spec: &Spec) -> &str {
    spec.region.as_ref().map_or("us-east-1", |region| region.as_str())
}
