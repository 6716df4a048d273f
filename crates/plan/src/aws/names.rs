//! Names in the account. Every one begins with the cluster's, so that two clusters never meet.

use trainyard_spec::Spec;

/// The name of a stack in the account.
pub fn stack(spec: &Spec, stack: &str) -> String {
    format!("{}-{stack}", spec.name)
}

/// The stack of ParallelCluster's provider. It names the version: a provider serves clusters of its own only.
pub fn provider(spec: &Spec) -> String {
    let version = spec.parallelcluster.version.as_str().replace('.', "-");
    stack(spec, &format!("provider-{version}"))
}

/// What a resource is called in the console.
pub fn label(spec: &Spec, what: &str) -> String {
    format!("{}-{what}", spec.name)
}

/// The key pair: the spec's, or the cluster's own.
pub fn key(spec: &Spec) -> String {
    spec.access.key.as_ref().map_or_else(|| spec.name.to_string(), ToString::to_string)
}

/// The partition of a region, as ARNs begin with it.
pub fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// The path of our policies and roles. ParallelCluster's provider may attach policies below `/parallelcluster/`.
pub fn iam_path(spec: &Spec) -> String {
    format!("/parallelcluster/{}/", spec.name)
}

/// Tags on all that is made: the spec's own, and one that says whose it is.
pub fn tags(spec: &Spec) -> Vec<(String, String)> {
    let ours = ("trainyard:cluster".to_owned(), spec.name.to_string());
    spec.tags.iter().map(|(key, value)| (key.clone(), value.clone())).chain([ours]).collect()
}
