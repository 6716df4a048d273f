//! The logs of a rehearsal: the files in the cluster's folder `log`. They stay when the cluster is taken down.

use std::collections::VecDeque;
use std::io::{Read as _, Seek as _, SeekFrom};

use fs_err as fs;
use trainyard_plan::local::HEAD;

use super::Store;
use crate::Failure;
use crate::logs::{Line, Logs, Stream, Streams, sort};

/// A file's end is read so far back; longer lines than that are nobody's log.
const TAIL_BYTES_MAX: u64 = 16 << 20;
/// A cluster has two files a node and a few more.
const FILES_MAX: usize = 10_000;
/// Logs that are the head's: the other files with a node in their name are that node's.
const OF_THE_HEAD: &[&str] = &["slurmctld", "munged", "hooks", "jobs"];

/// The log files of one cluster.
pub(super) struct Files<'a>(pub &'a Store);

impl Logs for Files<'_> {
    fn streams(&self, _: Option<&str>) -> Result<Streams, Failure> {
        let folder = self.0.at("log");
        if !folder.is_dir() {
            return Ok(Streams { all: Vec::new(), is_cut: false });
        }
        let (mut all, mut is_cut) = (Vec::new(), false);
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            // Links and pipes are not ours.
            let Some(meta) = entry.metadata().ok().filter(std::fs::Metadata::is_file) else { continue };
            if all.len() == FILES_MAX {
                is_cut = true;
                break;
            }
            let Ok(name) = entry.file_name().into_string() else { continue };
            let (node, log) = parts(&name);
            let at = meta.modified().ok().and_then(|at| jiff::Timestamp::try_from(at).ok());
            let last_at = at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string());
            all.push(Stream { node: node.to_owned(), log: log.to_owned(), name, instance: None, last_at });
        }
        sort(&mut all);
        Ok(Streams { all, is_cut })
    }

    fn tail(&self, stream: &Stream, lines: usize) -> Result<Vec<Line>, Failure> {
        let mut file = fs::File::open(self.0.at("log").join(&stream.name))?;
        let size = file.metadata()?.len();
        let begin = size.saturating_sub(TAIL_BYTES_MAX);
        file.seek(SeekFrom::Start(begin))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        // Where the beginning was left out, the first line is the rest of one.
        let whole = if begin > 0 { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
        let mut last = VecDeque::with_capacity(lines.min(1024));
        for line in whole.lines() {
            if last.len() == lines {
                last.pop_front();
            }
            last.push_back(Line { at: None, text: line.to_owned() });
        }
        Ok(last.into())
    }
}

/// The node and the log that a file's name tells of: `slurmd-train-st-node-1.log` is `slurmd` of that node.
fn parts(name: &str) -> (&str, &str) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    for kind in ["slurmd", "node"] {
        if let Some(node) = stem.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-')) {
            return (node, kind);
        }
    }
    (if OF_THE_HEAD.contains(&stem) { HEAD } else { "" }, stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_each_file_are_found_by_node_and_log() {
        let home = tempfile::tempdir().expect("a folder");
        let store = Store::new(home.path(), "demo");
        let files = Files(&store);
        assert_eq!(files.streams(None).expect("none yet").all, []);
        std::fs::create_dir_all(store.at("log/a-folder")).expect("made");
        for name in ["slurmctld.log", "slurmd-q-st-n-1.log", "node-q-st-n-1.log", "node-head.log", "supervisor.log"] {
            std::fs::write(store.at("log").join(name), "one\ntwo\nthree\n").expect("written");
        }
        std::os::unix::fs::symlink("/etc/passwd", store.at("log/slurmd-link.log")).expect("linked");
        let streams = files.streams(None).expect("there are some").all;
        let found: Vec<_> = streams.iter().map(|one| (one.node.as_str(), one.log.as_str())).collect();
        let wanted =
            [("head", "node"), ("head", "slurmctld"), ("", "supervisor"), ("q-st-n-1", "node"), ("q-st-n-1", "slurmd")];
        assert_eq!(found, wanted);
        let texts = |lines| files.tail(&streams[0], lines).expect("read").into_iter().map(|line| line.text);
        assert_eq!(texts(2).collect::<Vec<_>>(), ["two", "three"]);
        assert_eq!(texts(9).collect::<Vec<_>>(), ["one", "two", "three"]);
    }
}
