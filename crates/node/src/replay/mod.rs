//! Synthetic nodes for machines that have none: a folder that the agent shows in place of accelerators, fabric,
//! Lustre and kernel log.
//!
//! The same profile, faults and second give the same folder, byte for byte. Counters follow from the second, so writing
//! the folder again with a later one moves them, under a reader's eyes if need be.

mod chips;
mod digits;
mod fabric;
mod faults;
mod folder;
mod neuron;
mod node;
mod profiles;
mod storage;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use faults::{FAULTS, Fault};
pub use folder::Written;
pub use profiles::{PROFILES, Profile};

/// Three years. Beyond that counters would run over.
pub const SECONDS_MAX: u64 = 100_000_000;

/// What is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// A name of [`PROFILES`].
    pub profile: String,
    /// Names of [`FAULTS`].
    pub faults: Vec<String>,
    /// How long the node has been at work.
    pub seconds: u64,
    /// Nodes of different names have different serial numbers.
    pub node: String,
}

/// Writes the folder, or brings one of ours up to date. An error is a sentence.
pub fn write(wanted: &Wanted, folder: &Path) -> Result<(), String> {
    write_more(wanted, folder, &mut Written::default())
}

/// The same for who writes it again and again: what stays as it is, as most of it does, is written once.
pub fn write_more(wanted: &Wanted, folder: &Path, written: &mut Written) -> Result<(), String> {
    let profile = PROFILES.iter().find(|profile| profile.name == wanted.profile).ok_or_else(|| {
        let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
        format!("there is no profile `{}`; there are: {}", wanted.profile, names.join(", "))
    })?;
    if wanted.seconds > SECONDS_MAX {
        return Err(format!("{} s are too long; at most {SECONDS_MAX} s can be shown", wanted.seconds));
    }
    let mut node = node::Node::at_work(profile, wanted);
    for name in &wanted.faults {
        let fault = FAULTS.iter().find(|fault| fault.name == name).ok_or_else(|| {
            let names: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
            format!("there is no fault `{name}`; there are: {}", names.join(", "))
        })?;
        if fault.is_of_gpus() && node.gpus.is_empty() {
            return Err(format!("`{name}` is a fault of GPUs, and {} has none", profile.name));
        }
        fault.happen(&mut node);
    }
    folder::write(&node, wanted, folder, written)
}

/// What a folder of ours shows. An error is a sentence.
pub fn read(folder: &Path) -> Result<Wanted, String> {
    let said = |error: &dyn std::fmt::Display| format!("{} is no replay: {error}", folder.display());
    let text = fs_err::read_to_string(folder.join("replay.json")).map_err(|error| said(&error))?;
    serde_json::from_str(&text).map_err(|error| said(&error))
}

