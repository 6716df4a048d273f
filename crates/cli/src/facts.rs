//! Which facts a plan is made from: a file's, a survey's, or assumed ones, and then what was assumed.

use std::path::{Path, PathBuf};

use fs_err as fs;
use trainyard_plan::{AwsFacts, Facts, LocalFacts};
use trainyard_provider::{Failure, Kind};
use trainyard_spec::{Spec, model::ProviderKind};

use crate::local_files;
use crate::session::{Session, Where};

/// The largest file of facts that is read, in bytes.
const FACTS_BYTES_MAX: u64 = 16 << 20;

/// Where facts come from.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Source {
    /// Facts of an earlier survey, as JSON: the same file and the same facts give the same plan.
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// Ask AWS for the facts, with your credentials, instead of assuming them. Nothing is changed there.
    #[arg(long, conflicts_with = "facts")]
    pub online: bool,
}

/// Facts, and why they are not this machine's where they are assumed.
pub struct Found {
    /// The facts.
    pub facts: Facts,
    /// Why they are assumed.
    pub assumed: Option<String>,
}

impl Source {
    /// The facts for a plan of `spec`, on AWS or rehearsed here.
    pub fn facts(&self, session: &Session, spec: &Spec, path: &Path, rehearse: bool) -> Result<Found, Failure> {
        let is_aws = spec.provider == ProviderKind::Aws && !rehearse;
        if let Some(file) = &self.facts {
            return Ok(Found { facts: read(file, spec, is_aws)?, assumed: None });
        }
        if is_aws && self.online {
            let store = session.store_on(spec.name.as_str(), Where::Aws)?;
            return Ok(Found { facts: session.surveyed(spec, path, &store)?, assumed: None });
        }
        if is_aws {
            let mut facts = AwsFacts::assumed(spec);
            local_files::add(&mut facts, spec, path)?;
            return Ok(Found { facts: Facts::Aws(facts), assumed: None });
        }
        let store = session.store(spec.name.as_str())?;
        match session.survey(spec, &store) {
            Ok(facts) => Ok(Found { facts, assumed: None }),
            Err(failure) if failure.kind == Kind::Refused => {
                Ok(Found { facts: Facts::Local(LocalFacts::assumed()), assumed: Some(failure.what) })
            }
            Err(failure) => Err(failure),
        }
    }
}

/// A file's facts. Of an AWS account it may know only some; the rest is assumed, and said to be.
fn read(file: &Path, spec: &Spec, is_aws: bool) -> Result<Facts, Failure> {
    let bad = |error: serde_json::Error| {
        Failure::bad(format!("{} holds no facts", file.display()))
            .caused_by(error)
            .hint("it begins with {\"provider\": \"aws\", …}; docs/aws.md shows one")
    };
    let size = fs::metadata(file).map_err(|error| {
        Failure::usage(format!("{} cannot be read", file.display()))
            .caused_by(error)
            .hint("leave --facts out to plan with assumptions; docs/aws.md shows how to write one")
    })?;
    if size.len() > FACTS_BYTES_MAX {
        return Err(Failure::bad(format!("{} is larger than {FACTS_BYTES_MAX} bytes", file.display())));
    }
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(file)?).map_err(bad)?;
    let provider = value.as_object_mut().and_then(|map| map.remove("provider"));
    let wanted = if is_aws { "aws" } else { "local" };
    if provider.as_ref().and_then(serde_json::Value::as_str) != Some(wanted) {
        let whose = if is_aws { "an AWS account" } else { "a machine that rehearses" };
        return Err(Failure::usage(format!("{} holds no facts of {whose}", file.display()))
            .hint(format!("it says \"provider\": \"{wanted}\" where it does")));
    }
    if is_aws {
        return AwsFacts::known(spec, value).map(Facts::Aws).map_err(bad);
    }
    serde_json::from_value(value).map(Facts::Local).map_err(bad)
}
