//! An instance type from EC2's own answer (`DescribeInstanceTypes`, as the AWS CLI prints it).
//!
//! The answer is somebody else's text: every value is bounded, and what does not fit is an error with its path.

use std::borrow::Cow;

use serde_json::Value;

use super::{AcceleratorKind, Architecture, Capacity, Column, EfaLayout, Instance, Misfit};

/// The most cards, disks or accelerators of one type that are looked at. EC2's most is 32 cards.
const ITEMS_MAX: usize = 256;

impl Instance {
    /// One element of `InstanceTypes`.
    ///
    /// EC2 does not tell sockets and NVLink: all cores are on one socket, there is no NVLink, and both stand in
    /// `unverified` where it matters.
    pub fn from_api(value: &Value) -> Result<Self, Misfit> {
        let mut instance = Self {
            name: Cow::Owned(text(value, "InstanceType")?.to_owned()),
            architecture: architecture(value)?,
            vcpus: number(value, "VCpuInfo.DefaultVCpus")?,
            sockets: 1,
            cores_per_socket: number(value, "VCpuInfo.DefaultCores")?,
            threads_per_core: number(value, "VCpuInfo.DefaultThreadsPerCore")?,
            memory_mib: number(value, "MemoryInfo.SizeInMiB")?,
            capacity: capacity(value)?,
            cluster_placement: words(value, "PlacementGroupInfo.SupportedStrategies")?.contains(&"cluster"),
            ..Self::default()
        };
        instance.add_accelerators(value)?;
        instance.add_network(value)?;
        instance.add_disks(value)?;
        if instance.cores() > 1 {
            instance.unverified.push(Cow::Borrowed(Column::Sockets.name()));
        }
        if instance.gpu_kind == AcceleratorKind::Gpu && instance.gpus > 1 {
            instance.unverified.push(Cow::Borrowed(Column::NvlinkGbS.name()));
        }
        instance.check()?;
        Ok(instance)
    }

    fn add_accelerators(&mut self, value: &Value) -> Result<(), Misfit> {
        for (path, is_neuron) in [("GpuInfo.Gpus", false), ("NeuronInfo.NeuronDevices", true)] {
            for device in list(value, path)? {
                let within = |misfit: Misfit| Misfit::new(format!("{path}.{}", misfit.place), misfit.reason);
                let model = spelling(text(device, "Name").map_err(within)?);
                let whole = number(device, "Count").map_err(within)?;
                // A part of a GPU has the count 0, and is one device for the machine.
                let parts = optional(device, "LogicalGpuCount").map_err(within)?.unwrap_or(0);
                let count = whole.max(parts);
                if self.gpus > 0 && self.gpu_model != model {
                    return Err(Misfit::new(path, format!("there are `{}` and `{model}`", self.gpu_model)));
                }
                let is_nvidia = device.get("Manufacturer").and_then(Value::as_str).is_some_and(|m| m == "NVIDIA");
                self.gpu_kind = match (is_neuron, is_nvidia) {
                    _ if count == 0 => continue,
                    (true, _) => AcceleratorKind::Neuron,
                    (false, true) => AcceleratorKind::Gpu,
                    (false, false) => AcceleratorKind::Other,
                };
                self.gpus = self.gpus.saturating_add(count);
                self.gpu_model = Cow::Owned(model);
                self.gpu_memory_mib = optional(device, "MemoryInfo.SizeInMiB").map_err(within)?.unwrap_or(0);
            }
        }
        Ok(())
    }

    fn add_network(&mut self, value: &Value) -> Result<(), Misfit> {
        self.network_cards = number(value, "NetworkInfo.MaximumNetworkCards")?;
        self.efa_interfaces = optional(value, "NetworkInfo.EfaInfo.MaximumEfaInterfaces")?.unwrap_or(0);
        let cards = list(value, "NetworkInfo.NetworkCards")?;
        self.efa_layout = match cards {
            _ if self.efa_interfaces == 0 => EfaLayout::None,
            [] | [_] => EfaLayout::Single,
            cards if cards.iter().any(|card| is_first(card) && !carries(card, "efa")) => EfaLayout::Card0Ena,
            cards if cards.iter().all(|card| is_first(card) || carries(card, "efa-only")) => {
                EfaLayout::EfaOnlySecondary
            }
            _ => EfaLayout::EfaSecondary,
        };
        // The cards' own figures do not always add up to the type's, so they only stand in for it.
        let sum =
            |key: &str| cards.iter().try_fold(0_u32, |sum, card| sum.checked_add(mbit_s(&card.get(key)?.to_string())?));
        let said = text(value, "NetworkInfo.NetworkPerformance").unwrap_or_default();
        let (steady, said) = said.strip_prefix("Up to ").map_or((true, said), |rest| (false, rest));
        self.network_peak_mbit_s = performance(said).or_else(|| sum("PeakBandwidthInGbps"));
        self.network_baseline_mbit_s = if steady { self.network_peak_mbit_s } else { sum("BaselineBandwidthInGbps") };
        Ok(())
    }

