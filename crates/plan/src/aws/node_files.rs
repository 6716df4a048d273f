//! Files of the user's own on nodes: scripts, and a folder. They lie in the bucket under their content's digest.

use askama::Template;
use sha2::{Digest as _, Sha256};

use super::target::{Upload, UploadFrom};
use super::{Context, Wire};
use crate::plan::{Artifact, hex};

/// What fetches the folder on a node.
pub const FETCH: &str = "files/fetch-files.sh";
/// What is in the folder: digest, mode and path, by tabs.
pub const MANIFEST: &str = "files/manifest.tsv";
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
        let upload =
            |key| Upload { key, sha256: file.sha256.clone(), bytes: file.bytes, from: UploadFrom::Local(path.clone()) };
        if prefix.as_ref().is_some_and(|prefix| path.starts_with(prefix)) {
            all.push(upload(format!("files/{}", file.sha256)));
        }
        if scripts.contains(path) {
            all.push(upload(script_key(context, path)));
        }
    }
    for artifact in artifacts.iter().filter(|artifact| [FETCH, MANIFEST].contains(&artifact.path.as_str())) {
        let sha256 = digest(&artifact.text);
        let bytes = artifact.text.len() as u64;
        let from = UploadFrom::Artifact(artifact.path.clone());
        all.push(Upload { key: artifact_key(artifact), sha256, bytes, from });
    }
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all.dedup_by(|a, b| a.key == b.key);
    all
}

/// What a node runs first, with its arguments, where there is a folder.
pub fn fetch_action(context: &Context<'_>) -> Option<(String, Vec<String>)> {
    let artifacts = artifacts(context);
    let find = |path: &str| artifacts.iter().find(|artifact| artifact.path == path).map(artifact_key);
    let (fetch, manifest) = (find(FETCH)?, find(MANIFEST)?);
    let bucket = context.resolve(&bucket());
    Some((format!("s3://{bucket}/{fetch}"), vec![bucket.to_string(), manifest]))
}

/// Where nodes fetch a script of the spec's.
pub fn script_url(context: &Context<'_>, script: &str) -> String {
    match script.strip_prefix("./") {
        Some(path) => format!("s3://{}/{}", context.resolve(&bucket()), script_key(context, path)),
        None => script.to_owned(),
    }
}

fn scripts<'a>(context: &'a Context<'_>) -> impl Iterator<Item = String> + 'a {
    context.spec.setup.scripts.iter().filter_map(|script| script.script.strip_prefix("./").map(str::to_owned))
}

fn folder(context: &Context<'_>) -> Option<String> {
    context.spec.setup.files.as_ref().map(|folder| folder.as_str().trim_start_matches("./").to_owned())
}

/// The name stays, so that logs say which script it was.
fn script_key(context: &Context<'_>, path: &str) -> String {
    let sha256 = context.facts.files.get(path).map_or_else(|| "0".repeat(64), |file| file.sha256.clone());
    format!("scripts/{sha256}/{}", path.rsplit('/').next().unwrap_or(path))
}

fn artifact_key(artifact: &Artifact) -> String {
    let name = artifact.path.rsplit('/').next().unwrap_or(&artifact.path);
    format!("scripts/{}/{name}", digest(&artifact.text))
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}
