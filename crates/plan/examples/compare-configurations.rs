//! Says what `up` would say of the change from one ParallelCluster configuration to another, for judges that are not
//! written in Rust.
//!
//! Reads lines `VERSION<TAB>OLD<TAB>NEW` (paths), writes for each a JSON list of `{path, policy, effect}`.

use std::error::Error;
use std::io::{BufRead as _, Write as _};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut fields = line.split('\t');
        let mut next = || fields.next().ok_or("VERSION<TAB>OLD<TAB>NEW");
        let (version, old, new) = (next()?, next()?, next()?);
        let read = |path: &str| -> Result<serde_json::Value, Box<dyn Error>> {
            Ok(trainyard_spec::source::data(&std::fs::read_to_string(path)?).ok_or("no YAML")?)
        };
        let changes = trainyard_plan::aws::update::changes(version, &read(old)?, &read(new)?);
        let rows: Vec<_> = changes
            .iter()
            .map(|change| serde_json::json!({ "path": change.path, "policy": change.policy, "effect": change.effect }))
            .collect();
        writeln!(out, "{}", serde_json::to_string(&rows)?)?;
    }
    Ok(())
}
