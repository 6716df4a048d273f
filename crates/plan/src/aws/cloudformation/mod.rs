//! CloudFormation templates from typed resources. No conditions and no transforms: what a spec does not
//! ask for is not in its template, so that what a person reads is what will be made.

pub mod resources;
mod template;
mod value;

pub use template::{Tag, Template, kind};
pub use value::{Text, attribute, reference, select, sub};

/// A resource type with its properties.
pub trait Resource: serde::Serialize {
    /// Its name in CloudFormation.
    const TYPE: &'static str;
}
