//! Managed Microsoft AD, and the name that it answers to.

use super::{properties, resource};
use crate::aws::cloudformation::Text;

resource!(MicrosoftAd = "AWS::DirectoryService::MicrosoftAD" {
    name: Text, short_name: Text, edition: Text, password: Text, enable_sso: bool, vpc_settings: VpcSettings,
});
properties!(VpcSettings { vpc_id: Text, subnet_ids: Vec<Text> });
resource!(HostedZone = "AWS::Route53::HostedZone" { name: Text, vpcs = "VPCs": Vec<HostedZoneVpc> });
properties!(HostedZoneVpc { vpc_id = "VPCId": Text, vpc_region = "VPCRegion": Text });
resource!(RecordSet = "AWS::Route53::RecordSet" {
    name: Text, kind = "Type": Text, hosted_zone_id: Text, alias_target: AliasTarget,
});
properties!(AliasTarget { dns_name = "DNSName": Text, hosted_zone_id: Text });
