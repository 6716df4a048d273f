//! The licence texts of everything that is linked, as one file: most licences ask that they travel with the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

/// How a licence's file is called, in capitals.
const NAMES: &[&str] = &["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// The texts of these packages, each once, with the names of those that it is of. `more` are texts of what is linked
/// beside packages: a name and a text.
pub fn notices(metadata: &Value, linked: &BTreeSet<String>, more: &[(String, String)]) -> Result<String, String> {
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let field = |key: &str| package[key].as_str().unwrap_or_default();
        if !linked.contains(field("id")) || package["source"].is_null() {
            continue;
        }
        let name = format!("{} {} ({})", field("name"), field("version"), field("license"));
        let folder = Path::new(field("manifest_path")).parent().unwrap_or(Path::new("."));
        let found = texts_in(folder)?;
        if found.is_empty() {
            without.push(name.clone());
        }
        for text in found {
            texts.entry(text).or_default().insert(name.clone());
        }
    }
    for (name, text) in more {
        texts.entry(text.trim_end().to_owned()).or_default().insert(name.clone());
    }
    let mut all = String::from("trainyard is linked with the work of others. These are their licences.\n");
    // By the first name that a text is of.
    let mut texts: Vec<(BTreeSet<String>, String)> = texts.into_iter().map(|(text, names)| (names, text)).collect();
    texts.sort();
    for (names, text) in texts {
        let _ = write!(all, "\n{}\n", "=".repeat(80));
        for name in names {
            let _ = writeln!(all, "{name}");
        }
        let _ = write!(all, "{}\n\n{text}\n", "-".repeat(80));
    }
    if !without.is_empty() {
        let _ = write!(all, "\n{}\nwithout a text of their own:\n{}\n", "=".repeat(80), without.join("\n"));
    }
    Ok(all)
}

fn texts_in(folder: &Path) -> Result<Vec<String>, String> {
    let say = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(say)? {
        let entry = entry.map_err(say)?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if NAMES.iter().any(|known| name.starts_with(known)) && entry.path().is_file() {
            let bytes = std::fs::read(entry.path()).map_err(say)?;
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").replace('\u{c}', "");
            texts.push(text.trim_end().to_owned());
        }
    }
    Ok(texts)
}
