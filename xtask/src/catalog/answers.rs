//! Recorded answers of `aws ec2 describe-instance-types`. Never panics on any text.

use serde_json::Value;

use super::Input;

/// A page of the AWS CLI has 100 types and some 300 KB; all types of all regions have 5 MB.
const BYTES_MAX: usize = 64 << 20;

/// EC2 has some 1400 types.
const TYPES_MAX: usize = 20_000;

/// The types of an answer, each with its place: the CLI's pages, a bare list, or types by name as moto keeps them.
pub(super) fn read(input: Input<'_>) -> Result<Vec<(String, Value)>, String> {
    let Input { path, text } = input;
    if text.len() > BYTES_MAX {
        return Err(format!("{path}: {} bytes are more than {BYTES_MAX}", text.len()));
    }
    let mut found = Vec::new();
    // The CLI prints several documents in a row when its output is appended page by page.
    let documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    for (number, document) in documents.enumerate() {
        let document = document.map_err(|error| format!("{path}: not JSON: {error}"))?;
        let place = if number == 0 { path.to_owned() } else { format!("{path}: document {}", number + 1) };
        add(&place, document, &mut found)?;
    }
    if found.is_empty() {
        return Err(format!("{path}: there is no instance type in it"));
    }
    Ok(found)
}

fn add(place: &str, document: Value, found: &mut Vec<(String, Value)>) -> Result<(), String> {
    let types: Vec<(String, Value)> = match document {
        Value::Object(mut answer) if answer.contains_key("InstanceTypes") => {
            let Some(Value::Array(types)) = answer.remove("InstanceTypes") else {
                return Err(format!("{place}: InstanceTypes is no list"));
            };
            numbered("InstanceTypes", types)
        }
        Value::Array(types) => numbered("", types),
        Value::Object(types) => types.into_iter().map(|(name, value)| (format!("[{name:?}]"), value)).collect(),
        _ => return Err(format!("{place}: neither an answer of EC2 nor a list")),
    };
    if found.len() + types.len() > TYPES_MAX {
        return Err(format!("{place}: more than {TYPES_MAX} types"));
    }
    found.extend(types.into_iter().map(|(at, value)| (format!("{place}: {at}"), value)));
    Ok(())
}

fn numbered(name: &str, types: Vec<Value>) -> Vec<(String, Value)> {
    types.into_iter().enumerate().map(|(at, value)| (format!("{name}[{at}]"), value)).collect()
}
