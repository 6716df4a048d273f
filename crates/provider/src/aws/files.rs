//! Files in the cluster's bucket.

use aws_sdk_s3::primitives::ByteStream;

use super::Account;
use super::refused::Refused;
use crate::Failure;

/// Puts a template that is too large for a call into the bucket; its name is its content's. Returns its address.
pub async fn template(account: &Account, bucket: &str, text: &str) -> Result<String, Failure> {
    let key = format!("templates/{}.json", trainyard_plan::fingerprint(&text));
    let put = account.s3.put_object().bucket(bucket).key(&key).body(ByteStream::from(text.as_bytes().to_vec()));
    put.send().await.map_err(|error| Refused::new("s3:PutObject", &error))?;
    let (end, _) = account.partition();
    Ok(format!("https://{bucket}.s3.{}.{end}/{key}", account.region()))
}
