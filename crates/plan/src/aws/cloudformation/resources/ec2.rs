//! EC2: networks, groups, volumes, instances; and the load balancer in front of one.

use super::iam::PolicyDocument;
use super::{properties, resource};
use crate::aws::cloudformation::{Tag, Text};

resource!(Vpc = "AWS::EC2::VPC" {
    cidr_block: Text, enable_dns_support: bool, enable_dns_hostnames: bool, tags: Vec<Tag>,
});
resource!(VpcCidrBlock = "AWS::EC2::VPCCidrBlock" { vpc_id: Text, cidr_block: Text });
resource!(InternetGateway = "AWS::EC2::InternetGateway" { tags: Vec<Tag> });
resource!(VpcGatewayAttachment = "AWS::EC2::VPCGatewayAttachment" { vpc_id: Text, internet_gateway_id: Text });
resource!(Subnet = "AWS::EC2::Subnet" {
    vpc_id: Text, cidr_block: Text, availability_zone: Text, availability_zone_id: Text, map_public_ip_on_launch: bool,
    tags: Vec<Tag>,
});
resource!(RouteTable = "AWS::EC2::RouteTable" { vpc_id: Text, tags: Vec<Tag> });
resource!(Route = "AWS::EC2::Route" {
    route_table_id: Text, destination_cidr_block: Text, gateway_id: Text, nat_gateway_id: Text,
});
resource!(RouteTableAssociation = "AWS::EC2::SubnetRouteTableAssociation" { subnet_id: Text, route_table_id: Text });
resource!(VpcEndpoint = "AWS::EC2::VPCEndpoint" {
    vpc_id: Text, service_name: Text, vpc_endpoint_type: Text, route_table_ids: Vec<Text>, subnet_ids: Vec<Text>,
    security_group_ids: Vec<Text>, private_dns_enabled: bool, policy_document: PolicyDocument, tags: Vec<Tag>,
});
resource!(InstanceConnectEndpoint = "AWS::EC2::InstanceConnectEndpoint" {
    subnet_id: Text, security_group_ids: Vec<Text>, preserve_client_ip: bool, tags: Vec<Tag>,
});
resource!(SecurityGroup = "AWS::EC2::SecurityGroup" {
    group_description: Text, vpc_id: Text, security_group_ingress: Vec<Rule>, security_group_egress: Vec<Rule>, tags: Vec<Tag>,
});
resource!(SecurityGroupIngress = "AWS::EC2::SecurityGroupIngress" {
    group_id: Text, ip_protocol: Text, from_port: u16, to_port: u16, source_security_group_id: Text,
    description: Text,
});
resource!(SecurityGroupEgress = "AWS::EC2::SecurityGroupEgress" {
    group_id: Text, ip_protocol: Text, from_port: u16, to_port: u16, destination_security_group_id: Text,
    description: Text,
});
properties!(Rule {
    ip_protocol: Text,
    from_port: u16,
    to_port: u16,
    cidr_ip: Text,
    source_security_group_id: Text,
    destination_security_group_id: Text,
    description: Text,
});
impl Rule {
    /// A rule that lets nothing through. CloudFormation adds one that lets everything out where a group has none.
    pub fn nothing(description: &str) -> Self {
        Self::new().ip_protocol("-1").cidr_ip("127.0.0.1/32").description(description)
    }
}

resource!(Eip = "AWS::EC2::EIP" { domain: Text, tags: Vec<Tag> });
resource!(NatGateway = "AWS::EC2::NatGateway" { allocation_id: Text, subnet_id: Text, tags: Vec<Tag> });
resource!(Volume = "AWS::EC2::Volume" {
    availability_zone: Text, size: u32, volume_type: Text, encrypted: bool, tags: Vec<Tag>,
});
resource!(Instance = "AWS::EC2::Instance" {
    image_id: Text, instance_type: Text, subnet_id: Text, security_group_ids: Vec<Text>, iam_instance_profile: Text,
    block_device_mappings: Vec<BlockDevice>, launch_template: LaunchTemplateReference, monitoring: bool, ebs_optimized: bool,
    user_data: serde_json::Value, tags: Vec<Tag>,
});
resource!(LaunchTemplate = "AWS::EC2::LaunchTemplate" { launch_template_data: LaunchTemplateData });
properties!(LaunchTemplateReference { launch_template_id: Text, version: Text });
properties!(LaunchTemplateData { metadata_options: MetadataOptions });
properties!(MetadataOptions { http_tokens: Text, http_endpoint: Text, http_put_response_hop_limit: u32 });
properties!(BlockDevice { device_name: Text, ebs: EbsDevice });
properties!(EbsDevice { volume_size: u32, volume_type: Text, encrypted: bool, delete_on_termination: bool });

resource!(LoadBalancer = "AWS::ElasticLoadBalancingV2::LoadBalancer" {
    kind = "Type": Text, scheme: Text, subnets: Vec<Text>, security_groups: Vec<Text>,
    load_balancer_attributes: Vec<KeyValue>, tags: Vec<Tag>,
});
resource!(TargetGroup = "AWS::ElasticLoadBalancingV2::TargetGroup" {
    port: u16, protocol: Text, vpc_id: Text, target_type: Text, targets: Vec<Target>, health_check_path: Text,
    health_check_protocol: Text, health_check_interval_seconds: u32, tags: Vec<Tag>,
});
resource!(Listener = "AWS::ElasticLoadBalancingV2::Listener" {
    load_balancer_arn: Text, port: u16, protocol: Text, certificates: Vec<Certificate>, ssl_policy: Text,
    default_actions: Vec<ListenerAction>,
});
properties!(KeyValue { key: Text, value: Text });
properties!(Target { id: Text, port: u16 });
properties!(Certificate { certificate_arn: Text });
properties!(ListenerAction { kind = "Type": Text, target_group_arn: Text });
