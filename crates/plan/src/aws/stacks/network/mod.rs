//! The network: VPC, subnets, groups by group id, endpoints. Of an existing network only the groups.

mod endpoints;

use trainyard_spec::model::MonitoringMode;

use super::StackKind;
use crate::aws::cloudformation::resources::ec2::{
    InternetGateway, Route, RouteTable, RouteTableAssociation, Rule, SecurityGroup, SecurityGroupEgress,
    SecurityGroupIngress, Subnet, Vpc, VpcCidrBlock, VpcGatewayAttachment,
};
use crate::aws::cloudformation::{Template, Text, attribute, kind, reference};
use crate::aws::{Context, names};
use crate::cidr::halves;

pub(super) static STACK: StackKind = StackKind {
    name: "network",
    about: "Network: VPC, subnets, security groups and endpoints.",
    stays: Some("retained file systems have interfaces in its subnets"),
    seconds: 180,
    fill,
};

fn fill(context: &Context<'_>, template: &mut Template) {
    let vpc = if context.spec.network.existing.is_some() {
        template.reads("VpcId", kind::VPC, "The VPC that is already there", &context.place.vpc())
    } else {
        new_vpc(context, template)
    };
    nodes_group(context, template, &vpc);
    access_group(context, template, &vpc);
    if context.spec.network.existing.is_none() {
        endpoints::fill(context, template, &vpc);
    }
}

fn new_vpc(context: &Context<'_>, template: &mut Template) -> Text {
    let spec = context.spec;
    let tags = |what: &str, template: &Template| template.tags(&names::label(spec, what));
    let vpc = Vpc::new().cidr_block(spec.network.cidr.as_str()).enable_dns_support(true).enable_dns_hostnames(true);
    let vpc = vpc.tags(tags("vpc", template));
    let vpc = template.add("Vpc", vpc);
    let second = VpcCidrBlock::new().vpc_id(vpc.clone()).cidr_block(spec.network.private_cidr.as_str());
    template.add("PrivateAddresses", second);
    let private = template.add("PrivateRoutes", RouteTable::new().vpc_id(vpc.clone()).tags(tags("private", template)));
    let mut sides = Vec::new();
    if context.place.has_public_side() {
        template.add("InternetGateway", InternetGateway::new().tags(tags("internet", template)));
        let gateway = reference("InternetGateway");
        let attachment = VpcGatewayAttachment::new().vpc_id(vpc.clone()).internet_gateway_id(gateway.clone());
        template.add("InternetAttachment", attachment);
        let table = template.add("PublicRoutes", RouteTable::new().vpc_id(vpc.clone()).tags(tags("public", template)));
        let out = Route::new().route_table_id(table.clone()).destination_cidr_block("0.0.0.0/0").gateway_id(gateway);
        // The route is refused until the gateway is attached (D-A54).
        template.add_after("PublicRoute", out, &["InternetAttachment"]);
        let gives_addresses = context.place.has_public_nodes();
        sides.push(Side { name: "Public", cidr: spec.network.cidr.as_str(), table, after: &[], gives_addresses });
    }
    // Its addresses are no part of the VPC before that block is.
    let after: &'static [&'static str] = &["PrivateAddresses"];
    let cidr = spec.network.private_cidr.as_str();
    sides.push(Side { name: "Private", cidr, table: private, after, gives_addresses: false });
    for side in sides {
        subnets(context, template, &vpc, &side);
    }
    template.output("VpcId", "The VPC", vpc.clone());
    if context.place.has_public_side() {
        template.output("PublicRouteTableId", "The public subnets' routes", reference("PublicRoutes"));
    }
    template.output("PrivateRouteTableId", "The private subnets' routes", reference("PrivateRoutes"));
    vpc
}

/// The public or the private subnets.
struct Side<'a> {
    name: &'a str,
    cidr: &'a str,
    table: Text,
    after: &'static [&'static str],
    /// Whether nodes that start there get a public address.
    gives_addresses: bool,
}

