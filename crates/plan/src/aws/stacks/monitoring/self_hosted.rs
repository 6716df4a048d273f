//! Prometheus and Grafana on an instance of one's own, behind a load balancer in two zones with TLS.

use serde_json::{Value, json};
use trainyard_spec::model::Cidr;

use crate::aws::cloudformation::resources::ec2::{
    BlockDevice, Certificate, EbsDevice, Instance, KeyValue, LaunchTemplate, LaunchTemplateData,
    LaunchTemplateReference, Listener, ListenerAction, LoadBalancer, MetadataOptions, Rule, SecurityGroup,
    SecurityGroupEgress, SecurityGroupIngress, Target, TargetGroup,
};
use crate::aws::cloudformation::resources::iam::{
    InlinePolicy, InstanceProfile, PolicyDocument, Role, Statement, trust,
};
use crate::aws::cloudformation::{Template, Text, attribute, kind, reference, sub};
use crate::aws::stacks::network;
use crate::aws::{Context, Wire, names};

/// Where Grafana listens on the instance.
const GRAFANA: u16 = 3000;
/// Where the agent on each node listens.
const AGENT: u16 = 9400;
/// Enough for Prometheus with 512 nodes at 15 s.
const INSTANCE: &str = "m6i.xlarge";

pub(super) fn fill(context: &Context<'_>, template: &mut Template) {
    if !network::is_scraped(context) {
        return;
    }
    let vpc = template.reads("VpcId", kind::VPC, "The VPC", &context.place.vpc());
    groups(context, template, &vpc);
    server(context, template);
    front(context, template, &vpc);
}

fn groups(context: &Context<'_>, template: &mut Template, vpc: &Text) {
    let spec = context.spec;
    let tags = |what: &str, template: &Template| template.tags(&names::label(spec, what));
    let nodes = context.reads_nodes(template);
    let https = Rule::new().ip_protocol("tcp").from_port(443_u16).to_port(443_u16);
    let by_range = |cidr: &Cidr| https.clone().cidr_ip(cidr.as_str()).description("HTTPS, by access.cidrs");
    let mut from: Vec<Rule> = spec.access.cidrs.iter().map(by_range).collect();
    // People on the nodes, or with a tunnel to one.
    from.push(https.clone().source_security_group_id(nodes).description("HTTPS from nodes"));
    let nothing = Rule::nothing("Nothing beyond the rules by group");
    let group = SecurityGroup::new().group_description("Load balancer of Grafana").vpc_id(vpc.clone());
    let group = group.security_group_ingress(from).security_group_egress(vec![nothing.clone()]);
    template.add("FrontSecurityGroup", group.tags(tags("front", template)));
    let front = attribute("FrontSecurityGroup", "GroupId");

    let grafana = Rule::new().ip_protocol("tcp").from_port(GRAFANA).to_port(GRAFANA);
    let grafana = grafana.source_security_group_id(front.clone()).description("Grafana, from the load balancer");
    let web = Rule::new().ip_protocol("tcp").from_port(443_u16).to_port(443_u16).cidr_ip("0.0.0.0/0");
    let group = SecurityGroup::new().group_description("Prometheus and Grafana").vpc_id(vpc.clone());
    let group = group
        .security_group_ingress(vec![grafana])
        .security_group_egress(vec![web.description("HTTPS to AWS and packages"), agent_rule(context, template)]);
    template.add("ServerSecurityGroup", group.tags(tags("monitoring", template)));
    let server = attribute("ServerSecurityGroup", "GroupId");

    let to_server = SecurityGroupEgress::new()
        .group_id(front)
        .ip_protocol("tcp")
        .from_port(GRAFANA)
        .to_port(GRAFANA)
        .destination_security_group_id(server.clone());
    template.add("FrontToServer", to_server.description("Grafana"));
    let nodes = context.reads_nodes(template);
    let scrape = SecurityGroupIngress::new().group_id(nodes).ip_protocol("tcp").from_port(AGENT).to_port(AGENT);
    template.add("NodesFromServer", scrape.source_security_group_id(server).description("Metrics, from Prometheus"));
}

fn agent_rule(context: &Context<'_>, template: &mut Template) -> Rule {
    let nodes = context.reads_nodes(template);
    let rule = Rule::new().ip_protocol("tcp").from_port(AGENT).to_port(AGENT);
    rule.destination_security_group_id(nodes).description("Metrics of nodes")
}

