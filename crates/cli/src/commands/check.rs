//! `trainyard check`: every problem at once.

use std::path::{Path, PathBuf};

use fs_err as fs;
use trainyard_provider::Failure;
use trainyard_spec::model::ProviderKind;
use trainyard_spec::{Diagnostic, Severity, Spec};

use crate::session::{SPEC_FILE, Session, Where};

/// Show every problem of a spec at once, with place, reason and fix.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// The spec.
    #[arg(default_value = SPEC_FILE)]
    file: PathBuf,
    /// Apply the fixes that are certain.
    #[arg(long)]
    fix: bool,
    /// Also ask AWS, with your credentials: whether what the spec names is there, reservations, zones, quotas, the key
    /// pair. Nothing is changed there.
    #[arg(long)]
    online: bool,
}

impl Check {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let mut text = read(&self.file)?;
        let (mut spec, mut found) = trainyard_spec::check(&text);
        if self.fix {
            let (mended, count) = mend(&text, &found);
            if count > 0 {
                fs::write(&self.file, &mended)?;
                session.ui.say(&format!("applied {count} fixes to {}", self.file.display()));
                text = mended;
                (spec, found) = trainyard_spec::check(&text);
            }
        }
        if let Some(spec) = spec.filter(|_| self.online) {
            found.extend(online(session, &spec, &self.file, &text)?);
        }
        let errors = found.iter().filter(|d| d.severity == Severity::Error).count();
        if session.ui.is_json() {
            session.ui.json(&serde_json::json!({"file": self.file, "errors": errors, "diagnostics": found}));
        } else {
            session.ui.diagnostics(&self.file.to_string_lossy(), &text, &found);
            session.ui.say(&summary(&self.file, errors, found.len() - errors));
        }
        Ok(u8::from(errors > 0))
    }
}

/// What the account says about the spec.
fn online(session: &Session, spec: &Spec, file: &Path, text: &str) -> Result<Vec<Diagnostic>, Failure> {
    if spec.provider != ProviderKind::Aws {
        return Err(Failure::usage("--online asks AWS, and this spec is of `provider: local`"));
    }
    let store = session.store_on(spec.name.as_str(), Where::Aws)?;
    let facts = session.surveyed(spec, file, &store)?;
    // What could not be asked is no problem of the spec's, and should not look like a yes either.
    if let trainyard_plan::Facts::Aws(facts) = &facts
        && let Some(note) = facts.assumed.get("permissions")
    {
        session.ui.say(&format!("note: {note}"));
    }
    let result = trainyard_plan::build(spec, &facts, trainyard_plan::Options::default());
    let mut found = result.err().unwrap_or_default();
    trainyard_spec::place(&mut found, text);
    Ok(found)
}

fn read(file: &Path) -> Result<String, Failure> {
    let bytes = fs::read(file).map_err(|error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let failure = Failure::usage(error.to_string());
        if missing { failure.hint("write a spec with: trainyard init") } else { failure }
    })?;
    String::from_utf8(bytes)
        .map_err(|error| Failure::bad(format!("{} is not UTF-8 text", file.display())).caused_by(error))
}

fn summary(file: &Path, errors: usize, warnings: usize) -> String {
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    match (errors, warnings) {
        (0, 0) => format!("{} is good", file.display()),
        (0, _) => format!("{} is good, with {}", file.display(), count(warnings, "warning")),
        (_, 0) => format!("{} has {}", file.display(), count(errors, "error")),
        _ => format!("{} has {} and {}", file.display(), count(errors, "error"), count(warnings, "warning")),
    }
}

/// Applies edits from the last to the first, so that earlier places stay right. Of two that overlap,
/// the first wins; the next run finds the other.
fn mend(text: &str, found: &[Diagnostic]) -> (String, usize) {
    let mut edits: Vec<_> = found.iter().filter_map(|d| d.fix.as_ref()).flat_map(|fix| &fix.edits).collect();
    edits.sort_by_key(|edit| (edit.start, edit.end));
    let mut free = 0;
    edits.retain(|edit| {
        let fits = edit.start >= free;
        free = if fits { edit.end } else { free };
        fits
    });
    let mut mended = text.to_owned();
    for edit in edits.iter().rev() {
        mended.replace_range(edit.start..edit.end, &edit.text);
    }
    (mended, edits.len())
}
