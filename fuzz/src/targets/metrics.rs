//! Metrics of other programs.

use trainyard_node::foreign::text::parse;
use trainyard_node::sheet::{Labels, Sheet};

use super::must_be_a_page;
use crate::{Target, seeds};

pub(super) static TARGET: Target = Target {
    name: "metrics",
    about: "metrics that other programs leave in files",
    seeds: || {
        seeds::texts(&[
            "# HELP a_total What \\\\ it\\n counts.\n# TYPE a_total counter\na_total{b=\"c\\\"\",d=\"\"} 1\na_total 2e3\n",
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n# TYPE s summary\ns{quantile=\"0.5\"} NaN\n\
             s_sum 1\ns_count -Inf\n",
            "a_total{b=\"c\"} 1 1700000000000\n",
            "u{replay=\"mine\",exported_replay=\"too\"} 1\n",
        ])
    },
    run,
};

/// So many series are taken of a text.
const MOST: usize = 100;

fn run(data: &[u8]) {
    let Ok(families) = parse(&String::from_utf8_lossy(data), MOST) else { return };
    let samples: usize = families.iter().map(|family| family.samples.len()).sum();
    assert!(samples <= MOST && families.iter().all(|family| !family.samples.is_empty()));
    let mut sheet = Sheet::with_constant(&Labels::new(&[("replay", "p5")]));
    for family in families {
        sheet.put_foreign(family);
    }
    must_be_a_page(sheet);
}
