//! The way out for private nodes. A stack of its own: it is paid for by the hour, so it goes with the cluster.

use super::StackKind;
use crate::aws::cloudformation::resources::ec2::{Eip, NatGateway, Route};
use crate::aws::cloudformation::{Template, attribute, kind, reference};
use crate::aws::{Context, Wire, names};

pub(super) static STACK: StackKind =
    StackKind { name: "nat", about: "NAT: the way out for private nodes.", stays: None, seconds: 150, fill };

fn fill(context: &Context<'_>, template: &mut Template) {
    let network = &context.spec.network;
    if !network.nat || network.existing.is_some() {
        return;
    }
    let subnet = Wire::output("network", "PublicSubnetId");
    let subnet = template.reads("PublicSubnetId", kind::SUBNET, "A public subnet", &subnet);
    let routes = Wire::output("network", "PrivateRouteTableId");
    let routes = template.reads("PrivateRouteTableId", kind::TEXT, "The private subnets' routes", &routes);
    let tags = template.tags(&names::label(context.spec, "nat"));
    template.add("NatAddress", Eip::new().domain("vpc").tags(tags.clone()));
    let gateway = NatGateway::new().allocation_id(attribute("NatAddress", "AllocationId")).subnet_id(subnet).tags(tags);
    template.add("NatGateway", gateway);
    let route = Route::new().route_table_id(routes).destination_cidr_block("0.0.0.0/0");
    template.add("PrivateRoute", route.nat_gateway_id(reference("NatGateway")));
    template.output("NatAddress", "The address that private nodes are seen by", reference("NatAddress"));
}
