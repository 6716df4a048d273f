//! Taking down a rehearsal: its data are folders.

use std::path::PathBuf;

use fs_err as fs;
use trainyard_provider::Failure;
use trainyard_provider::local::Store;

use super::{Down, kept_folders, known_names, undo};
use crate::session::{Made, Session};
use crate::ui::Confirmed;

impl Down {
    pub(super) fn here(&self, session: &Session, made: &Made) -> Result<u8, Failure> {
        let (store, cluster) = (&made.store, &made.plan.cluster);
        let known = ["fsx".to_owned(), "home".to_owned()];
        let deletions: Vec<PathBuf> = known_names(&self.delete_data, &known, &made.plan)?
            .into_iter()
            .map(|name| if name == cluster { store.folder().to_owned() } else { store.at(format!("shared/{name}")) })
            .collect();
        let confirmed = if deletions.is_empty() {
            None
        } else {
            let what = format!("this deletes {} of cluster {cluster}", self.delete_data.join(" and "));
            Some(session.ui.confirm(&what, cluster, self.yes)?)
        };
        let was_live = undo(session, made, &format!("trainyard down --cluster {cluster}"))?;
        if let Some(confirmed) = confirmed {
            delete(&deletions, &confirmed)?;
        }
        report(session, store, cluster, was_live, &deletions);
        Ok(0)
    }
}

/// Deleting needs the proof that somebody agreed.
fn delete(paths: &[PathBuf], _: &Confirmed) -> Result<(), Failure> {
    for path in paths.iter().filter(|path| path.exists()) {
        fs::remove_dir_all(path)?;
    }
    Ok(())
}

fn report(session: &Session, store: &Store, cluster: &str, was_live: bool, deletions: &[PathBuf]) {
    let kept = kept_folders(store);
    if session.ui.is_json() {
        let line = serde_json::json!({"event": "down", "cluster": cluster, "kept": kept, "deleted": deletions});
        session.ui.data(&line.to_string());
        return;
    }
    session.ui.say(&format!("cluster {cluster} {}", if was_live { "is down" } else { "was down already" }));
    for path in deletions {
        session.ui.say(&format!("  deleted: {}", path.display()));
    }
    for path in &kept {
        session.ui.say(&format!("  kept: {}", path.display()));
    }
    if !kept.is_empty() {
        session.ui.say("  it costs nothing but disk; `trainyard up` adopts it again, --delete-data deletes it");
    }
}
