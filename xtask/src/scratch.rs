//! A folder of our own among everybody's temporary files, gone when it is not needed any more.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Nobody else may look into it or leave anything there. Its name is the same for a whole run: programs that are compared
/// must see the same paths.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Named after what it is for. What stands there already, be it a link that leads nowhere, is somebody else's.
    pub fn new(what: &str) -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("trainyard-{what}-{}", std::process::id()));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // what is left there bothers nobody
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_folder_of_our_own_is_never_one_that_somebody_put_there() {
        let first = Scratch::new("scratch-test").unwrap();
        let path = first.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(Scratch::new("scratch-test").is_err_and(|error| error.contains("File exists")));
        fs::write(path.join("file"), "").unwrap();
        drop(first);
        assert!(!path.exists());
        symlink("/nowhere", &path).unwrap();
        assert!(Scratch::new("scratch-test").is_err());
        fs::remove_file(path).unwrap();
    }
}
