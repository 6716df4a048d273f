//! A node as files.
//!
//! Readers may look on: a JSON file is replaced as a whole, and a counter is overwritten in place, where a reader keeps it
//! open. Counters only grow, so that none is ever seen cut off.

use std::collections::HashMap;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::Serialize;
use serde_json::{Value, json};

use super::Wanted;
use super::fabric::Device;
use super::node::{Node, STARTED};

/// What says of a folder that it is complete, and what it shows.
const ABOUT: &str = "replay.json";
/// The same while the folder is written: one that is half written is known as ours by it.
const BEGUN: &str = "replay.new";
/// What a folder of ours may have at its top. What says that it is ours goes last.
const PARTS: &[&str] = &["gpus", "sys", "proc", "kmsg", "xids.json", "xids.new", "neuron", ABOUT, BEGUN];

/// What files have by now, as far as this program wrote them.
#[derive(Debug, Default)]
pub struct Written(HashMap<PathBuf, String>);

impl Written {
    /// In place, where a reader keeps it open.
    fn overwrite(&mut self, path: PathBuf, text: String) -> std::io::Result<()> {
        if self.0.get(&path) == Some(&text) {
            return Ok(());
        }
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
        file.file().write_all_at(text.as_bytes(), 0)?;
        file.set_len(text.len() as u64)?;
        self.0.insert(path, text);
        Ok(())
    }
}

/// An error is a sentence.
pub(super) fn write(node: &Node, wanted: &Wanted, folder: &Path, written: &mut Written) -> Result<(), String> {
    let said = |error: std::io::Error| format!("the replay cannot be written: {error}");
    clear(wanted, folder, written)?;
    write_all(node, wanted, folder, written).map_err(said)
}

/// Only what changes over time may stay of an older replay.
fn clear(wanted: &Wanted, folder: &Path, written: &mut Written) -> Result<(), String> {
    let names = crate::files::names(folder, 1000);
    if names.is_empty() {
        return Ok(());
    }
    let is_ours = names.iter().any(|name| name == ABOUT || name == BEGUN);
    if !is_ours {
        return Err(format!("{} is not empty and no replay", folder.display()));
    }
    // What was begun and never completed may hold anything of ours.
    let text = fs::read_to_string(folder.join(ABOUT)).unwrap_or_default();
    let before: Value = serde_json::from_str(&text).unwrap_or_default();
    let is_same = ["profile", "faults", "node"].iter().all(|key| before.get(*key) == about(wanted).get(*key));
    if is_same {
        return Ok(());
    }
    written.0.clear();
    for part in PARTS {
        let path = folder.join(part);
        let gone = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match gone {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("the older replay cannot be removed: {error}"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn about(wanted: &Wanted) -> Value {
    serde_json::to_value(wanted).unwrap_or_default()
}

pub(super) fn write_all(node: &Node, wanted: &Wanted, folder: &Path, written: &mut Written) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut tree = about(wanted);
    tree["instance_type"] = node.profile.instance_type.into();
    tree["started"] = STARTED.to_string().into();
    fs::write(folder.join(BEGUN), format!("{tree:#}\n"))?;
    if node.profile.chip.is_some() {
        fs::create_dir_all(folder.join("gpus"))?;
        for gpu in &node.gpus {
            write_json(&folder.join(format!("gpus/{}.json", gpu.index)), &without_nulls(gpu)?)?;
        }
        write_json(&folder.join("xids.json"), &serde_json::to_value(&node.xids)?)?;
    }
    for device in &node.fabric {
        write_device(device, &folder.join("sys"), written)?;
    }
    for (path, text) in node.storage.files() {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        written.overwrite(path, text)?;
    }
    written.overwrite(folder.join("kmsg"), node.kernel_log())?;
    if node.profile.has_neuron {
        fs::create_dir_all(folder.join("neuron"))?;
        let line = super::neuron::monitor_line(node.seconds);
        replace(&folder.join("neuron/monitor.json"), &format!("{line}\n"))?;
    }
    // Last: who waits for it finds everything.
    fs::rename(folder.join(BEGUN), folder.join(ABOUT))
}

fn write_device(device: &Device, sys: &Path, written: &mut Written) -> std::io::Result<()> {
    let own = sys.join("class/infiniband").join(&device.name);
    let port = own.join("ports/1");
    let pci = sys.join("devices/pci0000:00").join(&device.address);
    let driver = sys.join("bus/pci/drivers/efa");
    for folder in [&own.join("hw_counters"), &port.join("hw_counters"), &pci, &driver] {
        fs::create_dir_all(folder)?;
    }
    link(&format!("../../../devices/pci0000:00/{}", device.address), &own.join("device"))?;
    link("../../../bus/pci/drivers/efa", &pci.join("driver"))?;
    for (name, value) in &device.own {
        written.overwrite(own.join("hw_counters").join(name), format!("{value}\n"))?;
    }
    for (name, value) in &device.port {
        written.overwrite(port.join("hw_counters").join(name), format!("{value}\n"))?;
    }
    let speed = match device.gbit_s {
        400 => "400 Gb/sec (4X NDR)",
        200 => "200 Gb/sec (4X HDR)",
        _ => "100 Gb/sec (4X EDR)",
    };
    let numa_node = device.numa_node.to_string();
    let facts = [
        (own.join("node_guid"), device.guid.as_str()),
        (own.join("sys_image_guid"), device.guid.as_str()),
        (own.join("node_type"), "7: <unknown>"),
        (own.join("fw_ver"), "0.0.0.0"),
        (port.join("state"), "4: ACTIVE"),
        (port.join("phys_state"), "5: LinkUp"),
        (port.join("link_layer"), "Unspecified"),
        (port.join("rate"), speed),
        (pci.join("vendor"), "0x1d0f"),
        (pci.join("device"), device.pci_id),
        (pci.join("numa_node"), &numa_node),
        (pci.join("uevent"), "DRIVER=efa"),
    ];
    for (path, text) in facts {
        written.overwrite(path, format!("{text}\n"))?;
    }
    Ok(())
}

fn link(target: &str, path: &Path) -> std::io::Result<()> {
    if path.is_symlink() { Ok(()) } else { symlink(target, path) }
}

/// What is not known is left out, so that people can read the file.
fn without_nulls(of: &impl Serialize) -> serde_json::Result<Value> {
    fn pruned(value: Value) -> Value {
        match value {
            Value::Object(map) => {
                let kept = map.into_iter().map(|(key, value)| (key, pruned(value)));
                Value::Object(kept.filter(|(_, value)| !value.is_null() && *value != json!({})).collect())
            }
            Value::Array(list) => list.into_iter().map(pruned).collect(),
            other => other,
        }
    }
    serde_json::to_value(of).map(pruned)
}

fn write_json(path: &Path, value: &Value) -> std::io::Result<()> {
    replace(path, &format!("{value:#}\n"))
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    fs::rename(&new, path)
}
