//! What stays after `down`, by the name that `--delete-data` takes, with what it costs a month.

use trainyard_spec::model::{Accounting, Choice, Directory, Home, Lustre, Shared};

use super::{HOURS, rate};
use crate::aws::stacks::{ChosenLustre, Stack};
use crate::aws::target::Keepsake;
use crate::aws::{Context, names};

/// What each stack that stays goes on costing, in the order in which they are made.
pub fn keeps(context: &Context<'_>) -> Vec<Keepsake> {
    context.stacks.iter().filter(|stack| stack.kind.stays.is_some()).map(|stack| keepsake(context, stack)).collect()
}

fn keepsake(context: &Context<'_>, stack: &Stack) -> Keepsake {
    let spec = context.spec;
    let (name, what, cost) = match stack.name {
        "data" => ("data", buckets(context), Cost::by_use("s3_standard", "a GiB")),
        "storage" => match &spec.storage.shared {
            Shared::Lustre(lustre) => {
                ("fsx", format!("FSx for Lustre, {} GiB", lustre.size_gib), lustre_cost(context, lustre))
            }
            Shared::Existing { .. } | Shared::None {} => ("fsx", String::new(), Cost::nothing()),
        },
        "home" => ("home", home(&spec.storage.home), home_cost(&spec.storage.home)),
        "accounting" => ("accounting", "Aurora database of Slurm's job records".to_owned(), accounting(context)),
        "directory" => {
            ("directory", directory(context), Cost::monthly(rate("managed_ad_standard").map(|usd| usd * HOURS * 2.0)))
        }
        "network" => ("network", "VPC, subnets, groups".to_owned(), Cost::nothing()),
        other => (other, stack.kind.about.split(':').next().unwrap_or(other).to_owned(), Cost::nothing()),
    };
    Keepsake {
        name: name.to_owned(),
        stack_name: names::stack(spec, stack.name),
        what,
        monthly_cents: cost.monthly_cents,
        by_use: cost.by_use,
        because: stack.kind.stays.unwrap_or_default().to_owned(),
        has_data: !matches!(stack.name, "network" | "budget"),
    }
}

struct Cost {
    monthly_cents: Option<u64>,
    by_use: Option<String>,
}

impl Cost {
    fn nothing() -> Self {
        Self { monthly_cents: Some(0), by_use: None }
    }

    fn monthly(usd: Option<f64>) -> Self {
        // Cents of positive prices, far below what an f64 holds.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let monthly_cents = usd.map(|usd| (usd * 100.0).round() as u64);
        Self { monthly_cents, by_use: None }
    }

    fn by_use(key: &str, unit: &str) -> Self {
        Self { monthly_cents: None, by_use: rate(key).map(|usd| format!("${usd} {unit}")) }
    }

    fn and(self, key: &str, unit: &str) -> Self {
        Self { by_use: rate(key).map(|usd| format!("${usd} {unit}")), ..self }
    }
}

fn buckets(context: &Context<'_>) -> String {
    let data = context.spec.storage.data_bucket.as_ref().filter(|bucket| !bucket.existing);
    match data {
        Some(bucket) => format!("bucket {} and the bucket of the nodes' files", bucket.name),
        None => "bucket of the nodes' files".to_owned(),
    }
}

fn lustre_cost(context: &Context<'_>, lustre: &Lustre) -> Cost {
    let chosen = ChosenLustre::new(context, lustre);
    let key = match (chosen.deployment, chosen.throughput) {
        ("PERSISTENT_1", Some(throughput)) => format!("fsx_lustre_persistent_1_ssd_{throughput}"),
        (_, Some(throughput)) => format!("fsx_lustre_persistent_2_ssd_{throughput}"),
        (_, None) => "fsx_lustre_scratch_2".to_owned(),
    };
    // Some IOPS come with the size; what is asked for beyond them is paid for.
    let metadata = match lustre.metadata_iops {
        Choice::Given(iops) => {
            let beyond = f64::from(iops) - 1.25 * f64::from(lustre.size_gib);
            rate("fsx_lustre_metadata_iops").map(|usd| usd * beyond.max(0.0))
        }
        Choice::Auto(_) => Some(0.0),
    };
    let size = rate(&key).map(|usd| usd * f64::from(lustre.size_gib));
    Cost::monthly(size.zip(metadata).map(|(size, metadata)| size + metadata))
}

fn home(home: &Home) -> String {
    match home {
        Home::Volume { size_gib } => format!("gp3 volume of /home, {size_gib} GiB"),
        Home::Openzfs { size_gib, throughput_mb_s, .. } => {
            format!("FSx for OpenZFS of /home, {size_gib} GiB, {throughput_mb_s} MB/s")
        }
        Home::Existing { .. } | Home::Ephemeral {} => String::new(),
    }
}

fn home_cost(home: &Home) -> Cost {
    match home {
        Home::Volume { size_gib } => Cost::monthly(rate("ebs_gp3").map(|usd| usd * f64::from(*size_gib))),
        Home::Openzfs { size_gib, throughput_mb_s, multi_zone } => {
            let kind = if *multi_zone { "multi_az_1" } else { "single_az_ha_2" };
            let of =
                |what: &str, count: u32| rate(&format!("fsx_openzfs_{kind}_{what}")).map(|usd| usd * f64::from(count));
            let sum = of("ssd", *size_gib).zip(of("throughput", *throughput_mb_s)).map(|(size, speed)| size + speed);
            Cost::monthly(sum)
        }
        Home::Existing { .. } | Home::Ephemeral {} => Cost::nothing(),
    }
}

fn accounting(context: &Context<'_>) -> Cost {
    let Some(Accounting::New { min_acu, .. }) = &context.spec.accounting else { return Cost::nothing() };
    Cost::monthly(rate("aurora_serverless_v2").map(|usd| usd * HOURS * f64::from(*min_acu)))
        .and("aurora_storage", "a GiB of records")
}

fn directory(context: &Context<'_>) -> String {
    match &context.spec.directory {
        Some(Directory::New { .. }) => "Managed Microsoft AD, with people's accounts".to_owned(),
        Some(Directory::Existing(_)) | None => String::new(),
    }
}
