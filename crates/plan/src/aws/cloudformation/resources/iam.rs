//! IAM: policies and roles.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{properties, resource};
use crate::aws::cloudformation::{Tag, Text};

resource!(ManagedPolicy = "AWS::IAM::ManagedPolicy" {
    description: Text, path: Text, policy_document: PolicyDocument,
});
resource!(Role = "AWS::IAM::Role" {
    description: Text, path: Text, assume_role_policy_document: PolicyDocument, managed_policy_arns: Vec<Text>,
    policies: Vec<InlinePolicy>, tags: Vec<Tag>,
});
resource!(InstanceProfile = "AWS::IAM::InstanceProfile" { path: Text, roles: Vec<Text> });
properties!(InlinePolicy { policy_name: Text, policy_document: PolicyDocument });

/// A policy: who may do what.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    version: &'static str,
    statement: Vec<Statement>,
}

impl PolicyDocument {
    /// A policy of these statements.
    pub fn new(statement: Vec<Statement>) -> Self {
        Self { version: "2012-10-17", statement }
    }
}

/// One statement of a policy.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    sid: String,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Value>,
    action: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource: Vec<Text>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    condition: Map<String, Value>,
}

impl Statement {
    /// Allows these actions.
    pub fn allow(sid: &str, actions: &[&str]) -> Self {
        Self::with(sid, "Allow", actions)
    }

    /// Denies these actions.
    pub fn deny(sid: &str, actions: &[&str]) -> Self {
        Self::with(sid, "Deny", actions)
    }

    fn with(sid: &str, effect: &'static str, actions: &[&str]) -> Self {
        let action = actions.iter().map(|action| (*action).to_owned()).collect();
        Self { sid: sid.to_owned(), effect, principal: None, action, resource: Vec::new(), condition: Map::new() }
    }

    /// On these resources.
    #[must_use]
    pub fn on(mut self, resources: impl IntoIterator<Item = Text>) -> Self {
        self.resource.extend(resources);
        self
    }

    /// For this principal: `"*"`, or `{ "Service": … }`.
    #[must_use]
    pub fn to(mut self, principal: Value) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Only where `operator` holds for `key`.
    #[must_use]
    pub fn only_if(mut self, operator: &str, key: &str, value: Value) -> Self {
        let tests = self.condition.entry(operator).or_insert_with(|| Value::Object(Map::new()));
        tests[key] = value;
        self
    }
}

/// A role's trust in an AWS service that acts for this account only.
pub fn trust_for_us(service: &str) -> PolicyDocument {
    let principal = serde_json::json!({ "Service": service });
    let account = serde_json::json!({ "Ref": "AWS::AccountId" });
    let statement = Statement::allow("Trust", &["sts:AssumeRole"]).to(principal);
    PolicyDocument::new(vec![statement.only_if("StringEquals", "aws:SourceAccount", account)])
}

/// A role's trust in an AWS service.
pub fn trust(service: &str) -> PolicyDocument {
    let principal = serde_json::json!({ "Service": service });
    PolicyDocument::new(vec![Statement::allow("Trust", &["sts:AssumeRole"]).to(principal)])
}
