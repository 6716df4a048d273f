//! Where metrics are kept and shown: Amazon Managed Prometheus and Grafana, or an instance of one's own.

mod self_hosted;

use trainyard_spec::model::MonitoringMode;

use super::StackKind;
use crate::aws::cloudformation::resources::iam::{InlinePolicy, PolicyDocument, Role, Statement, trust_for_us};
use crate::aws::cloudformation::resources::observability::{
    GrafanaWorkspace, LogGroup, PrometheusLogging, PrometheusWorkspace, WorkspaceConfiguration,
};
use crate::aws::cloudformation::{Template, Text, attribute, reference, sub};
use crate::aws::{Context, names};

pub(super) static STACK: StackKind = StackKind {
    name: "monitoring",
    about: "Monitoring: where metrics are kept and shown.",
    stays: None,
    seconds: 330,
    fill,
};

fn fill(context: &Context<'_>, template: &mut Template) {
    match context.spec.monitoring.mode {
        MonitoringMode::None => {}
        MonitoringMode::SelfHosted => self_hosted::fill(context, template),
        MonitoringMode::Amp => prometheus(context, template),
        MonitoringMode::AmpAmg => {
            prometheus(context, template);
            grafana(context, template);
        }
    }
}

fn endpoint(id: &str) -> Text {
    sub(format!("https://aps-workspaces.${{AWS::Region}}.${{AWS::URLSuffix}}/workspaces/{id}/"))
}

fn prometheus(context: &Context<'_>, template: &mut Template) {
    let spec = context.spec;
    if let Some(id) = &spec.monitoring.amp_workspace {
        // Nothing to make for a workspace that is there; Grafana may still be.
        if spec.monitoring.mode == MonitoringMode::AmpAmg && spec.monitoring.amg_workspace.is_none() {
            template.output("PrometheusWorkspaceId", "The workspace of Amazon Managed Prometheus", id.as_str().into());
            template.output("PrometheusEndpoint", "Where it is written to and asked", endpoint(id));
        }
        return;
    }
    let logs = LogGroup::new()
        .log_group_name(format!("/aws/vendedlogs/prometheus/{}", spec.name))
        .retention_in_days(spec.monitoring.log_days)
        .tags(template.tags(&names::label(spec, "prometheus")));
    template.lose("PrometheusLogs", logs);
    let workspace = PrometheusWorkspace::new()
        .alias(spec.name.as_str())
        .logging_configuration(PrometheusLogging::new().log_group_arn(attribute("PrometheusLogs", "Arn")))
        .workspace_configuration(WorkspaceConfiguration::new().retention_period_in_days(150_u32))
        .tags(template.tags(spec.name.as_str()));
    template.lose("Prometheus", workspace);
    template.output(
        "PrometheusWorkspaceId",
        "The workspace of Amazon Managed Prometheus",
        attribute("Prometheus", "WorkspaceId"),
    );
    template.output(
        "PrometheusEndpoint",
        "Where it is written to and asked",
        attribute("Prometheus", "PrometheusEndpoint"),
    );
}

fn grafana(context: &Context<'_>, template: &mut Template) {
    let spec = context.spec;
    if spec.monitoring.amg_workspace.is_some() {
        return;
    }
    let ask = ["aps:QueryMetrics", "aps:GetLabels", "aps:GetSeries", "aps:GetMetricMetadata", "aps:DescribeWorkspace"];
    let workspace = match &spec.monitoring.amp_workspace {
        Some(id) => sub(format!("arn:${{AWS::Partition}}:aps:${{AWS::Region}}:${{AWS::AccountId}}:workspace/{id}")),
        None => attribute("Prometheus", "Arn"),
    };
    let metrics = [
        "cloudwatch:GetMetricData",
        "cloudwatch:ListMetrics",
        "cloudwatch:DescribeAlarms",
        "ec2:DescribeInstances",
        "tag:GetResources",
    ];
    let logs = ["logs:StartQuery", "logs:GetLogEvents", "logs:FilterLogEvents", "logs:GetLogGroupFields"];
    let group = sub(format!(
        "arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/aws/parallelcluster/{}-*",
        spec.name
    ));
    let policy = PolicyDocument::new(vec![
        Statement::allow("AskPrometheus", &ask).on([workspace]),
        // These have no resources to narrow them to.
        Statement::allow("AskCloudWatch", &metrics).on(["*".into()]),
        Statement::allow("ListWorkspaces", &["aps:ListWorkspaces"]).on(["*".into()]),
        Statement::allow("ReadLogs", &logs).on([group]),
        // A query is asked for by its own id, and groups are listed as a whole.
        Statement::allow("FollowQueries", &["logs:GetQueryResults", "logs:StopQuery", "logs:DescribeLogGroups"])
            .on(["*".into()]),
    ]);
    let role = Role::new()
        .description("What Grafana may read")
        .path(names::iam_path(spec))
        .assume_role_policy_document(trust_for_us("grafana.amazonaws.com"))
        .policies(vec![InlinePolicy::new().policy_name("read").policy_document(policy)])
        .tags(template.tags(&names::label(spec, "grafana")));
    template.add("GrafanaRole", role);
    let workspace = GrafanaWorkspace::new()
        .name(spec.name.as_str())
        .description("Dashboards of the cluster")
        .account_access_type("CURRENT_ACCOUNT")
        .authentication_providers(vec!["AWS_SSO".into()])
        .permission_type("SERVICE_MANAGED")
        .role_arn(attribute("GrafanaRole", "Arn"))
        .data_sources(["PROMETHEUS", "CLOUDWATCH"].map(Text::from).to_vec())
        .plugin_admin_enabled(false);
    template.add("Grafana", workspace);
    template.output("GrafanaWorkspaceId", "The workspace of Amazon Managed Grafana", reference("Grafana"));
    template.output("GrafanaAddress", "Where it is opened", attribute("Grafana", "Endpoint"));
    template.output("GrafanaRoleArn", "What Grafana may read", attribute("GrafanaRole", "Arn"));
}
