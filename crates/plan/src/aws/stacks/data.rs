//! What outlives every cluster: the buckets.

use serde_json::json;
use trainyard_spec::Spec;

use super::StackKind;
use crate::aws::cloudformation::resources::iam::{PolicyDocument, Statement};
use crate::aws::cloudformation::resources::storage::{
    AbortUpload, Bucket, BucketEncryption, BucketPolicy, EncryptionDefault, EncryptionRule, Lifecycle, LifecycleRule,
    NoncurrentExpiration, OwnershipControls, OwnershipRule, PublicAccessBlock, Versioning,
};
use crate::aws::cloudformation::{Template, Text, attribute, reference, sub};
use crate::aws::{Context, names};
use crate::plan::fingerprint;

pub(super) static STACK: StackKind = StackKind {
    name: "data",
    about: "Buckets: data sets and results, and the files that nodes are set up from.",
    stays: Some("buckets hold people's data; nothing in them is deleted unasked"),
    seconds: 40,
    fill,
};

fn fill(context: &Context<'_>, template: &mut Template) {
    let spec = context.spec;
    // Not in the data bucket: /fsx writes deletions back into that one.
    bucket(context, template, "FilesBucket", files_bucket(spec));
    template.output(
        "FilesBucketName",
        "The bucket with the files that nodes are set up from",
        reference("FilesBucket"),
    );
    if let Some(data) = spec.storage.data_bucket.as_ref().filter(|bucket| !bucket.existing) {
        bucket(context, template, "DataBucket", data.name.to_string().into());
        template.output("DataBucketName", "The data bucket", reference("DataBucket"));
    }
}

/// How the name of the files bucket begins: with what is the cluster's.
pub(crate) fn files_bucket_begin(spec: &Spec) -> String {
    // 63 characters at most: 12 of the account, up to 14 of the region, and ours. Two long names may begin alike.
    let name = spec.name.as_str();
    let short: String = name.to_lowercase().chars().take(12).collect();
    let mark: String = fingerprint(&name).chars().take(6).collect();
    format!("trainyard-{}-{mark}-", short.trim_end_matches('-'))
}

/// A bucket's name is unique in the world, so the account's number is in it.
fn files_bucket(spec: &Spec) -> Text {
    sub(format!("{}${{AWS::AccountId}}-${{AWS::Region}}", files_bucket_begin(spec)))
}

fn bucket(context: &Context<'_>, template: &mut Template, name: &str, bucket_name: Text) {
    let encryption = EncryptionDefault::new().algorithm("AES256");
    let encryption = EncryptionRule::new().server_side_encryption_by_default(encryption).bucket_key_enabled(true);
    let block = PublicAccessBlock::new().block_public_acls(true).block_public_policy(true);
    let old = LifecycleRule::new()
        .id("old-versions")
        .status("Enabled")
        .noncurrent_version_expiration(NoncurrentExpiration::new().noncurrent_days(90_u32))
        .abort_incomplete_multipart_upload(AbortUpload::new().days_after_initiation(7_u32));
    let bucket = template.keep(
        name,
        Bucket::new()
            .bucket_name(bucket_name)
            .versioning_configuration(Versioning::new().status("Enabled"))
            .bucket_encryption(BucketEncryption::new().server_side_encryption_configuration(vec![encryption]))
            .public_access_block_configuration(block.ignore_public_acls(true).restrict_public_buckets(true))
            .ownership_controls(
                OwnershipControls::new().rules(vec![OwnershipRule::new().object_ownership("BucketOwnerEnforced")]),
            )
            .lifecycle_configuration(Lifecycle::new().rules(vec![old]))
            .tags(template.tags(&names::label(context.spec, if name == "DataBucket" { "data" } else { "files" }))),
    );
    let everything = [attribute(name, "Arn"), sub(format!("${{{name}.Arn}}/*"))];
    let tls = Statement::deny("TlsOnly", &["s3:*"]).to(json!("*")).on(everything);
    let tls = tls.only_if("Bool", "aws:SecureTransport", json!("false"));
    template.keep(
        &format!("{name}Policy"),
        BucketPolicy::new().bucket(bucket).policy_document(PolicyDocument::new(vec![tls])),
    );
}
