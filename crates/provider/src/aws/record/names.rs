//! The words that a record may say: fields, error codes, statuses and resource types, from AWS's own models.
//!
//! Everything else is data of the account until somebody has looked at it, and is not written down.

use std::collections::HashSet;
use std::sync::LazyLock;

const TABLE: &str = include_str!("names.tsv");

/// The name itself, where AWS's models have a field of that name in the answers to what is asked here.
pub fn field(name: &str) -> Option<&'static str> {
    NAMES.fields.get(name).copied()
}

/// Whether the keys below that field are data: attributes of a table, tags, parameters.
pub fn is_map(name: &str) -> bool {
    NAMES.maps.contains(name)
}

/// The code itself, where it is one of AWS's.
pub fn code(code: &str) -> Option<&'static str> {
    NAMES.codes.get(code).copied()
}

/// `StackStatus=CREATE_COMPLETE`, `ResourceType=AWS::EC2::VPC`: a value of that field that says nothing of the account.
pub fn value(field: &str, value: &str) -> Option<String> {
    let is_type = field == "ResourceType" && NAMES.types.contains(value);
    let is_open = is_type || NAMES.statuses.contains(&(field, value));
    is_open.then(|| format!("{field}={value}"))
}

struct Names {
    fields: HashSet<&'static str>,
    maps: HashSet<&'static str>,
    codes: HashSet<&'static str>,
    types: HashSet<&'static str>,
    statuses: HashSet<(&'static str, &'static str)>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let rows = |kind: &'static str| {
        TABLE.lines().filter_map(move |line| line.strip_prefix(kind).and_then(|rest| rest.strip_prefix('\t')))
    };
    Names {
        fields: rows("field").collect(),
        maps: rows("map").collect(),
        codes: rows("code").collect(),
        types: rows("type").collect(),
        statuses: rows("status").filter_map(|row| row.split_once('\t')).collect(),
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_words_of_every_kind() {
        for name in ["StackName", "reservationSet", "CommandId"] {
            assert_eq!(field(name), Some(name));
        }
        assert_eq!([field("trainyard"), field(""), field("*")], [None; 3]);
        assert!(is_map("Item") && is_map("tags") && !is_map("Stacks"));
        assert_eq!(code("InvalidKeyPair.NotFound"), Some("InvalidKeyPair.NotFound"));
        assert_eq!(code("123456789012"), None);
        assert_eq!(value("StackStatus", "CREATE_COMPLETE").as_deref(), Some("StackStatus=CREATE_COMPLETE"));
        assert_eq!(value("StackName", "CREATE_COMPLETE"), None);
        assert_eq!(value("StackStatus", "my-cluster"), None);
    }

    #[test]
    fn resource_types_are_those_of_aws() {
        let said = |text: &str| value("ResourceType", text).is_some();
        assert!(said("AWS::EC2::VPC") && said("AWS::Route53::HostedZone"));
        assert!(!said("Custom::Alice") && !said("AWS::EC2::Alice") && !said("AWS::EC2") && !said(""));
    }
}
