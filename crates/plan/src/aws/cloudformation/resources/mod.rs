//! The resource types that our stacks use, with the properties that they use.
//!
//! Source: the CloudFormation template reference. Each is optional here; cfn-lint, which knows what is
//! required and what fits together, judges every template of every example in the tests.

// The names of properties are CloudFormation's, and each has a setter that takes the draft on.
#![allow(clippy::struct_field_names, clippy::wrong_self_convention)]

pub mod database;
pub mod directory;
pub mod ec2;
pub mod iam;
pub mod observability;
pub mod storage;

/// Declares a resource type: a struct with optional properties and a setter for each.
macro_rules! resource {
    ($(#[doc = $doc:literal])* $name:ident = $kind:literal { $($field:ident $(= $rename:literal)? : $type:ty),* $(,)? }) => {
        $crate::aws::cloudformation::resources::properties! {
            $(#[doc = $doc])* $name { $($field $(= $rename)? : $type),* }
        }
        impl $crate::aws::cloudformation::Resource for $name {
            const TYPE: &'static str = $kind;
        }
    };
}

/// Declares a group of properties: a struct with optional fields and a setter for each.
macro_rules! properties {
    ($(#[doc = $doc:literal])* $name:ident { $($field:ident $(= $rename:literal)? : $type:ty),* $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Default, serde::Serialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $name {
            $(#[serde(skip_serializing_if = "Option::is_none" $(, rename = $rename)?)] $field: Option<$type>,)*
        }
        impl $name {
            /// Without properties.
            pub fn new() -> Self {
                Self::default()
            }
            $(
                /// Sets the property.
                #[must_use]
                pub fn $field(mut self, value: impl Into<$type>) -> Self {
                    self.$field = Some(value.into());
                    self
                }
            )*
        }
    };
}

pub(crate) use {properties, resource};
