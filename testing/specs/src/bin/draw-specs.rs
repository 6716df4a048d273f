//! Writes random specs for AWS into a folder, for judges that are not written in Rust.
//!
//! `draw-specs FOLDER COUNT SEED`: the same numbers give the same files, `000.yaml` and on.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: draw-specs FOLDER COUNT SEED");
    let (folder, count, seed) = (PathBuf::from(next()?), next()?.parse::<usize>()?, next()?.parse::<u8>()?);
    fs_err::create_dir_all(&folder)?;
    for (number, text) in testing_specs::fixed("aws", count, seed).into_iter().enumerate() {
        fs_err::write(folder.join(format!("{number:03}.yaml")), text)?;
    }
    Ok(())
}
