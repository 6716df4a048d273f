//! Who may ask, and over what: TLS and basic authentication, from a file in the format that Prometheus's exporters share
//! (`tls_server_config`, `basic_auth_users`). Closed by default: an address that strangers reach needs both.

use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::files;
use crate::problem::Problem;

/// What the file may say. Anything else is an error, never left unread: it would be a guard that is not there.
const KEYS: &[&str] = &["tls_server_config", "basic_auth_users"];
const TLS_KEYS: &[&str] = &["cert_file", "key_file"];

/// Passwords that were found right are remembered by their digest: bcrypt is slow on purpose, and a scraper sends the
/// same one every few seconds.
const REMEMBERED_MAX: usize = 64;

/// Who may ask.
#[derive(Default)]
pub struct Guard {
    tls: Option<TlsAcceptor>,
    /// Names and bcrypt hashes.
    users: BTreeMap<String, String>,
    /// Compared where a user is not known, at the cost of those who are: the time of an answer must not tell who is.
    nobody: String,
    remembered: Mutex<HashSet<[u8; 32]>>,
    /// Held while a password is looked at: whoever tries many has one processor at most.
    looking: tokio::sync::Mutex<()>,
}

impl Guard {
    /// What the file asks for. Its paths are relative to its folder.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let wrong = |what: String| Problem::new(format!("{}: {what}", path.display()));
        let text = files::word(path).ok_or_else(|| wrong("cannot be read".into()))?;
        if let Some(problem) = trainyard_spec::source::read(&text).problems.first() {
            return Err(wrong(problem.what.clone()));
        }
        let data = trainyard_spec::source::data(&text).ok_or_else(|| wrong("is no YAML".into()))?;
        let object = data.as_object().ok_or_else(|| wrong("is no mapping".into()))?;
        if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(wrong(format!("`{key}` is not known; there are {}", KEYS.join(" and "))));
        }
        let mut guard = Self::default();
        if let Some(users) = data.get("basic_auth_users") {
            let users =
                users.as_object().ok_or_else(|| wrong("basic_auth_users maps names to bcrypt hashes".into()))?;
            for (name, hash) in users {
                let hash = hash.as_str().filter(|hash| hash.starts_with("$2") && hash.len() == 60);
                let hash = hash.ok_or_else(|| wrong(format!("the password of `{name}` is no bcrypt hash")))?;
                guard.users.insert(name.clone(), hash.to_owned());
            }
            let cost = guard.users.values().filter_map(|hash| hash.get(4..6)?.parse().ok()).max();
            let hash = bcrypt::hash("nobody", cost.unwrap_or(bcrypt::DEFAULT_COST));
            guard.nobody = hash.map_err(|error| wrong(format!("has a bcrypt hash that cannot be: {error}")))?;
        }
        if let Some(tls) = data.get("tls_server_config") {
            let tls = tls.as_object().ok_or_else(|| wrong("tls_server_config is no mapping".into()))?;
            if let Some(key) = tls.keys().find(|key| !TLS_KEYS.contains(&key.as_str())) {
                return Err(wrong(format!("`{key}` of tls_server_config is not supported")));
            }
            let folder = path.parent().unwrap_or(Path::new("."));
            let file = |key: &str| {
                let name = tls.get(key).and_then(serde_json::Value::as_str);
                name.map(|name| folder.join(name)).ok_or_else(|| wrong(format!("tls_server_config has no {key}")))
            };
            guard.tls = Some(acceptor(&file("cert_file")?, &file("key_file")?)?);
        }
        Ok(guard)
    }

    /// Whether strangers may reach what this guards.
    pub fn is_closed(&self) -> bool {
        self.tls.is_some() && !self.users.is_empty()
    }

    /// How connections are taken, where not in clear text.
    pub fn tls(&self) -> Option<&TlsAcceptor> {
        self.tls.as_ref()
    }

    /// Whether who asks may.
    pub async fn admits(&self, headers: &HeaderMap) -> bool {
        if self.users.is_empty() {
            return true;
        }
        let credentials = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((name, password)) = credentials.and_then(name_and_password) else { return false };
        let hash = self.users.get(&name).cloned();
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let mut digest = Sha256::new();
        // The hash is part of it: after a change of the password the old one is not remembered.
        for part in [name.as_str(), &password, &hash] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let digest: [u8; 32] = digest.finalize().into();
        if self.remembered.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest) {
            return true;
        }
        let _looking = self.looking.lock().await;
        // On another thread: others are answered meanwhile.
        let verify = tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false));
        let is_right = verify.await.unwrap_or(false) && is_known;
        if is_right {
            let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
            if remembered.len() >= REMEMBERED_MAX {
                remembered.clear();
            }
            remembered.insert(digest);
        }
        is_right
    }
}

fn acceptor(certificates: &Path, key: &Path) -> Result<TlsAcceptor, Problem> {
    let unread = |path: &Path| Problem::new(format!("{} cannot be used for TLS", path.display()));
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificates).map_err(|error| unread(certificates).because(error))?.collect();
    let chain = chain.map_err(|error| unread(certificates).because(error))?;
    let key_in_file = PrivateKeyDer::from_pem_file(key).map_err(|error| unread(key).because(error))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Problem::new("TLS cannot be set up").because(error))?;
    let config = builder.with_no_client_auth().with_single_cert(chain, key_in_file);
    Ok(TlsAcceptor::from(Arc::new(config.map_err(|error| unread(certificates).because(error))?)))
}

fn name_and_password(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// Whether only this machine and its private network reach the address.
pub fn is_private(address: SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            // 100.64.0.0/10 is shared between networks of one provider, as private as the others.
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_strangers_do_not_reach_are_private() {
        for (address, expected) in [
            ("127.0.0.1:9400", true),
            ("10.1.2.3:9400", true),
            ("172.31.0.9:1", true),
            ("192.168.1.1:1", true),
            ("100.64.0.1:1", true),
            ("[::1]:1", true),
            ("[fd00::1]:1", true),
            ("0.0.0.0:9400", false),
            ("[::]:9400", false),
            ("8.8.8.8:1", false),
            ("100.128.0.1:1", false),
            ("172.32.0.1:1", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn credentials_are_read_as_they_are_sent() {
        let read = |header: &str| name_and_password(header);
        assert_eq!(read("Basic cHJvbTpzM2NyZXQ6eA=="), Some(("prom".into(), "s3cret:x".into())));
        for bad in ["", "Basic", "Bearer cHJvbTp4", "Basic !!!!", "Basic cHJvbQ==", "Basic /////w=="] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_file_that_guards_otherwise_than_it_says_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.yaml");
        for (text, said) in [
            ("basic_auth_users:\n  prom: plain\n", "the password of `prom` is no bcrypt hash"),
            ("http_server_config: {}\n", "`http_server_config` is not known"),
            ("tls_server_config:\n  cert_file: a\n  key_file: b\n", "cannot be used for TLS"),
            ("tls_server_config:\n  cert_file: a\n", "has no key_file"),
            ("tls_server_config:\n  client_auth_type: x\n", "is not supported"),
            ("- a\n", "is no mapping"),
        ] {
            fs_err::write(&path, text).unwrap();
            let problem = Guard::read(&path).err().unwrap().told();
            assert!(problem.contains(said), "{text}: {problem}");
        }
    }
}