    fn add_disks(&mut self, value: &Value) -> Result<(), Misfit> {
        let nvme = at(value, "InstanceStorageInfo.NvmeSupport").and_then(Value::as_str);
        if !nvme.is_some_and(|nvme| matches!(nvme, "required" | "supported")) {
            return Ok(());
        }
        for disk in list(value, "InstanceStorageInfo.Disks")? {
            self.nvme_disks = self.nvme_disks.saturating_add(number(disk, "Count")?);
        }
        self.nvme_gb = number(value, "InstanceStorageInfo.TotalSizeInGB")?;
        Ok(())
    }
}

fn architecture(value: &Value) -> Result<Architecture, Misfit> {
    let path = "ProcessorInfo.SupportedArchitectures";
    let known = |word: &&str| match *word {
        "x86_64" | "x86_64_mac" => Some(Architecture::X86_64),
        "arm64" | "arm64_mac" => Some(Architecture::Arm64),
        _ => None,
    };
    let found = words(value, path)?.iter().find_map(known);
    found.ok_or_else(|| Misfit::new(path, "neither x86_64 nor arm64 is there"))
}

fn capacity(value: &Value) -> Result<Capacity, Misfit> {
    let kinds = words(value, "SupportedUsageClasses")?;
    let has = |kind| kinds.contains(&kind);
    Ok(Capacity { on_demand: has("on-demand"), spot: has("spot"), capacity_block: has("capacity-block") })
}

fn is_first(card: &Value) -> bool {
    card.get("NetworkCardIndex").and_then(Value::as_u64) == Some(0)
}

fn carries(card: &Value, interface: &str) -> bool {
    let Some(Value::Array(types)) = card.get("InterfaceTypes") else {
        // Answers from before EFA-only do not say it; there, every card of a type with EFA carries it.
        return interface == "efa";
    };
    types.iter().any(|word| word.as_str() == Some(interface))
}

/// As ParallelCluster writes it into Slurm's configuration: small letters, no blanks.
fn spelling(model: &str) -> String {
    model.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}

/// `8x 100 Gigabit` in Mbit/s; words such as `Moderate` say nothing.
fn performance(said: &str) -> Option<u32> {
    let figure = said.strip_suffix(" Gigabit")?;
    let (times, figure) = figure.split_once("x ").map_or(("1", figure), |(times, figure)| (times, figure));
    mbit_s(figure)?.checked_mul(times.parse().ok()?)
}

/// A decimal number of Gbit/s in Mbit/s. By its digits, so that 0.1 is 100 and nothing is rounded twice.
fn mbit_s(gbit_s: &str) -> Option<u32> {
    let (whole, part) = gbit_s.split_once('.').unwrap_or((gbit_s, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    whole.parse::<u32>().ok()?.checked_mul(1000)?.checked_add(part.parse().ok()?)
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

fn text<'a>(value: &'a Value, path: &str) -> Result<&'a str, Misfit> {
    at(value, path).and_then(Value::as_str).ok_or_else(|| Misfit::new(path, "there is no text"))
}

fn number(value: &Value, path: &str) -> Result<u32, Misfit> {
    optional(value, path)?.ok_or_else(|| Misfit::new(path, "there is no number"))
}

fn optional(value: &Value, path: &str) -> Result<Option<u32>, Misfit> {
    let Some(found) = at(value, path).filter(|found| !found.is_null()) else { return Ok(None) };
    let number = found.as_u64().and_then(|number| u32::try_from(number).ok());
    number.map(Some).ok_or_else(|| Misfit::new(path, "it is no whole number that fits"))
}

fn list<'a>(value: &'a Value, path: &str) -> Result<&'a [Value], Misfit> {
    match at(value, path) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) if items.len() <= ITEMS_MAX => Ok(items),
        Some(Value::Array(items)) => Err(Misfit::new(path, format!("{} are more than {ITEMS_MAX}", items.len()))),
        Some(_) => Err(Misfit::new(path, "it is no list")),
    }
}

fn words<'a>(value: &'a Value, path: &str) -> Result<Vec<&'a str>, Misfit> {
    Ok(list(value, path)?.iter().filter_map(Value::as_str).collect())
}
