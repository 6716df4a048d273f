//! AWS's services without the internet. A stack of its own: interface endpoints are paid for by the hour, so they go
//! with the cluster. (Gateway endpoints cost nothing and stand in the network stack.)
//!
//! Source: "AWS ParallelCluster in a single subnet with no internet access", and what login nodes' user data calls.

use trainyard_spec::model::{Accounting, MonitoringMode};

use super::StackKind;
use crate::aws::cloudformation::resources::ec2::{Rule, SecurityGroup, VpcEndpoint};
use crate::aws::cloudformation::{Template, attribute, kind, sub};
use crate::aws::{Context, Wire, names};

pub(super) static STACK: StackKind = StackKind {
    name: "endpoints",
    about: "Endpoints: AWS's services without the internet.",
    stays: None,
    seconds: 240,
    fill,
};

fn fill(context: &Context<'_>, template: &mut Template) {
    let spec = context.spec;
    if spec.network.nat || spec.network.existing.is_some() {
        return;
    }
    let vpc = template.reads("VpcId", kind::VPC, "The VPC", &context.place.vpc());
    let subnet = Wire::output("network", "PrivateSubnetId");
    let subnet = template.reads("PrivateSubnetId", kind::SUBNET, "The private subnet", &subnet);
    let nodes = context.reads_nodes(template);
    let https = Rule::new().ip_protocol("tcp").from_port(443_u16).to_port(443_u16);
    let https = https.source_security_group_id(nodes).description("HTTPS from nodes");
    let group = SecurityGroup::new().group_description("Interface endpoints").vpc_id(vpc.clone());
    let group = group.security_group_ingress(vec![https]).security_group_egress(vec![Rule::nothing("Nothing")]);
    template.add("EndpointsSecurityGroup", group.tags(template.tags(&names::label(spec, "endpoints"))));
    for service in services(context) {
        let endpoint = VpcEndpoint::new()
            .vpc_id(vpc.clone())
            .vpc_endpoint_type("Interface")
            .service_name(sub(format!("com.amazonaws.${{AWS::Region}}.{service}")))
            .subnet_ids(vec![subnet.clone()])
            .security_group_ids(vec![attribute("EndpointsSecurityGroup", "GroupId")])
            .private_dns_enabled(true)
            .tags(template.tags(&names::label(spec, service)));
        template.add(&logical(service), endpoint);
    }
}

fn services(context: &Context<'_>) -> Vec<&'static str> {
    let spec = context.spec;
    let mut services = vec!["ec2", "cloudformation", "logs", "monitoring", "sts"];
    if spec.access.ssm {
        services.extend(["ssm", "ssmmessages", "ec2messages"]);
    }
    if spec.containers.enabled {
        services.extend(["ecr.api", "ecr.dkr"]);
    }
    if !spec.login.is_empty() {
        services.extend(["elasticloadbalancing", "autoscaling"]);
    }
    let accounting = matches!(&spec.accounting, Some(Accounting::New { .. } | Accounting::Existing { .. }));
    if accounting || spec.directory.is_some() || spec.slurm.munge_key_secret.is_some() {
        services.push("secretsmanager");
    }
    if matches!(spec.monitoring.mode, MonitoringMode::Amp | MonitoringMode::AmpAmg) {
        services.push("aps-workspaces");
    }
    services
}

/// `aps-workspaces` → `ApsWorkspacesEndpoint`.
fn logical(service: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    service.split(['-', '.']).map(word).collect::<String>() + "Endpoint"
}