fn subnets(context: &Context<'_>, template: &mut Template, vpc: &Text, side: &Side<'_>) {
    let blocks = halves(side.cidr);
    for (number, (zone, block)) in context.place.zones.iter().zip(blocks).enumerate() {
        let name = if number == 0 { format!("{}Subnet", side.name) } else { format!("Second{}Subnet", side.name) };
        let subnet = Subnet::new().vpc_id(vpc.clone()).cidr_block(block).map_public_ip_on_launch(side.gives_addresses);
        let which = if number == 0 { "Zone" } else { "SecondZone" };
        let subnet = if zone.contains("-az") {
            let zone = template.reads(
                &format!("{which}Id"),
                kind::TEXT,
                "The id of a zone of its subnets",
                &zone.as_str().into(),
            );
            subnet.availability_zone_id(zone)
        } else {
            let zone = template.reads(which, kind::ZONE, "A zone of its subnets", &zone.as_str().into());
            subnet.availability_zone(zone)
        };
        let label = format!("{}-{}", side.name.to_lowercase(), number + 1);
        let subnet = subnet.tags(template.tags(&names::label(context.spec, &label)));
        let subnet = template.add_after(&name, subnet, side.after);
        let association = RouteTableAssociation::new().subnet_id(subnet).route_table_id(side.table.clone());
        template.add(&format!("{name}Routes"), association);
        template.output(&format!("{name}Id"), &format!("A {} subnet", side.name.to_lowercase()), reference(&name));
        if name == "PrivateSubnet" {
            template.output("Zone", "The zone of the nodes", attribute(&name, "AvailabilityZone"));
        }
    }
}

/// Every node's group: all traffic among nodes, in and out, by group id. EFA needs both (sheet 2.8).
fn nodes_group(context: &Context<'_>, template: &mut Template, vpc: &Text) {
    let group = SecurityGroup::new().group_description("All nodes of the cluster").vpc_id(vpc.clone());
    // Without a rule of its own, CloudFormation adds one that lets everything out; ParallelCluster's own group has that.
    let nothing = Rule::nothing("Nothing beyond the rules by group");
    let group = group.security_group_egress(vec![nothing]).tags(template.tags(&names::label(context.spec, "nodes")));
    template.add("NodesSecurityGroup", group);
    let id = attribute("NodesSecurityGroup", "GroupId");
    let ingress =
        SecurityGroupIngress::new().group_id(id.clone()).ip_protocol("-1").source_security_group_id(id.clone());
    template.add("NodesFromNodes", ingress.description("Nodes among themselves"));
    let egress =
        SecurityGroupEgress::new().group_id(id.clone()).ip_protocol("-1").destination_security_group_id(id.clone());
    template.add("NodesToNodes", egress.description("Nodes among themselves"));
    template.output("NodesSecurityGroupId", "The group of every node", id);
}

/// The group that lets people in, from the addresses that the spec names and no others (D-A45).
fn access_group(context: &Context<'_>, template: &mut Template, vpc: &Text) {
    let spec = context.spec;
    if spec.access.cidrs.is_empty() {
        return;
    }
    let dcv = spec.head.dcv || spec.login.iter().any(|pool| pool.dcv);
    let ports: &[(u16, &str)] = if dcv { &[(22, "SSH"), (8443, "DCV")] } else { &[(22, "SSH")] };
    let rule = |cidr: &str, port: u16, what: &str| {
        let rule = Rule::new().ip_protocol("tcp").from_port(port).to_port(port).cidr_ip(cidr);
        rule.description(format!("{what}, by access.cidrs"))
    };
    let rules: Vec<Rule> = ports
        .iter()
        .flat_map(|(port, what)| spec.access.cidrs.iter().map(move |cidr| rule(cidr.as_str(), *port, what)))
        .collect();
    let nothing = Rule::nothing("Nothing");
    let group = SecurityGroup::new().group_description("Where people come in").vpc_id(vpc.clone());
    let group = group.security_group_ingress(rules).security_group_egress(vec![nothing]);
    template.add("AccessSecurityGroup", group.tags(template.tags(&names::label(spec, "access"))));
    template.output(
        "AccessSecurityGroupId",
        "The group of head and login nodes that lets people in",
        attribute("AccessSecurityGroup", "GroupId"),
    );
}

/// Whether something of ours reads the nodes' metrics from outside of them.
pub(in crate::aws::stacks) fn is_scraped(context: &Context<'_>) -> bool {
    context.spec.monitoring.mode == MonitoringMode::SelfHosted
}