/// The profiles and faults, for people.
pub fn list() -> String {
    use std::fmt::Write as _;
    let mut text = "profiles:\n".to_owned();
    for profile in PROFILES {
        let _ = writeln!(text, "  {:<22} {}", profile.name, profile.about);
    }
    text.push_str("faults:\n");
    for fault in FAULTS {
        let _ = writeln!(text, "  {:<22} {}", fault.name, fault.about);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(profile: &str, faults: &[&str], seconds: u64) -> Wanted {
        let faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
        Wanted { profile: profile.into(), faults, seconds, node: "n1".into() }
    }

    /// Every file below a folder, with its content.
    fn files(folder: &Path) -> std::collections::BTreeMap<String, String> {
        let mut found = std::collections::BTreeMap::new();
        let mut open = vec![folder.to_owned()];
        while let Some(next) = open.pop() {
            for entry in fs_err::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                if path.is_symlink() {
                    found.insert(name, fs_err::read_link(&path).unwrap().display().to_string());
                } else if path.is_dir() {
                    open.push(path);
                } else {
                    found.insert(name, fs_err::read_to_string(&path).unwrap());
                }
            }
        }
        found
    }

    #[test]
    fn the_same_wish_gives_the_same_folder_whatever_was_there_before() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for profile in PROFILES {
            let target = folders.each_ref().map(|folder| folder.path().join(profile.name));
            write(&wanted(profile.name, &["efa-device-missing"], 9), &target[0]).unwrap();
            write(&wanted(profile.name, &[], 60), &target[0]).unwrap();
            write(&wanted(profile.name, &[], 7200), &target[0]).unwrap();
            write(&wanted(profile.name, &[], 7200), &target[1]).unwrap();
            assert_eq!(files(&target[0]), files(&target[1]), "{}", profile.name);
        }
    }

    #[test]
    fn what_goes_on_to_write_leaves_what_is_written_and_brings_back_what_was_removed() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [gone_on, anew] = folders.each_ref().map(|folder| folder.path().join("node"));
        let mut written = Written::default();
        write_more(&wanted("p5", &[], 60), &gone_on, &mut written).unwrap();
        let rate = gone_on.join("sys/class/infiniband/rdmap79s0/ports/1/rate");
        let changed = || fs_err::metadata(&rate).unwrap().modified().unwrap();
        let before = changed();
        write_more(&wanted("p5", &[], 61), &gone_on, &mut written).unwrap();
        assert_eq!(changed(), before, "it is as it was");
        fs_err::remove_dir_all(gone_on.join("sys")).unwrap();
        write_more(&wanted("p5", &[], 62), &gone_on, &mut written).unwrap();
        write(&wanted("p5", &[], 62), &anew).unwrap();
        assert_eq!(files(&gone_on), files(&anew));
    }

    #[test]
    fn a_fault_changes_the_folder_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let healthy = folder.path().join("healthy");
        write(&wanted("p5", &[], 600), &healthy).unwrap();
        for fault in FAULTS {
            let target = folder.path().join(fault.name);
            write(&wanted("p5", &[fault.name], 600), &target).unwrap();
            let (mut sick, well) = (files(&target), files(&healthy));
            assert!(sick.remove("replay.json").unwrap().contains(fault.name));
            assert!(sick.iter().any(|(name, text)| well.get(name) != Some(text)) || sick.len() < well.len() - 1);
        }
    }

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("thesis.txt"), "years").unwrap();
        let refused = write(&wanted("p5", &[], 1), folder.path()).unwrap_err();
        assert!(refused.contains("is not empty and no replay"), "{refused}");
        assert_eq!(files(folder.path()).len(), 1);
    }

    #[test]
    fn counters_follow_from_the_second_and_a_folder_can_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("node");
        let counter = |name: &str| -> u64 {
            let path = target.join("sys/class/infiniband/rdmap79s0/ports/1/hw_counters").join(name);
            fs_err::read_to_string(path).unwrap().trim().parse().unwrap()
        };
        for faults in [&[][..], &["efa-idle"]] {
            write(&wanted("p5", faults, 100), &target).unwrap();
            let before = counter("tx_bytes");
            let mut next = read(&target).unwrap();
            assert_eq!(next, wanted("p5", faults, 100));
            next.seconds = 160;
            write(&next, &target).unwrap();
            let moved = counter("tx_bytes") - before;
            assert_eq!(moved > 60 * 1_000_000_000, faults.is_empty(), "{moved} bytes with {faults:?}");
        }
        for profile in PROFILES {
            write(&wanted(profile.name, &[], SECONDS_MAX), &folder.path().join(profile.name)).unwrap();
        }
        assert!(write(&wanted("p5", &[], SECONDS_MAX + 1), &target).unwrap_err().contains("too long"));
        assert!(read(folder.path()).unwrap_err().contains("is no replay"));
    }

    /// Who waits for replay.json finds everything, and who was interrupted can begin again.
    #[test]
    fn a_folder_says_what_it_is_once_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let (target, whole) = (folder.path().join("node"), folder.path().join("whole"));
        write(&wanted("p4d", &[], 60), &whole).unwrap();
        fs_err::create_dir_all(target.join("kmsg")).unwrap();
        fs_err::write(target.join("replay.new"), "{}").unwrap();
        fs_err::write(target.join("kmsg/in-the-way"), "").unwrap();
        fs_err::create_dir_all(target.join("gpus/99.json")).unwrap();
        write(&wanted("p4d", &[], 60), &target).unwrap();
        assert_eq!(files(&target), files(&whole));
        // The log is among the last that are written: where it cannot be, nothing is complete.
        let broken = folder.path().join("broken");
        fs_err::create_dir_all(&broken).unwrap();
        std::os::unix::fs::symlink("/nonexistent/kmsg", broken.join("kmsg")).unwrap();
        fs_err::write(broken.join("replay.new"), "{}").unwrap();
        let node = node::Node::at_work(&PROFILES[0], &wanted("p4d", &[], 60));
        assert!(folder::write_all(&node, &wanted("p4d", &[], 60), &broken, &mut Written::default()).is_err());
        assert!(broken.join("gpus").is_dir() && !broken.join("replay.json").exists());
    }

    /// The spec's words become this program's arguments.
    #[test]
    fn the_spec_knows_the_same_profiles_and_faults() {
        use trainyard_spec::model::{ReplayFault, ReplayProfile};
        let schema = trainyard_spec::schema();
        let words = |of: &str| -> Vec<String> {
            let choices = schema["$defs"][of]["oneOf"].as_array().unwrap();
            choices.iter().map(|choice| choice["const"].as_str().unwrap().to_owned()).collect()
        };
        let profiles = words("ReplayProfile");
        assert_eq!(profiles, PROFILES.iter().map(|profile| profile.name).collect::<Vec<_>>());
        for (word, profile) in profiles.iter().zip(PROFILES) {
            let typed: ReplayProfile = serde_json::from_value(word.as_str().into()).unwrap();
            assert_eq!((typed.name(), typed.has_gpus()), (profile.name, profile.chip.is_some()));
        }
        let faults = words("ReplayFault");
        assert_eq!(faults, FAULTS.iter().map(|fault| fault.name).collect::<Vec<_>>());
        for (word, fault) in faults.iter().zip(FAULTS) {
            let typed: ReplayFault = serde_json::from_value(word.as_str().into()).unwrap();
            assert_eq!((typed.name(), typed.is_of_gpus()), (fault.name, fault.is_of_gpus()));
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let said = |profile, faults: &[&str]| write(&wanted(profile, faults, 1), folder.path()).unwrap_err();
        assert!(said("p9", &[]).starts_with("there is no profile `p9`; there are: p4d, p5, "));
        assert!(said("p5", &["rust"]).starts_with("there is no fault `rust`; there are: gpu-lost, "));
        assert!(said("trn1", &["gpu-lost"]).contains("trn1 has none"));
    }
}
