//! Files in the cluster's bucket. What is there is not sent again: a key holds its content's digest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use trainyard_plan::Plan;
use trainyard_plan::aws::{Upload, UploadFrom};

use super::refused::{Answer, Refused};
use super::{Account, Patience, planned};
use crate::Failure;

/// Uploads at a time: S3 answers each in some 30 ms, whatever its size up to a MiB.
const AT_ONCE: usize = 32;

/// The name under which an object carries its content's digest.
const DIGEST: &str = "sha256";

/// Puts a template that is too large for a call into the bucket; its name is its content's. Returns its address.
pub async fn template(account: &Account, bucket: &str, text: &str) -> Result<String, Failure> {
    let key = format!("templates/{}.json", trainyard_plan::fingerprint(&text));
    let put = account.s3.put_object().bucket(bucket).key(&key).body(ByteStream::from(text.as_bytes().to_vec()));
    put.send().await.map_err(|error| Refused::new("s3:PutObject", &error))?;
    let (end, _) = account.partition();
    Ok(format!("https://{bucket}.s3.{}.{end}/{key}", account.region()))
}

/// Sends what the bucket does not have, in parallel, with checksums that S3 verifies.
pub async fn upload(
    account: &Account,
    plan: &Plan,
    folder: Option<&Path>,
    bucket: &str,
    objects: &[Upload],
    patience: &Patience<'_>,
) -> Result<(), Failure> {
    let there = keys(account, bucket, objects).await?;
    let mut missing: Vec<&Upload> = Vec::new();
    for object in objects {
        let is_there = there.contains(&object.key);
        if !is_there || (object.is_replaced && !is_same(account, bucket, object).await?) {
            missing.push(object);
        }
    }
    let bytes: u64 = missing.iter().map(|object| object.bytes).sum();
    let (gate, mut running) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    let mut sent = Sent { files: 0, of_files: missing.len(), bytes: 0, of_bytes: bytes };
    for object in missing {
        let source = source(plan, folder, object)?;
        let (s3, bucket, object, gate) = (account.s3.clone(), bucket.to_owned(), object.clone(), Arc::clone(&gate));
        running.spawn(async move {
            let _place = gate.acquire_owned().await;
            send(&s3, &bucket, &object, source).await.map(|()| object.bytes)
        });
        // What is done is told while the rest is lined up.
        while let Some(done) = running.try_join_next() {
            sent.count(done, patience)?;
        }
    }
    while let Some(done) = running.join_next().await {
        sent.count(done, patience)?;
    }
    Ok(())
}

struct Sent {
    files: usize,
    of_files: usize,
    bytes: u64,
    of_bytes: u64,
}

impl Sent {
    fn count(
        &mut self,
        done: Result<Result<u64, Failure>, tokio::task::JoinError>,
        patience: &Patience<'_>,
    ) -> Result<(), Failure> {
        self.bytes += done.map_err(|error| Failure::internal(format!("an upload ended early: {error}")))??;
        self.files += 1;
        let mib = |bytes: u64| bytes / (1 << 20);
        let text =
            format!("{} of {} files, {} of {} MiB", self.files, self.of_files, mib(self.bytes), mib(self.of_bytes));
        patience.mind("the upload", &text)
    }
}

/// The keys of the bucket among those that are asked about: a thousand at a time instead of one by one.
async fn keys(account: &Account, bucket: &str, objects: &[Upload]) -> Answer<BTreeSet<String>> {
    let prefixes: BTreeSet<&str> = objects.iter().filter_map(|object| object.key.split('/').next()).collect();
    let mut found = BTreeSet::new();
    for prefix in prefixes {
        let listing = account.s3.list_objects_v2().bucket(bucket).prefix(format!("{prefix}/"));
        let mut pages = listing.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Refused::new("s3:ListObjectsV2", &error))?;
            found.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
        }
    }
    Ok(found)
}

/// Whether the object under a key that stays has this content.
async fn is_same(account: &Account, bucket: &str, object: &Upload) -> Answer<bool> {
    let asked = account.s3.head_object().bucket(bucket).key(&object.key).send().await;
    let answer = asked.map_err(|error| Refused::new("s3:HeadObject", &error))?;
    Ok(answer.metadata.unwrap_or_default().get(DIGEST).is_some_and(|is| *is == object.sha256))
}

enum Source {
    Text(String),
    File(PathBuf),
}

fn source(plan: &Plan, folder: Option<&Path>, object: &Upload) -> Result<Source, Failure> {
    match &object.from {
        UploadFrom::Artifact(path) => Ok(Source::Text(planned::artifact(plan, path)?.to_owned())),
        UploadFrom::Local(path) => match folder {
            Some(folder) => Ok(Source::File(folder.join(path))),
            None => Err(Failure::internal(format!("nobody said where {path} is"))),
        },
    }
}

async fn send(s3: &aws_sdk_s3::Client, bucket: &str, object: &Upload, source: Source) -> Result<(), Failure> {
    let body = match source {
        Source::Text(text) => ByteStream::from(text.into_bytes()),
        // Read at once: what is sent is then what the digest is held against, even if the file changes meanwhile.
        Source::File(path) => ByteStream::from(
            tokio::task::spawn_blocking(move || fs_err::read(path))
                .await
                .map_err(|error| Failure::internal(error.to_string()))??,
        ),
    };
    let put = s3
        .put_object()
        .bucket(bucket)
        .key(&object.key)
        .metadata(DIGEST, &object.sha256)
        .body(body)
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .checksum_sha256(base64(&object.sha256));
    // A slow line needs longer for a large file than any other call may take: 100 KB a second are enough.
    let seconds = 60 + object.bytes / 100_000;
    let patient = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(seconds))
        .operation_timeout(Duration::from_secs(seconds * 4))
        .build();
    let put = put.customize().config_override(aws_sdk_s3::config::Builder::new().timeout_config(patient));
    match put.send().await.map_err(|error| Refused::new("s3:PutObject", &error)) {
        Ok(_) => Ok(()),
        Err(refused) if refused.is(&["BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch"]) => {
            Err(Failure::refused(format!("{} changed while it was uploaded", name(object)))
                .caused_by(refused)
                .hint("run the same command again"))
        }
        Err(refused) => Err(Failure::from(refused).within(format!("{} was not uploaded", name(object)))),
    }
}

fn name(object: &Upload) -> &str {
    match &object.from {
        UploadFrom::Artifact(path) | UploadFrom::Local(path) => path,
    }
}

/// A digest in hex as S3 takes it.
fn base64(hex: &str) -> String {
    let pairs = hex.as_bytes().chunks(2);
    let bytes: Vec<u8> = pairs
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or(0))
        .collect();
    aws_smithy_types::base64::encode(bytes)
}
