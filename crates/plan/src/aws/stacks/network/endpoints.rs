//! Ways to S3 and DynamoDB that cost nothing, and the door for people without a public address.

use serde_json::json;

use crate::aws::cloudformation::resources::ec2::{
    InstanceConnectEndpoint, Rule, SecurityGroup, SecurityGroupIngress, VpcEndpoint,
};
use crate::aws::cloudformation::resources::iam::{PolicyDocument, Statement};
use crate::aws::cloudformation::{Template, Text, attribute, reference, sub};
use crate::aws::{Context, names};

pub(super) fn fill(context: &Context<'_>, template: &mut Template, vpc: &Text) {
    if context.spec.network.s3_endpoint || !context.spec.network.nat {
        s3(context, template, vpc);
    }
    if !context.spec.network.nat {
        let tables = gateway(context, vpc, "dynamodb", template);
        template.add("DynamodbEndpoint", tables);
    }
    if context.spec.access.instance_connect {
        instance_connect(context, template, vpc);
    }
}

/// The account's own buckets, AWS's own that nodes are set up from, and those that the spec names (D-A55, D-B06).
fn s3(context: &Context<'_>, template: &mut Template, vpc: &Text) {
    let account = json!({ "Ref": "AWS::AccountId" });
    let own = Statement::allow("OwnBuckets", &["s3:*"]).to(json!("*")).on([Text::from("*")]);
    let own = own.only_if("StringEquals", "aws:ResourceAccount", account);
    let aws = [
        // ParallelCluster's artifacts, Amazon Linux's packages, EFA's installer, SSM's agent, ECR's layers.
        "arn:${AWS::Partition}:s3:::${AWS::Region}-aws-parallelcluster/*",
        "arn:${AWS::Partition}:s3:::al2023-repos-${AWS::Region}-*/*",
        "arn:${AWS::Partition}:s3:::amazonlinux-2-repos-${AWS::Region}/*",
        "arn:${AWS::Partition}:s3:::aws-efa-installer/*",
        "arn:${AWS::Partition}:s3:::aws-ssm-${AWS::Region}/*",
        "arn:${AWS::Partition}:s3:::amazon-ssm-${AWS::Region}/*",
        "arn:${AWS::Partition}:s3:::amazoncloudwatch-agent-${AWS::Region}/*",
        "arn:${AWS::Partition}:s3:::dcv-license.${AWS::Region}/*",
        "arn:${AWS::Partition}:s3:::prod-${AWS::Region}-starport-layer-bucket/*",
    ];
    let aws = Statement::allow("BucketsOfAws", &["s3:GetObject"]).to(json!("*")).on(aws.map(sub));
    // cfn-signal on the head node writes here.
    let signal = Statement::allow("Signals", &["s3:PutObject"]).to(json!("*"));
    let signal = signal.on([sub("arn:${AWS::Partition}:s3:::cloudformation-waitcondition-${AWS::Region}/*")]);
    let mut statements = vec![own, aws, signal];
    let others: Vec<Text> = context
        .spec
        .network
        .s3_buckets
        .iter()
        .flat_map(|bucket| {
            [format!("arn:${{AWS::Partition}}:s3:::{bucket}"), format!("arn:${{AWS::Partition}}:s3:::{bucket}/*")]
        })
        .map(sub)
        .collect();
    if !others.is_empty() {
        let read = Statement::allow("BucketsOfOthers", &["s3:GetObject", "s3:ListBucket"]).to(json!("*"));
        statements.push(read.on(others));
    }
    let endpoint = gateway(context, vpc, "s3", template).policy_document(PolicyDocument::new(statements));
    template.add("S3Endpoint", endpoint);
}

fn gateway(context: &Context<'_>, vpc: &Text, service: &str, template: &Template) -> VpcEndpoint {
    let mut tables = vec![reference("PrivateRoutes")];
    if context.place.has_public_side() {
        tables.push(reference("PublicRoutes"));
    }
    VpcEndpoint::new()
        .vpc_id(vpc.clone())
        .vpc_endpoint_type("Gateway")
        .service_name(sub(format!("com.amazonaws.${{AWS::Region}}.{service}")))
        .route_table_ids(tables)
        .tags(template.tags(&names::label(context.spec, service)))
}

/// SSH to private nodes with nothing but OpenSSH, for those whom IAM allows it.
fn instance_connect(context: &Context<'_>, template: &mut Template, vpc: &Text) {
    let nodes = attribute("NodesSecurityGroup", "GroupId");
    let ssh = Rule::new().ip_protocol("tcp").from_port(22_u16).to_port(22_u16);
    let ssh = ssh.destination_security_group_id(nodes.clone()).description("SSH to nodes");
    let group = SecurityGroup::new().group_description("EC2 Instance Connect Endpoint").vpc_id(vpc.clone());
    let group = group.security_group_egress(vec![ssh]);
    template.add("ConnectSecurityGroup", group.tags(template.tags(&names::label(context.spec, "connect"))));
    let connect = attribute("ConnectSecurityGroup", "GroupId");
    let ingress = SecurityGroupIngress::new().group_id(nodes).ip_protocol("tcp").from_port(22_u16).to_port(22_u16);
    let ingress =
        ingress.source_security_group_id(connect.clone()).description("SSH from the Instance Connect Endpoint");
    template.add("NodesFromConnect", ingress);
    let endpoint =
        InstanceConnectEndpoint::new().subnet_id(reference("PrivateSubnet")).security_group_ids(vec![connect]);
    let endpoint = endpoint.preserve_client_ip(false).tags(template.tags(&names::label(context.spec, "connect")));
    template.add("ConnectEndpoint", endpoint);
    template.output("ConnectEndpointId", "The EC2 Instance Connect Endpoint", reference("ConnectEndpoint"));
}
