//! Where a cluster's files lie on this machine.

use std::path::{Path, PathBuf};

use fs_err as fs;
use trainyard_plan::Plan;

use crate::Failure;

/// The folder of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The folder of cluster `name` below `home` (trainyard's own folder).
    pub fn new(home: &Path, name: &str) -> Self {
        Self { folder: home.join("clusters").join(name) }
    }

    /// The folder of a cluster on AWS. A rehearsal of the same name has its own.
    pub fn aws(home: &Path, name: &str) -> Self {
        Self { folder: home.join("aws").join(name) }
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path below it.
    pub fn at(&self, below: impl AsRef<Path>) -> PathBuf {
        self.folder.join(below)
    }

    /// Makes the folder.
    pub fn make(&self) -> Result<(), Failure> {
        Ok(fs::create_dir_all(&self.folder)?)
    }

    /// Names of all clusters below `home` that ever came up, each once.
    pub fn list(home: &Path) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        for folder in [home.join("clusters"), home.join("aws")].iter().filter(|folder| folder.is_dir()) {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry.path().join("journal.jsonl").is_file() {
                    names.push(entry.file_name().to_string_lossy().into_owned());
                }
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The plan that the cluster was made from; `None` when there is none.
    pub fn plan(&self) -> Result<Option<Plan>, Failure> {
        let path = self.at("plan.json");
        if !path.is_file() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path)?;
        let plan = serde_json::from_str(&text).map_err(|error| {
            Failure::refused(format!("the saved plan {} cannot be read", path.display()))
                .caused_by(error)
                .hint("it was written by another version of trainyard, or damaged; `trainyard up` writes it again")
        })?;
        Ok(Some(plan))
    }

    /// Saves the plan before its first step.
    pub fn save_plan(&self, plan: &Plan) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(plan).map_err(|error| Failure::internal(error.to_string()))?;
        self.write("plan.json", text.as_bytes(), 0o644)
    }

    /// Writes a file whole or not at all.
    pub fn write(&self, below: &str, bytes: &[u8], mode: u32) -> Result<(), Failure> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.at(below);
        let part = path.with_extension(format!("part-{}", std::process::id()));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let _ = fs::remove_file(&part);
        // The mode at creation: a secret must not be readable even for a moment.
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        let mut file = fs::File::from_parts(options.open(&part)?, part.clone());
        file.write_all(bytes)?;
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        file.sync_all()?;
        Ok(fs::rename(&part, &path)?)
    }
}
