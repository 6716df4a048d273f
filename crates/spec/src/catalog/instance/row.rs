//! An instance type as a row of tab-separated text, and back. The same rows give the same bytes.

use std::borrow::Cow;

use super::{AcceleratorKind, Architecture, Capacity, EfaLayout, Instance, Misfit};

/// Text of one field; borrowed from a table that is part of the program, or owned.
pub type Field = Cow<'static, str>;

/// What stands for nothing: an empty list, no model, an unknown number.
const NOTHING: &str = "-";

macro_rules! columns {
    ($($variant:ident $name:literal,)*) => {
        /// A column of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each is the field of `Instance` with that name")]
        pub enum Column { $($variant,)* }

        impl Column {
            /// Every column, in the table's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in the table's first line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The column of that name.
            pub fn of(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

columns! {
    Name "name",
    Architecture "architecture",
    Vcpus "vcpus",
    Sockets "sockets",
    CoresPerSocket "cores_per_socket",
    ThreadsPerCore "threads_per_core",
    MemoryMib "memory_mib",
    Gpus "gpus",
    GpuKind "gpu_kind",
    GpuModel "gpu_model",
    GpuMemoryMib "gpu_memory_mib",
    NvlinkGbS "nvlink_gb_s",
    NetworkCards "network_cards",
    EfaInterfaces "efa_interfaces",
    EfaLayout "efa_layout",
    NetworkBaselineMbitS "network_baseline_mbit_s",
    NetworkPeakMbitS "network_peak_mbit_s",
    NvmeDisks "nvme_disks",
    NvmeGb "nvme_gb",
    Capacity "capacity",
    ClusterPlacement "cluster_placement",
    Unverified "unverified",
}

const ARCHITECTURES: &[(&str, Architecture)] = &[("x86_64", Architecture::X86_64), ("arm64", Architecture::Arm64)];

const KINDS: &[(&str, AcceleratorKind)] = &[
    (NOTHING, AcceleratorKind::None),
    ("gpu", AcceleratorKind::Gpu),
    ("neuron", AcceleratorKind::Neuron),
    ("other", AcceleratorKind::Other),
];

const LAYOUTS: &[(&str, EfaLayout)] = &[
    (NOTHING, EfaLayout::None),
    ("single", EfaLayout::Single),
    ("efa_only_secondary", EfaLayout::EfaOnlySecondary),
    ("efa_secondary", EfaLayout::EfaSecondary),
    ("card0_ena", EfaLayout::Card0Ena),
];

const ANSWERS: &[(&str, bool)] = &[("yes", true), ("no", false)];

/// Reads a table: lines that begin with `#` are comments, the first other line names the columns.
///
/// Every row is checked. The error is its line, the first is 1, and what is wrong there.
pub fn read(text: &'static str) -> Result<Vec<Instance>, (usize, Misfit)> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.is_empty());
    let heading = lines.next().map_or("", |(_, line)| line);
    if !heading.split('\t').eq(Column::ALL.iter().map(|column| column.name())) {
        return Err((1, Misfit::new("columns", "the first row does not name them as they are")));
    }
    let mut instances = Vec::with_capacity(text.len() / 96);
    for (at, line) in lines {
        instances.push(row(line).map_err(|misfit| (at + 1, misfit))?);
    }
    Ok(instances)
}

fn row(line: &'static str) -> Result<Instance, Misfit> {
    let mut instance = Instance::default();
    let mut fields = line.split('\t');
    for column in Column::ALL {
        let field = fields.next().ok_or_else(|| Misfit::new(column.name(), "it is not there"))?;
        instance.set(*column, Cow::Borrowed(field))?;
    }
    if fields.next().is_some() {
        return Err(Misfit::new("columns", "there are more fields than columns"));
    }
    instance.check()?;
    Ok(instance)
}

/// The table's text below its comments: the line of names, then a row for each.
pub fn write(instances: &[Instance]) -> String {
    let heading: Vec<&str> = Column::ALL.iter().map(|column| column.name()).collect();
    let mut text = heading.join("\t");
    text.push('\n');
    for instance in instances {
        let fields: Vec<Cow<'_, str>> = Column::ALL.iter().map(|column| instance.get(*column)).collect();
        text.push_str(&fields.join("\t"));
        text.push('\n');
    }
    text
}

impl Instance {
    /// Sets one column from its text.
    pub fn set(&mut self, column: Column, text: Field) -> Result<(), Misfit> {
        let nothing = text == NOTHING;
        match column {
            Column::Name => self.name = text,
            Column::Architecture => self.architecture = word(column, &text, ARCHITECTURES)?,
            Column::Vcpus => self.vcpus = number(column, &text)?,
            Column::Sockets => self.sockets = number(column, &text)?,
            Column::CoresPerSocket => self.cores_per_socket = number(column, &text)?,
            Column::ThreadsPerCore => self.threads_per_core = number(column, &text)?,
            Column::MemoryMib => self.memory_mib = number(column, &text)?,
            Column::Gpus => self.gpus = number(column, &text)?,
            Column::GpuKind => self.gpu_kind = word(column, &text, KINDS)?,
            Column::GpuModel => self.gpu_model = if nothing { Cow::Borrowed("") } else { text },
            Column::GpuMemoryMib => self.gpu_memory_mib = number(column, &text)?,
            Column::NvlinkGbS => self.nvlink_gb_s = number(column, &text)?,
            Column::NetworkCards => self.network_cards = number(column, &text)?,
            Column::EfaInterfaces => self.efa_interfaces = number(column, &text)?,
            Column::EfaLayout => self.efa_layout = word(column, &text, LAYOUTS)?,
            Column::NetworkBaselineMbitS => self.network_baseline_mbit_s = known(column, &text)?,
            Column::NetworkPeakMbitS => self.network_peak_mbit_s = known(column, &text)?,
            Column::NvmeDisks => self.nvme_disks = number(column, &text)?,
            Column::NvmeGb => self.nvme_gb = number(column, &text)?,
            Column::Capacity => self.capacity = capacity(&text)?,
            Column::ClusterPlacement => self.cluster_placement = word(column, &text, ANSWERS)?,
            Column::Unverified if nothing => self.unverified = Vec::new(),
            Column::Unverified => {
                self.unverified = match text {
                    Cow::Borrowed(text) => text.split(',').map(Cow::Borrowed).collect(),
                    Cow::Owned(text) => text.split(',').map(|name| Cow::Owned(name.to_owned())).collect(),
                }
            }
        }
        Ok(())
    }

    /// One column as text.
    pub fn get(&self, column: Column) -> Cow<'_, str> {
        let number = |number: u32| Cow::Owned(number.to_string());
        let known =
            |number: Option<u32>| number.map_or(Cow::Borrowed(NOTHING), |number| Cow::Owned(number.to_string()));
        match column {
            Column::Name => Cow::Borrowed(&*self.name),
            Column::Architecture => Cow::Borrowed(spelt(self.architecture, ARCHITECTURES)),
            Column::Vcpus => number(self.vcpus),
            Column::Sockets => number(self.sockets),
            Column::CoresPerSocket => number(self.cores_per_socket),
            Column::ThreadsPerCore => number(self.threads_per_core),
            Column::MemoryMib => number(self.memory_mib),
            Column::Gpus => number(self.gpus),
            Column::GpuKind => Cow::Borrowed(spelt(self.gpu_kind, KINDS)),
            Column::GpuModel if self.gpu_model.is_empty() => Cow::Borrowed(NOTHING),
            Column::GpuModel => Cow::Borrowed(&*self.gpu_model),
            Column::GpuMemoryMib => number(self.gpu_memory_mib),
            Column::NvlinkGbS => number(self.nvlink_gb_s),
            Column::NetworkCards => number(self.network_cards),
            Column::EfaInterfaces => number(self.efa_interfaces),
            Column::EfaLayout => Cow::Borrowed(spelt(self.efa_layout, LAYOUTS)),
            Column::NetworkBaselineMbitS => known(self.network_baseline_mbit_s),
            Column::NetworkPeakMbitS => known(self.network_peak_mbit_s),
            Column::NvmeDisks => number(self.nvme_disks),
            Column::NvmeGb => number(self.nvme_gb),
            Column::Capacity => Cow::Owned(listed(&self.capacity.words())),
            Column::ClusterPlacement => Cow::Borrowed(spelt(self.cluster_placement, ANSWERS)),
            Column::Unverified => Cow::Owned(listed(&self.unverified)),
        }
    }
}

impl Capacity {
    /// The kinds that are possible, as the spec writes them.
    pub fn words(self) -> Vec<&'static str> {
        let all = [("on_demand", self.on_demand), ("spot", self.spot), ("capacity_block", self.capacity_block)];
        all.into_iter().filter(|(_, is)| *is).map(|(word, _)| word).collect()
    }
}

fn capacity(text: &str) -> Result<Capacity, Misfit> {
    let mut capacity = Capacity::default();
    for word in text.split(',').filter(|word| *word != NOTHING) {
        match word {
            "on_demand" => capacity.on_demand = true,
            "spot" => capacity.spot = true,
            "capacity_block" => capacity.capacity_block = true,
            _ => return Err(Misfit::new(Column::Capacity.name(), format!("`{word}` is no kind of capacity"))),
        }
    }
    Ok(capacity)
}

fn number(column: Column, text: &str) -> Result<u32, Misfit> {
    // `parse` would take a sign too; a table has one spelling for a number.
    let number = text.as_bytes().first().filter(|b| b.is_ascii_digit()).and_then(|_| text.parse().ok());
    number.ok_or_else(|| Misfit::new(column.name(), format!("`{text}` is no number that fits")))
}

fn known(column: Column, text: &str) -> Result<Option<u32>, Misfit> {
    if text == NOTHING { Ok(None) } else { number(column, text).map(Some) }
}

fn word<T: Copy>(column: Column, text: &str, words: &[(&str, T)]) -> Result<T, Misfit> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.ok_or_else(|| Misfit::new(column.name(), format!("`{text}` is not one of its words")))
}

fn spelt<T: PartialEq + Copy>(value: T, words: &[(&'static str, T)]) -> &'static str {
    words.iter().find(|(_, word)| *word == value).map_or(NOTHING, |(word, _)| word)
}

fn listed<T: AsRef<str>>(words: &[T]) -> String {
    if words.is_empty() {
        return NOTHING.to_owned();
    }
    words.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(",")
}
