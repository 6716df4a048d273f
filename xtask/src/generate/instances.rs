//! `docs/instances.md`: the instance types whose hardware is known.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::instance::{AcceleratorKind, Architecture, Column, EfaLayout, Instance, read};

use super::{Ask, MARK, Reference};

pub(super) static REFERENCE: Reference = Reference { path: "docs/instances.md", compose };

/// The table that the program carries too.
const TABLE: &str = include_str!("../../../crates/spec/src/catalog/instances.tsv");

/// Stands behind a value that nobody has seen.
const UNVERIFIED: &str = " ?";

fn compose(_: Ask<'_>) -> Result<String, String> {
    let instances = read(TABLE).map_err(|(line, misfit)| format!("{}:{line}: {misfit}", crate::catalog::TABLE))?;
    let (accelerated, plain): (Vec<&Instance>, Vec<&Instance>) =
        instances.iter().partition(|instance| instance.gpu_kind != AcceleratorKind::None);
    let mut lines = vec![
        MARK.to_owned(),
        "\n# Instance types\n".to_owned(),
        format!(
            "The {} types whose hardware is known without asking AWS; a rehearsal declares it to Slurm. A type that is \
             not here can be used too: say its `hardware` in the spec.\n",
            instances.len()
        ),
        format!(
            "A value with `{}` was not seen on such a machine; it follows from something else.\n",
            UNVERIFIED.trim()
        ),
    ];
    lines.extend(source());
    lines.push("\n## With GPUs or Neuron devices\n".to_owned());
    lines.push(
        "NVLink is per GPU and one way. `+1` card: the first network card carries IP only, and EFA is on the others.\n"
            .to_owned(),
    );
    lines.push(
        "| type | accelerators | memory each | NVLink | vCPUs | sockets × cores × threads | memory | EFA | network \
         | NVMe | capacity |\n|---|---|---|---|---|---|---|---|---|---|---|"
            .to_owned(),
    );
    lines.extend(accelerated.into_iter().map(row));
    lines.push("\n## Without\n".to_owned());
    lines.push(
        "| family | architecture | sizes | vCPUs | memory | EFA | network at most |\n|---|---|---|---|---|---|---|"
            .to_owned(),
    );
    let mut families: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
    for instance in plain {
        families.entry(instance.family()).or_default().push(instance);
    }
    lines.extend(families.iter().map(|(name, members)| family(name, members)));
    lines.push(String::new());
    Ok(lines.join("\n"))
}

/// The first paragraph of the table's comment that names the source.
fn source() -> Option<String> {
    let comment = TABLE.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    let lines: Vec<&str> =
        comment.skip_while(|line| !line.starts_with("Source: ")).take_while(|line| !line.is_empty()).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn row(instance: &Instance) -> String {
    let marked = |text: String, columns: &[Column]| {
        let is_seen = columns.iter().all(|column| instance.is_verified(*column));
        if is_seen { text } else { format!("{text}{UNVERIFIED}") }
    };
    let none = |is: bool, text: String| if is { text } else { "–".to_owned() };
    let shape = format!("{} × {} × {}", instance.sockets, instance.cores_per_socket, instance.threads_per_core);
    let first = if instance.efa_layout == EfaLayout::Card0Ena { " +1" } else { "" };
    let cells = [
        format!("`{}`", instance.name),
        marked(format!("{} × {}", instance.gpus, instance.gpu_model), &[Column::Gpus, Column::GpuModel]),
        marked(gib(instance.gpu_memory_mib), &[Column::GpuMemoryMib]),
        marked(none(instance.nvlink_gb_s > 0, format!("{} GB/s", instance.nvlink_gb_s)), &[Column::NvlinkGbS]),
        marked(instance.vcpus.to_string(), &[Column::Vcpus]),
        marked(shape, &[Column::Sockets]),
        marked(gib(instance.memory_mib), &[Column::MemoryMib]),
        marked(
            none(instance.efa_interfaces > 0, format!("{}{first}", instance.efa_interfaces)),
            &[Column::EfaInterfaces, Column::EfaLayout],
        ),
        marked(network(instance), &[Column::NetworkPeakMbitS]),
        marked(
            none(instance.nvme_disks > 0, format!("{} × {} GB", instance.nvme_disks, nvme(instance))),
            &[Column::NvmeGb],
        ),
        marked(
            instance.capacity.words().iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            &[Column::Capacity],
        ),
    ];
    format!("| {} |", cells.join(" | "))
}

fn family(name: &str, members: &[&Instance]) -> String {
    let range = |of: &dyn Fn(&Instance) -> u32, text: &dyn Fn(u32) -> String| {
        let least = members.iter().map(|member| of(member)).min().unwrap_or_default();
        let most = members.iter().map(|member| of(member)).max().unwrap_or_default();
        if least == most { text(most) } else { format!("{} to {}", text(least), text(most)) }
    };
    let architectures: BTreeSet<&str> = members.iter().map(|member| architecture(member.architecture)).collect();
    let mut by_size = members.to_vec();
    by_size.sort_by_key(|member| (member.vcpus, member.memory_mib, member.name.len()));
    let size = |member: &&Instance| member.name.split_once('.').map_or("", |(_, size)| size).to_owned();
    let sizes: Vec<String> = by_size.iter().map(size).collect();
    let mut efa: Vec<String> = by_size.iter().filter(|member| member.efa_interfaces > 0).map(size).collect();
    if efa.is_empty() {
        efa.push("–".to_owned());
    }
    let peak = members.iter().max_by_key(|member| member.network_peak_mbit_s);
    let cells = [
        format!("`{name}`"),
        architectures.into_iter().collect::<Vec<_>>().join(", "),
        sizes.join(", "),
        range(&|member| member.vcpus, &|number| number.to_string()),
        range(&|member| member.memory_mib, &gib),
        efa.join(", "),
        peak.map_or_else(String::new, |member| network(member)),
    ];
    format!("| {} |", cells.join(" | "))
}

fn architecture(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "arm64",
    }
}

fn network(instance: &Instance) -> String {
    instance.network_peak_mbit_s.map_or("–".to_owned(), |mbit_s| format!("{} Gbit/s", thousandths(mbit_s)))
}

fn nvme(instance: &Instance) -> u32 {
    instance.nvme_gb.checked_div(instance.nvme_disks).unwrap_or_default()
}

/// MiB as GiB, with as many decimals as it has, at most two.
fn gib(mib: u32) -> String {
    let hundredths = u64::from(mib) * 100 / 1024;
    format!("{} GiB", plain(hundredths / 100, &format!("{:02}", hundredths % 100)))
}

fn thousandths(number: u32) -> String {
    plain(u64::from(number / 1000), &format!("{:03}", number % 1000))
}

fn plain(whole: u64, part: &str) -> String {
    match part.trim_end_matches('0') {
        "" => whole.to_string(),
        part => format!("{whole}.{part}"),
    }
}
