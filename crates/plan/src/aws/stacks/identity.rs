//! What nodes may do: this bucket, this workspace, these log groups. Below `/parallelcluster/`, where
//! ParallelCluster's own CloudFormation provider may attach them (D-A55: no policy opens all buckets).

use trainyard_spec::model::MonitoringMode;

use super::StackKind;
use super::storage::data_bucket;
use crate::aws::cloudformation::resources::iam::{ManagedPolicy, PolicyDocument, Statement};
use crate::aws::cloudformation::{Template, Text, kind, reference, sub};
use crate::aws::{Context, Wire, names};

pub(super) static STACK: StackKind = StackKind {
    name: "identity",
    about: "Identity: what nodes may do, and nothing more.",
    stays: None,
    seconds: 45,
    fill,
};

fn fill(context: &Context<'_>, template: &mut Template) {
    let nodes = policy(context, "What every node of the cluster may do", node_statements(context, template));
    template.add("NodePolicy", nodes);
    template.output("NodePolicyArn", "What every node may do", reference("NodePolicy"));
    // Always there: an update that dropped it would come before the cluster's, while the head still has it attached, and
    // CloudFormation would leave it behind.
    let head = policy(context, "What the head node may do beyond that", head_statements(context));
    template.add("HeadPolicy", head);
    template.output("HeadPolicyArn", "What the head node may do beyond that", reference("HeadPolicy"));
}

fn head_statements(context: &Context<'_>) -> Vec<Statement> {
    let spec = context.spec;
    if !writes_metrics(context) {
        // Everybody may: a policy cannot be empty.
        return vec![Statement::allow("Nothing", &["sts:GetCallerIdentity"]).on(["*".into()])];
    }
    let workspace = match &spec.monitoring.amp_workspace {
        Some(id) => id.clone(),
        None => "*".to_owned(),
    };
    let target = sub(format!("arn:${{AWS::Partition}}:aps:${{AWS::Region}}:${{AWS::AccountId}}:workspace/{workspace}"));
    let write = Statement::allow("WriteMetrics", &["aps:RemoteWrite"]).on([target]);
    // A workspace of the monitoring stack does not exist yet; its tag is known.
    let write = if spec.monitoring.amp_workspace.is_some() {
        write
    } else {
        write.only_if("StringEquals", "aws:ResourceTag/trainyard:cluster", spec.name.as_str().into())
    };
    vec![write]
}

/// Whether the head sends metrics to Amazon Managed Prometheus.
pub fn writes_metrics(context: &Context<'_>) -> bool {
    matches!(context.spec.monitoring.mode, MonitoringMode::Amp | MonitoringMode::AmpAmg)
}

fn policy(context: &Context<'_>, about: &str, statements: Vec<Statement>) -> ManagedPolicy {
    let path = names::iam_path(context.spec);
    ManagedPolicy::new().description(about).path(path).policy_document(PolicyDocument::new(statements))
}

fn node_statements(context: &Context<'_>, template: &mut Template) -> Vec<Statement> {
    template.reads(
        "FilesBucketName",
        kind::TEXT,
        "The bucket with the nodes' files",
        &Wire::output("data", "FilesBucketName"),
    );
    let mut statements = bucket_statements("Files", &["s3:GetObject"]);
    if let Some(bucket) = &context.spec.storage.data_bucket {
        template.reads("DataBucketName", kind::TEXT, "The data bucket", &data_bucket(bucket));
        let actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"];
        statements.extend(bucket_statements("Data", &actions));
    }
    let scripts: Vec<Text> = context
        .spec
        .setup
        .scripts
        .iter()
        .filter_map(|script| script.script.strip_prefix("s3://"))
        .map(|object| sub(format!("arn:${{AWS::Partition}}:s3:::{object}")))
        .collect();
    if !scripts.is_empty() {
        statements.push(Statement::allow("Scripts", &["s3:GetObject"]).on(scripts));
    }
    if context.spec.containers.enabled {
        // ECR hands out its token for the whole registry; images are this account's, or AWS's Deep Learning Containers.
        let token = Statement::allow("RegistryToken", &["ecr:GetAuthorizationToken"]).on(["*".into()]);
        let read = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
        let images = sub("arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/*");
        let learning = sub("arn:${AWS::Partition}:ecr:*:763104351884:repository/*");
        statements.extend([token, Statement::allow("Images", &read).on([images, learning])]);
    }
    statements
}

/// `name` is the beginning of the parameter that holds the bucket's name.
fn bucket_statements(name: &str, actions: &[&str]) -> Vec<Statement> {
    let arn = |rest: &str| sub(format!("arn:${{AWS::Partition}}:s3:::${{{name}BucketName}}{rest}"));
    vec![
        Statement::allow(&format!("{name}List"), &["s3:ListBucket", "s3:GetBucketLocation"]).on([arn("")]),
        Statement::allow(name, actions).on([arn("/*")]),
    ]
}
