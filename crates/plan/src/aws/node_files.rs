//! Files of the user's own on nodes: scripts, and a folder. They lie in the bucket under their content's digest.

use askama::Template;
use sha2::{Digest as _, Sha256};
use trainyard_spec::model::NodeKind;

use super::target::{Upload, UploadFrom};
use super::{Context, Wire};
use crate::plan::{Artifact, hex};

/// What fetches the folder on a node.
pub const FETCH: &str = "files/fetch-files.sh";
/// What is in the folder: digest, mode and path, by tabs.
pub const MANIFEST: &str = "files/manifest.tsv";
/// Where keys that stay begin.
const CURRENT: &str = "scripts/current/";
/// Where the folder is on nodes.
pub const TARGET: &str = "/opt/trainyard/files";

#[derive(Template)]
#[template(path = "fetch-files.sh", escape = "none")]
struct FetchFiles<'a> {
    target: &'a str,
}

/// The bucket that they lie in.
pub fn bucket() -> Wire {
    Wire::output("data", "FilesBucketName")
}

/// The artifacts that bring the folder to nodes; none without a folder.
pub fn artifacts(context: &Context<'_>) -> Vec<Artifact> {
    let Some(folder) = folder(context) else { return Vec::new() };
    let prefix = format!("{folder}/");
    let files = context.facts.files.iter().filter_map(|(path, file)| Some((path.strip_prefix(&prefix)?, file)));
    let lines = files.map(|(path, file)| format!("{}\t{:04o}\t{path}\n", file.sha256, file.mode));
    let manifest = lines.collect::<String>();
    // Our own template always renders; an empty script would fail every test there is.
    let fetch = FetchFiles { target: TARGET }.render().unwrap_or_default();
    vec![Artifact::script(FETCH, fetch), Artifact::text(MANIFEST, manifest)]
}

/// Everything that goes into the bucket, each content once.
pub fn uploads(context: &Context<'_>, artifacts: &[Artifact]) -> Vec<Upload> {
    let prefix = folder(context).map(|folder| format!("{folder}/"));
    let scripts: Vec<String> = scripts(context).collect();
    let mut all = Vec::new();
    for (path, file) in &context.facts.files {
        let from = UploadFrom::Local(path.clone());
        let upload = |key: String| {
            let is_replaced = key.starts_with(CURRENT);
            Upload { key, is_replaced, sha256: file.sha256.clone(), bytes: file.bytes, from: from.clone() }
        };
        if prefix.as_ref().is_some_and(|prefix| path.starts_with(prefix)) {
            all.push(upload(format!("files/{}", file.sha256)));
        }
        if scripts.contains(path) {
            all.extend(KINDS.map(|nodes| upload(key(nodes, path, &file.sha256))));
        }
    }
    for artifact in artifacts.iter().filter(|artifact| [FETCH, MANIFEST].contains(&artifact.path.as_str())) {
        let sha256 = digest(&artifact.text);
        let from = UploadFrom::Artifact(artifact.path.clone());
        all.extend(KINDS.map(|nodes| {
            let key = key(nodes, &artifact.path, &sha256);
            let is_replaced = key.starts_with(CURRENT);
            Upload { key, is_replaced, sha256: sha256.clone(), bytes: artifact.text.len() as u64, from: from.clone() }
        }));
    }
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all.dedup_by(|a, b| a.key == b.key);
    all
}

/// What a node runs first, with its arguments, where there is a folder.
pub fn fetch_action(context: &Context<'_>, nodes: NodeKind) -> Option<(String, Vec<String>)> {
    let artifacts = artifacts(context);
    let find = |path: &str| {
        let artifact = artifacts.iter().find(|artifact| artifact.path == path)?;
        Some(key(nodes, path, &digest(&artifact.text)))
    };
    let (fetch, manifest) = (find(FETCH)?, find(MANIFEST)?);
    let bucket = context.resolve(&bucket());
    Some((format!("s3://{bucket}/{fetch}"), vec![bucket.to_string(), manifest]))
}

/// Where nodes fetch a script of the spec's.
pub fn script_url(context: &Context<'_>, nodes: NodeKind, script: &str) -> String {
    let Some(path) = script.strip_prefix("./") else { return script.to_owned() };
    let sha256 = context.facts.files.get(path).map_or_else(|| "0".repeat(64), |file| file.sha256.clone());
    format!("s3://{}/{}", context.resolve(&bucket()), key(nodes, path, &sha256))
}

/// The two ways of keys.
const KINDS: [NodeKind; 2] = [NodeKind::Compute, NodeKind::Head];

/// The key of a script. Another content is another key for compute nodes, so that they are replaced by those that run
/// it. ParallelCluster cannot change the scripts of a head or of login nodes that stand, and would have the cluster made
/// anew: theirs keep their key, and a changed one runs when such a node is made.
fn key(nodes: NodeKind, path: &str, sha256: &str) -> String {
    match nodes {
        NodeKind::Compute => format!("scripts/{sha256}/{}", path.rsplit('/').next().unwrap_or(path)),
        NodeKind::Head | NodeKind::Login => format!("{CURRENT}{path}"),
    }
}

fn scripts<'a>(context: &'a Context<'_>) -> impl Iterator<Item = String> + 'a {
    context.spec.setup.scripts.iter().filter_map(|script| script.script.strip_prefix("./").map(str::to_owned))
}

fn folder(context: &Context<'_>) -> Option<String> {
    context.spec.setup.files.as_ref().map(|folder| folder.as_str().trim_start_matches("./").to_owned())
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}
