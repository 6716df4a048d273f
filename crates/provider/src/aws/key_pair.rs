//! The key pair: made here, so that the private key never travels, and never overwritten.

use std::path::Path;

use fs_err as fs;
use ssh_key::{Algorithm, LineEnding, PrivateKey};

use super::{Account, api};
use crate::Failure;
use crate::local::Store;

/// Where a cluster's private key lies, below its folder.
pub fn path(name: &str) -> String {
    format!("keys/{name}.pem")
}

/// Makes the key pair unless it is there. The file comes first: killed in between, the next run goes on with it.
pub async fn ensure(account: &Account, store: &Store, cluster: &str, name: &str) -> Result<(), Failure> {
    if api::key_pair_exists(account, name).await? {
        return Ok(());
    }
    let below = path(name);
    if !store.at(&below).exists() {
        let key = PrivateKey::random(&mut ssh_key::rand_core::OsRng, Algorithm::Ed25519).map_err(internal)?;
        let text = key.to_openssh(LineEnding::LF).map_err(internal)?;
        store.write(&below, text.as_bytes(), 0o600)?;
    }
    let public = public(&store.at(&below), name)?;
    match api::import_key_pair(account, name, &public, cluster).await {
        Ok(()) => Ok(()),
        Err(refused) if refused.is(&["InvalidKeyPair.Duplicate"]) => Ok(()),
        Err(refused) => Err(refused.into()),
    }
}

fn public(path: &Path, name: &str) -> Result<String, Failure> {
    let text = fs::read_to_string(path)?;
    let key = PrivateKey::from_openssh(text).map_err(|error| {
        Failure::refused(format!("{} is no private key in OpenSSH's form", path.display()))
            .caused_by(error)
            .hint("move it away, then run the same command again: a new one is made")
    })?;
    let mut public = key.public_key().clone();
    public.set_comment(name);
    public.to_openssh().map_err(internal)
}

#[allow(clippy::needless_pass_by_value)] // the form that map_err takes
fn internal(error: ssh_key::Error) -> Failure {
    Failure::internal(format!("the key pair could not be made: {error}"))
}
