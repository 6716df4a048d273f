//! Names of nodes as Slurm shortens them.

use trainyard_spec::hostlist;

use crate::{Target, seeds};

pub(super) static TARGET: Target = Target {
    name: "hostlist",
    about: "names of nodes as Slurm shortens them: q-st-r-[1-8,10]",
    seeds: || {
        seeds::texts(&["q-st-r-[1-8,10],q-dy-r-[001-004]", "a[1-2]b[3-4]", "a,b,c", "n-[99999990-99999999]", "x[", "]"])
    },
    run,
};

fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(names) = hostlist::expand(text) {
        assert!(names.len() <= hostlist::HOSTS_MAX, "{} names", names.len());
        assert!(names.iter().all(|name| !name.contains(['[', ']'])), "{names:?}");
    }
}
