//! One device of a Lustre client: a mount, or its connection to a target.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::{Problem, unread};
use super::Faults;
use super::text::{Counts, Import};
use crate::files::{Buffer, KeptFile};
use crate::sheet::Labels;

/// In the order in which they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Component {
    /// A connection to a target for data.
    Osc,
    /// A connection to a target for metadata.
    Mdc,
    /// A mount.
    Client,
}

impl Component {
    pub(super) const ALL: [Self; 3] = [Self::Osc, Self::Mdc, Self::Client];

    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Osc => "osc",
            Self::Mdc => "mdc",
            Self::Client => "llite",
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Osc => "osc",
            Self::Mdc => "mdc",
            // As the field's exporter calls it.
            Self::Client => "client",
        }
    }
}

/// What people know it by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) component: Component,
    pub(super) filesystem: String,
    pub(super) target: String,
}

impl Name {
    /// `fsx-OST0001-osc-ffff9f1e3b2c8000` and `fsx-ffff9f1e3b2c8000`. `None` where it is a server's device.
    pub(super) fn of(component: Component, device: &str) -> Option<Self> {
        let (rest, mount) = device.rsplit_once('-')?;
        // The mount's address; a server's connections have a target's name there.
        if mount.len() < 8 || !mount.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let (filesystem, target) = match component {
            Component::Client => (rest, rest),
            Component::Osc | Component::Mdc => {
                let target = rest.strip_suffix(component.folder())?.strip_suffix('-')?;
                (target.rsplit_once('-')?.0, target)
            }
        };
        Some(Self { component, filesystem: filesystem.to_owned(), target: target.to_owned() })
    }

    pub(super) fn labels(&self) -> Labels {
        Labels::new(&[
            ("filesystem", &self.filesystem),
            ("component", self.component.label()),
            ("target", &self.target),
        ])
    }
}

/// How full a target is, or a file system.
#[derive(Debug, Default)]
pub(super) struct Space {
    pub(super) total_kib: Option<u64>,
    pub(super) free_kib: Option<u64>,
    pub(super) available_kib: Option<u64>,
    pub(super) files: Option<u64>,
    pub(super) files_free: Option<u64>,
}

impl Space {
    /// What is kept back for the server counts neither as used nor as space.
    #[allow(clippy::cast_precision_loss, reason = "a ratio")]
    pub(super) fn used_ratio(&self) -> Option<f64> {
        let used = self.total_kib?.checked_sub(self.free_kib?)?;
        let of = used.saturating_add(self.available_kib?);
        (of > 0).then(|| used as f64 / of as f64)
    }
}

/// The files that a kind of device has.
fn files_of(component: Component) -> &'static [&'static str] {
    match component {
        Component::Osc => &[
            "kbytestotal",
            "kbytesfree",
            "kbytesavail",
            "filestotal",
            "filesfree",
            "cur_dirty_bytes",
            "cur_grant_bytes",
            "import",
        ],
        Component::Mdc => {
            &["kbytestotal", "kbytesfree", "kbytesavail", "filestotal", "filesfree", "import", "md_stats"]
        }
        Component::Client => {
            &["kbytestotal", "kbytesfree", "kbytesavail", "filestotal", "filesfree", "stats", "read_ahead_stats"]
        }
    }
}

/// Its files are closed after each reading: hundreds of targets with eight each are more than may stay open.
pub(super) struct Device {
    /// Its name in Lustre's folders.
    pub(super) folder: String,
    component: Component,
    files: HashMap<&'static str, KeptFile>,
    space: Space,
    /// When it was asked for its space.
    asked: Option<Instant>,
    buffer: Buffer,
}

impl Device {
    pub(super) fn new(component: Component, folder: String) -> Self {
        Self {
            folder,
            component,
            files: HashMap::new(),
            space: Space::default(),
            asked: None,
            buffer: Buffer::default(),
        }
    }

    /// Finds those of its files that are there by now, wherever this version has them. A mount makes them one by one.
    pub(super) fn find(&mut self, folders: &[PathBuf]) {
        for file in files_of(self.component) {
            if self.files.contains_key(file) {
                continue;
            }
            let at = |root: &PathBuf| root.join(self.component.folder()).join(&self.folder).join(file);
            if let Some(path) = folders.iter().map(at).find(|path| path.exists()) {
                self.files.insert(file, KeptFile::new(path));
            }
        }
    }

    /// `None` where this version or this kind of device has no such file, or where it cannot be read.
    pub(super) fn number(&mut self, key: &str, faults: &mut Faults) -> Option<u64> {
        let file = self.files.get_mut(key)?;
        let read = file.number(&mut self.buffer).map(Some);
        file.close();
        faults.take(read.map_err(unread(&file.path())))
    }

    /// As it was asked for, at most so long ago.
    pub(super) fn space(&mut self, age_max: Duration, faults: &mut Faults) -> &Space {
        if self.asked.is_none_or(|asked| asked.elapsed() >= age_max) {
            let mut number = |key| self.number(key, faults);
            let space = Space {
                total_kib: number("kbytestotal"),
                free_kib: number("kbytesfree"),
                available_kib: number("kbytesavail"),
                files: number("filestotal"),
                files_free: number("filesfree"),
            };
            // One that did not say is asked again.
            let is_known = space.total_kib.is_some() && space.available_kib.is_some();
            self.asked = is_known.then(Instant::now);
            self.space = space;
        }
        &self.space
    }

    pub(super) fn import(&mut self, faults: &mut Faults) -> Option<Import> {
        self.text("import", faults).map(Import::read)
    }

    /// Adds what it counted. Whether it told all that it has.
    pub(super) fn count(&mut self, counts: &mut Counts, faults: &mut Faults) -> bool {
        let statistics = match self.component {
            Component::Osc => return true,
            Component::Mdc => "md_stats",
            Component::Client => "stats",
        };
        if self.component == Component::Client && !self.files.contains_key(statistics) {
            let sentence =
                format!("the statistics of the Lustre mount {} are not there, or only for root", self.folder);
            faults.take::<()>(Err(Problem::new(sentence)));
            return false;
        }
        let mut is_whole = true;
        for (file, add) in [
            (statistics, Counts::add_operations as fn(&mut Counts, &str)),
            ("read_ahead_stats", Counts::add_read_ahead),
        ] {
            let is_there = self.files.contains_key(file);
            match self.text(file, faults) {
                Some(text) => add(counts, text),
                None => is_whole &= !is_there,
            }
        }
        is_whole
    }

    fn text(&mut self, file: &str, faults: &mut Faults) -> Option<&str> {
        let file = self.files.get_mut(file)?;
        let path = file.path();
        let read = file.read(&mut self.buffer).map(Some).map_err(unread(&path));
        file.close();
        faults.take(read)
    }
}
