//! A template: parameters, resources and outputs, in the order in which they were added.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Resource, Text, reference};
use crate::aws::wire::Wire;

/// A CloudFormation template under construction.
#[derive(Debug, Clone)]
pub struct Template {
    description: String,
    parameters: Map<String, Value>,
    resources: Map<String, Value>,
    outputs: Map<String, Value>,
    reads: Vec<(String, Wire)>,
    tags: Vec<(String, String)>,
}

/// What happens to a resource when its stack goes, or no longer has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes with the stack.
    Goes,
    /// It holds something, which goes with the stack on purpose.
    IsLost,
    /// It stays, with what is in it.
    Stays,
}

/// Types of parameters, as the console checks them.
pub mod kind {
    pub const TEXT: &str = "String";
    pub const VPC: &str = "AWS::EC2::VPC::Id";
    pub const SUBNET: &str = "AWS::EC2::Subnet::Id";
    pub const SECURITY_GROUP: &str = "AWS::EC2::SecurityGroup::Id";
    pub const ZONE: &str = "AWS::EC2::AvailabilityZone::Name";
}

impl Template {
    /// An empty template. `tags` go onto everything that takes them by `tags()`.
    pub fn new(description: impl Into<String>, tags: &[(String, String)]) -> Self {
        Self {
            description: description.into(),
            parameters: Map::new(),
            resources: Map::new(),
            outputs: Map::new(),
            reads: Vec::new(),
            tags: tags.to_vec(),
        }
    }

    /// A parameter that takes what another stack gave out, or an id that the spec names.
    /// Asked for twice, it is one parameter.
    pub fn reads(&mut self, name: &str, kind: &str, about: &str, from: &Wire) -> Text {
        if !self.parameters.contains_key(name) {
            let mut parameter = json!({ "Type": kind, "Description": about });
            if let Wire::Known(value) = from {
                // So that the template can be put into the console as it is.
                parameter["Default"] = value.as_str().into();
            }
            self.parameters.insert(name.to_owned(), parameter);
            self.reads.push((name.to_owned(), from.clone()));
        }
        reference(name)
    }

    /// Adds a resource.
    #[allow(clippy::needless_pass_by_value)] // a draft ends here
    pub fn add<R: Resource>(&mut self, name: &str, resource: R) -> Text {
        self.put(name, &resource, Fate::Goes, &[])
    }

    /// Adds a resource that is made after others to which its properties do not point.
    #[allow(clippy::needless_pass_by_value)] // a draft ends here
    pub fn add_after<R: Resource>(&mut self, name: &str, resource: R, after: &[&str]) -> Text {
        self.put(name, &resource, Fate::Goes, after)
    }

    /// Adds a resource that outlives its stack.
    #[allow(clippy::needless_pass_by_value)] // a draft ends here
    pub fn keep<R: Resource>(&mut self, name: &str, resource: R) -> Text {
        self.put(name, &resource, Fate::Stays, &[])
    }

    /// Adds a resource that outlives its stack and is made after others to which its properties do not point.
    #[allow(clippy::needless_pass_by_value)] // a draft ends here
    pub fn keep_after<R: Resource>(&mut self, name: &str, resource: R, after: &[String]) -> Text {
        let after: Vec<&str> = after.iter().map(String::as_str).collect();
        self.put(name, &resource, Fate::Stays, &after)
    }

    /// Adds a resource whose content goes with its stack, and says so.
    #[allow(clippy::needless_pass_by_value)] // a draft ends here
    pub fn lose<R: Resource>(&mut self, name: &str, resource: R) -> Text {
        self.put(name, &resource, Fate::IsLost, &[])
    }

    fn put<R: Resource>(&mut self, name: &str, resource: &R, fate: Fate, after: &[&str]) -> Text {
        let mut body = Map::new();
        body.insert("Type".into(), R::TYPE.into());
        let policy = match fate {
            Fate::Goes => None,
            Fate::IsLost => Some("Delete"),
            Fate::Stays => Some("Retain"),
        };
        if let Some(policy) = policy {
            // What could not be made whole has no data yet: retained, it would stand in the way of the next attempt.
            let deletion = if fate == Fate::Stays { "RetainExceptOnCreate" } else { policy };
            body.insert("DeletionPolicy".into(), deletion.into());
            body.insert("UpdateReplacePolicy".into(), policy.into());
        }
        if !after.is_empty() {
            body.insert("DependsOn".into(), json!(after));
        }
        body.insert("Properties".into(), value(resource));
        self.resources.insert(name.to_owned(), body.into());
        reference(name)
    }

    /// Gives something out to the stacks after this one, and to people.
    #[allow(clippy::needless_pass_by_value)] // as with resources: it is made for this
    pub fn output(&mut self, name: &str, about: &str, value: Text) {
        self.outputs.insert(name.to_owned(), json!({ "Description": about, "Value": self::value(&value) }));
    }

    /// The tags that everything carries, with a name for the console.
    pub fn tags(&self, name: &str) -> Vec<Tag> {
        let name = Tag { key: "Name".into(), value: name.into() };
        std::iter::once(name).chain(self.plain_tags()).collect()
    }

    /// The tags that everything carries, where a name has no meaning.
    pub fn plain_tags(&self) -> impl Iterator<Item = Tag> {
        self.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone().into() })
    }

    /// What each parameter takes.
    pub fn wires(&self) -> &[(String, Wire)] {
        &self.reads
    }

    /// Whether it makes anything.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// Whether it makes roles or policies, which CloudFormation wants to be told.
    pub fn makes_iam(&self) -> bool {
        self.resources.values().any(|body| body["Type"].as_str().is_some_and(|kind| kind.starts_with("AWS::IAM::")))
    }

    /// The template as data.
    pub fn to_value(&self) -> Value {
        let mut root = Map::new();
        root.insert("AWSTemplateFormatVersion".into(), "2010-09-09".into());
        root.insert("Description".into(), self.description.as_str().into());
        for (section, content) in
            [("Parameters", &self.parameters), ("Resources", &self.resources), ("Outputs", &self.outputs)]
        {
            if !content.is_empty() {
                root.insert(section.into(), content.clone().into());
            }
        }
        root.into()
    }
}

/// A tag.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    pub key: String,
    pub value: Text,
}

/// Our own types always serialize; a `null` would be caught by the test that looks for holes.
pub fn value(from: &impl Serialize) -> Value {
    serde_json::to_value(from).unwrap_or(Value::Null)
}