fn server(context: &Context<'_>, template: &mut Template) {
    let spec = context.spec;
    template.reads(
        "FilesBucketName",
        kind::TEXT,
        "The bucket with its files",
        &Wire::output("data", "FilesBucketName"),
    );
    let objects = sub("arn:${AWS::Partition}:s3:::${FilesBucketName}/monitoring/*");
    let may = PolicyDocument::new(vec![
        // Prometheus finds the nodes by their tags; EC2 has no narrower permission for that.
        Statement::allow("FindNodes", &["ec2:DescribeInstances", "ec2:DescribeAvailabilityZones"]).on(["*".into()]),
        Statement::allow("Files", &["s3:GetObject"]).on([objects]),
    ]);
    let role = Role::new()
        .description("What the monitoring instance may do")
        .path(names::iam_path(spec))
        .assume_role_policy_document(trust("ec2.amazonaws.com"))
        .managed_policy_arns(vec![sub("arn:${AWS::Partition}:iam::aws:policy/AmazonSSMManagedInstanceCore")])
        .policies(vec![InlinePolicy::new().policy_name("monitoring").policy_document(may)])
        .tags(template.tags(&names::label(spec, "monitoring")));
    template.add("ServerRole", role);
    template
        .add("ServerProfile", InstanceProfile::new().path(names::iam_path(spec)).roles(vec![reference("ServerRole")]));
    let metadata =
        MetadataOptions::new().http_tokens("required").http_endpoint("enabled").http_put_response_hop_limit(1_u32);
    template.add(
        "ServerLaunch",
        LaunchTemplate::new().launch_template_data(LaunchTemplateData::new().metadata_options(metadata)),
    );
    let image = "{{resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}";
    let disk = EbsDevice::new().volume_size(200_u32).volume_type("gp3").encrypted(true).delete_on_termination(true);
    let subnet = context.place.service_subnets().into_iter().next().unwrap_or_else(|| context.place.head_subnet());
    let subnet = template.reads("ServerSubnetId", kind::SUBNET, "The subnet of the monitoring instance", &subnet);
    let launch = LaunchTemplateReference::new()
        .launch_template_id(reference("ServerLaunch"))
        .version(attribute("ServerLaunch", "LatestVersionNumber"));
    let instance = Instance::new()
        .image_id(image)
        .instance_type(INSTANCE)
        .launch_template(launch)
        .subnet_id(subnet)
        .security_group_ids(vec![attribute("ServerSecurityGroup", "GroupId")])
        .iam_instance_profile(reference("ServerProfile"))
        .block_device_mappings(vec![BlockDevice::new().device_name("/dev/xvda").ebs(disk)])
        .ebs_optimized(true)
        .monitoring(true)
        .user_data(user_data())
        .tags(template.tags(&names::label(spec, "monitoring")));
    template.add("Server", instance);
    template.output("ServerInstanceId", "The monitoring instance", reference("Server"));
}

/// Fetches its set-up from the files bucket; a failure shows in the instance's log and in its health.
fn user_data() -> Value {
    let script = "#!/bin/bash\nset -euo pipefail\naws s3 cp \"s3://${FilesBucketName}/monitoring/setup.sh\" /root/setup.sh\nexec bash /root/setup.sh\n";
    json!({ "Fn::Base64": { "Fn::Sub": script } })
}

fn front(context: &Context<'_>, template: &mut Template, vpc: &Text) {
    let spec = context.spec;
    let names = ["FrontSubnetId", "SecondFrontSubnetId"];
    let subnets: Vec<Text> = context
        .place
        .front_subnets()
        .iter()
        .zip(names)
        .map(|(subnet, name)| template.reads(name, kind::SUBNET, "A subnet of the load balancer", subnet))
        .collect();
    let is_public = !spec.access.cidrs.is_empty() && spec.network.existing.is_none();
    let attributes =
        [("routing.http.drop_invalid_header_fields.enabled", "true"), ("deletion_protection.enabled", "false")];
    let balancer = LoadBalancer::new()
        .kind("application")
        .scheme(if is_public { "internet-facing" } else { "internal" })
        .subnets(subnets)
        .security_groups(vec![attribute("FrontSecurityGroup", "GroupId")])
        .load_balancer_attributes(attributes.map(|(key, value)| KeyValue::new().key(key).value(value)).to_vec())
        .tags(template.tags(&names::label(spec, "grafana")));
    template.add("Front", balancer);
    let group = TargetGroup::new()
        .port(GRAFANA)
        .protocol("HTTP")
        .vpc_id(vpc.clone())
        .target_type("instance")
        .targets(vec![Target::new().id(reference("Server")).port(GRAFANA)])
        .health_check_path("/api/health")
        .health_check_protocol("HTTP")
        .health_check_interval_seconds(30_u32)
        .tags(template.tags(&names::label(spec, "grafana")));
    template.add("FrontTargets", group);
    // `check` demands a certificate: dashboards never travel in the clear (D-A50).
    let Some(certificate) = &spec.monitoring.certificate else { return };
    let certificate = template.reads(
        "CertificateArn",
        kind::TEXT,
        "The certificate of Grafana (ACM)",
        &certificate.to_string().into(),
    );
    let forward = ListenerAction::new().kind("forward").target_group_arn(reference("FrontTargets"));
    let https = Listener::new()
        .load_balancer_arn(reference("Front"))
        .port(443_u16)
        .protocol("HTTPS")
        .certificates(vec![Certificate::new().certificate_arn(certificate)])
        .ssl_policy("ELBSecurityPolicy-TLS13-1-2-2021-06")
        .default_actions(vec![forward]);
    template.add("FrontHttps", https);
    template.output(
        "GrafanaAddress",
        "The load balancer's name: point the certificate's name at it",
        attribute("Front", "DNSName"),
    );
}
