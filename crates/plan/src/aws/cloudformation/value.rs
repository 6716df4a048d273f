//! Values of a template: literals and CloudFormation's functions, in their long form.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Text that CloudFormation may have to work out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// As it stands.
    Is(String),
    /// A parameter, a pseudo parameter, or a resource's reference.
    Ref(String),
    /// An attribute of a resource.
    Attribute(String, String),
    /// Text with `${Names}` in it.
    Sub(String),
    /// One of a list.
    Select(u32, Box<Text>),
    /// Parts with something between them.
    Join(String, Vec<Text>),
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Self::Is(text) = self {
            return serializer.serialize_str(text);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Is(_) => {}
            Self::Ref(name) => map.serialize_entry("Ref", name)?,
            Self::Attribute(resource, attribute) => map.serialize_entry("Fn::GetAtt", &[resource, attribute])?,
            Self::Sub(text) => map.serialize_entry("Fn::Sub", text)?,
            Self::Select(index, list) => map.serialize_entry("Fn::Select", &(index, list))?,
            Self::Join(between, parts) => map.serialize_entry("Fn::Join", &(between, parts))?,
        }
        map.end()
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self::Is(text.into())
    }
}

/// A parameter, a pseudo parameter, or a resource's reference.
pub fn reference(name: &str) -> Text {
    Text::Ref(name.to_owned())
}

/// An attribute of a resource.
pub fn attribute(resource: &str, attribute: &str) -> Text {
    Text::Attribute(resource.to_owned(), attribute.to_owned())
}

/// One of a list.
pub fn select(index: u32, list: Text) -> Text {
    Text::Select(index, Box::new(list))
}

/// Text with `${Names}` in it.
pub fn sub(text: impl Into<String>) -> Text {
    Text::Sub(text.into())
}
