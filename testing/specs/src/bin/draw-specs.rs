//! Writes random specs for AWS into a folder, for judges that are not written in Rust.
//!
//! `draw-specs FOLDER COUNT SEED`: the same numbers give the same files, `000.yaml` and on; `reach.tsv` beside them
//! tells for each field of the spec in how many of them it is set.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: draw-specs FOLDER COUNT SEED");
    let (folder, count, seed) = (PathBuf::from(next()?), next()?.parse::<usize>()?, next()?.parse::<u8>()?);
    fs_err::create_dir_all(&folder)?;
    let specs = testing_specs::fixed("aws", count, seed);
    for (number, text) in specs.iter().enumerate() {
        fs_err::write(folder.join(format!("{number:03}.yaml")), text)?;
    }
    // What specs may name beside themselves.
    for number in 0..3 {
        let folder = folder.join(format!("node-files/{number}"));
        fs_err::create_dir_all(&folder)?;
        fs_err::write(folder.join("setup.sh"), "#!/bin/sh\nexit 0\n")?;
    }
    let mut rows = Vec::new();
    for share in testing_specs::coverage(&specs) {
        writeln!(rows, "{}\t{}", share.specs, share.field)?;
    }
    fs_err::write(folder.join("reach.tsv"), rows)?;
    Ok(())
}
