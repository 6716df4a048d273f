//! Metrics that other programs leave in files: what a job at night has to tell, or a script of the site.
//!
//! A file that makes no sense, or that has a metric of ours, is left out whole, with the reason; the others stay.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use trainyard_plan::metrics::textfile as m;

use super::{Collector, Kind, Lane, Problem, Scope, unread};
use crate::files::{Listed, listed};
use crate::foreign::ForeignFamily;
use crate::foreign::claims::{Claims, ours};
use crate::foreign::text::{Series, parse, series};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "textfile",
    about: "metrics that other programs leave in files",
    // The folder may be on any file system.
    lane: Lane::Own,
    scope: Scope::Given,
    make: |setting| {
        let (folder, claims) = (setting.textfile.clone()?, setting.claims.clone());
        Some(Box::new(Textfile { folder, claims }))
    },
};

/// A site has some ten.
const FILES_MAX: usize = 256;

/// What is looked through for them.
const ENTRIES_MAX: usize = 4096;

/// Some 10,000 series.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Of all files together. They are kept as text between scrapes.
const SERIES_MAX: usize = 10_000;

struct Textfile {
    folder: PathBuf,
    claims: Claims,
}

impl Collector for Textfile {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let mut shown = Shown::beside(self.claims.of_others(COLLECTOR.name));
        let mut problems = self.show(&mut shown, sheet);
        // Another collector may have come before in this moment; the next time the file is left out whole.
        if let Some(family) = self.claims.take(COLLECTOR.name, &mut shown.families).first() {
            problems.push(Problem::new(format!("{} is shown by another collector from now on", family.name)));
        }
        sheet.put(&m::node_textfile_scrape_error, &[], !problems.is_empty());
        for family in shown.families {
            sheet.put_foreign(family);
        }
        let count = problems.len();
        match problems.into_iter().next() {
            None => Ok(()),
            Some(first) if count == 1 => Err(first),
            Some(first) => Err(Problem::new(format!("{count} files are left out; the first: {}", first.told()))),
        }
    }

    fn forget(&mut self) {
        self.claims.take(COLLECTOR.name, &mut Vec::new());
    }
}

impl Textfile {
    /// Shows all files that can be; what is wrong with the others.
    fn show(&self, shown: &mut Shown, sheet: &mut Sheet) -> Vec<Problem> {
        if let Err(error) = std::fs::read_dir(&self.folder) {
            return vec![unread(&self.folder)(error)];
        }
        let mut problems = Vec::new();
        let Listed { names: mut files, has_more, .. } = listed(&self.folder, ENTRIES_MAX);
        if has_more {
            let sentence = format!("{} has more than {ENTRIES_MAX} entries", self.folder.display());
            problems.push(Problem::new(format!("{sentence}; files may be left out")));
        }
        files.retain(|name| name.strip_suffix(".prom").is_some_and(|name| !name.is_empty()));
        for (number, name) in files.iter().enumerate() {
            let path = self.folder.join(name);
            let left_out = |why| Problem::new(format!("{} is left out: {why}", path.display()));
            if number >= FILES_MAX {
                problems.push(left_out(format!("there are more than {FILES_MAX} files")));
                continue;
            }
            let added = read(&path).and_then(|(seconds, text)| {
                parse(&text, SERIES_MAX).and_then(|families| shown.add(families)).map_err(left_out)?;
                Ok(seconds)
            });
            match added {
                Ok(seconds) => sheet.put(&m::node_textfile_mtime_seconds, &[&path.to_string_lossy()], seconds),
                Err(problem) => problems.push(problem),
            }
        }
        problems
    }
}

/// When a file was written, and its text.
fn read(path: &Path) -> Result<(u64, String), Problem> {
    let left_out = |why: &str| Problem::new(format!("{} is left out: {why}", path.display()));
    // Who may write into the folder could have linked a device, which does something when it is opened, or a file that only
    // the agent may read. Who opens a pipe would wait for somebody to write.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let open = std::fs::OpenOptions::new().read(true).custom_flags(flags.bits()).open(path);
    let file = match open {
        Err(error) if error.raw_os_error() == Some(Errno::ELOOP as i32) => {
            return Err(left_out("it is a link; write the file itself, or rename it into the folder"));
        }
        open => open.map_err(unread(path))?,
    };
    let about = file.metadata().map_err(unread(path))?;
    if !about.is_file() {
        return Err(left_out("it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unread(path))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(left_out("it has more than 1 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| left_out("it is no UTF-8"))?;
    let since = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok((since.unwrap_or_default().as_secs(), text))
}

/// What is shown of all files.
#[derive(Default)]
struct Shown {
    families: Vec<ForeignFamily>,
    /// Where each is.
    places: HashMap<String, usize>,
    /// Every name in either format, and the metric that it belongs to.
    owners: HashMap<String, String>,
    series: HashSet<Series>,
}

impl Shown {
    /// Nothing yet. Names of ours belong to no file, and neither do those that other collectors show.
    fn beside(of_others: Vec<String>) -> Self {
        let owned = ours().map(str::to_owned).chain(of_others);
        Self { owners: owned.map(|name| (name, String::new())).collect(), ..Self::default() }
    }

    /// Adds a file's metrics, or none of them.
    fn add(&mut self, families: Vec<ForeignFamily>) -> Result<(), String> {
        let count: usize = families.iter().map(|family| family.samples.len()).sum();
        if self.series.len() + count > SERIES_MAX {
            return Err(format!("all files together would have more than {SERIES_MAX} series"));
        }
        let mut own: HashMap<&str, &str> = HashMap::new();
        for family in &families {
            let name = family.name.as_str();
            for taken in family.names() {
                let before = self.owners.get(taken).map(String::as_str);
                match before.or_else(|| own.insert(taken, name)) {
                    Some("") => return Err(format!("{taken} is a metric that the agent shows itself")),
                    Some(owner) if owner != name => return Err(format!("{taken} belongs to two metrics")),
                    _ => {}
                }
            }
            if self.known(name).is_some_and(|known| known.kind != family.kind) {
                return Err(format!("{name} has another type in another file"));
            }
            if family.samples.iter().any(|sample| self.series.contains(&series(sample))) {
                return Err(format!("{name} has a series that is in another file"));
            }
        }
        for family in families {
            self.series.extend(family.samples.iter().map(series));
            for name in family.names() {
                self.owners.insert(name.to_owned(), family.name.clone());
            }
            if let Some(known) = self.places.get(&family.name).and_then(|place| self.families.get_mut(*place)) {
                known.samples.extend(family.samples);
                continue;
            }
            self.places.insert(family.name.clone(), self.families.len());
            self.families.push(family);
        }
        Ok(())
    }

    fn known(&self, name: &str) -> Option<&ForeignFamily> {
        self.families.get(*self.places.get(name)?)
    }
}

#[cfg(test)]
mod tests;
