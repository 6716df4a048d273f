//! Managed Prometheus and Grafana, log groups, budgets.

use super::{properties, resource};
use crate::aws::cloudformation::{Tag, Text};

resource!(LogGroup = "AWS::Logs::LogGroup" { log_group_name: Text, retention_in_days: u32, tags: Vec<Tag> });
resource!(PrometheusWorkspace = "AWS::APS::Workspace" {
    alias: Text, logging_configuration: PrometheusLogging, workspace_configuration: WorkspaceConfiguration, tags: Vec<Tag>,
});
properties!(PrometheusLogging { log_group_arn: Text });
properties!(WorkspaceConfiguration { retention_period_in_days: u32 });
resource!(GrafanaWorkspace = "AWS::Grafana::Workspace" {
    name: Text, description: Text, account_access_type: Text, authentication_providers: Vec<Text>, permission_type: Text,
    role_arn: Text, data_sources: Vec<Text>,  plugin_admin_enabled: bool,
});
resource!(Budget = "AWS::Budgets::Budget" {
    budget: BudgetData, notifications_with_subscribers: Vec<Notification>,
});
properties!(BudgetData {  budget_type: Text, time_unit: Text, budget_limit: Spend,
    cost_filters: serde_json::Map<String, serde_json::Value>,
});
properties!(Spend { amount: f64, unit: Text });
properties!(Notification { notification: NotificationRule, subscribers: Vec<Subscriber> });
properties!(NotificationRule {
    notification_type: Text,
    comparison_operator: Text,
    threshold: f64,
    threshold_type: Text,
});
properties!(Subscriber { subscription_type: Text, address: Text });
