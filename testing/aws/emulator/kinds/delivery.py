"""Load balancers, certificates and DNS."""

from __future__ import annotations

from typing import Any

from ..engine.resource import Made, Properties, PropertyError, Request, ResourceType, changed, register
from ..engine.shapes import parameters_for
from .api_type import ApiType, names, tag_list
from .holding import hold, release


class LoadBalancer(ResourceType):
    """Ref gives the ARN. An application load balancer needs subnets in two zones."""

    name = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    kept_apart = names("LoadBalancerAttributes", "MinimumLoadBalancerCapacity", "Tags")

    def create(self, request: Request, properties: Properties) -> Made:
        elb = request.client("elbv2")
        values = {key: item for key, item in properties.items() if key not in self.kept_apart}
        values.setdefault("Name", request.generated_name(32))
        subnets = list(values.get("Subnets", [])) + [item["SubnetId"] for item in values.get("SubnetMappings", [])]
        if properties.get("Type", "application") == "application":
            self._two_zones(request, subnets)
        if labels := tag_list(properties, request):
            values["Tags"] = labels
        answer = elb.create_load_balancer(**parameters_for(elb, "create_load_balancer", values))
        balancer = answer["LoadBalancers"][0]
        arn = balancer["LoadBalancerArn"]
        hold(request, arn, subnets, list(properties.get("SecurityGroups", [])))
        self._attributes(elb, arn, properties)
        return Made(
            arn,
            {
                "LoadBalancerArn": arn,
                "DNSName": balancer["DNSName"],
                "CanonicalHostedZoneID": balancer.get("CanonicalHostedZoneId", ""),
                "LoadBalancerName": balancer["LoadBalancerName"],
                "LoadBalancerFullName": arn.split(":loadbalancer/")[-1],
                "SecurityGroups": balancer.get("SecurityGroups", []),
            },
        )

    @staticmethod
    def _two_zones(request: Request, subnets: list[str]) -> None:
        found = request.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
        if len({subnet["AvailabilityZone"] for subnet in found}) < 2:
            raise PropertyError("At least two subnets in two different Availability Zones must be specified")

    @staticmethod
    def _attributes(elb: Any, arn: str, properties: Properties) -> None:
        if pairs := properties.get("LoadBalancerAttributes"):
            values = {"LoadBalancerArn": arn, "Attributes": pairs}
            elb.modify_load_balancer_attributes(**parameters_for(elb, "modify_load_balancer_attributes", values))

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        moved, elb = changed(old, new), request.client("elbv2")
        if moved - {"LoadBalancerAttributes", "SecurityGroups", "Subnets", "Tags"}:
            return None
        if "SecurityGroups" in moved:
            elb.set_security_groups(LoadBalancerArn=made.physical_id, SecurityGroups=new["SecurityGroups"])
        if "Subnets" in moved:
            elb.set_subnets(LoadBalancerArn=made.physical_id, Subnets=new["Subnets"])
        if moved & {"SecurityGroups", "Subnets"}:
            release(request, made.physical_id)
            hold(request, made.physical_id, new.get("Subnets", []), new.get("SecurityGroups", []))
        self._attributes(elb, made.physical_id, new)
        return made

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("elbv2").delete_load_balancer(LoadBalancerArn=made.physical_id)
        release(request, made.physical_id)


class TargetGroup(ResourceType):
    """Ref gives the ARN."""

    name = "AWS::ElasticLoadBalancingV2::TargetGroup"
    kept_apart = names("TargetGroupAttributes", "Targets", "Tags")

    def create(self, request: Request, properties: Properties) -> Made:
        elb = request.client("elbv2")
        values = {key: item for key, item in properties.items() if key not in self.kept_apart}
        values.setdefault("Name", request.generated_name(32))
        if labels := tag_list(properties, request):
            values["Tags"] = labels
        answer = elb.create_target_group(**parameters_for(elb, "create_target_group", values))
        arn = answer["TargetGroups"][0]["TargetGroupArn"]
        self._members(elb, arn, {}, properties)
        name = values["Name"]
        return Made(
            arn,
            {
                "TargetGroupArn": arn,
                "TargetGroupName": name,
                "TargetGroupFullName": arn.split(":")[-1],
                "LoadBalancerArns": [],
            },
        )

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        health = {key for key in changed(old, new) if key.startswith("Health") or key == "Matcher"}
        if changed(old, new) - health - self.kept_apart:
            return None
        elb = request.client("elbv2")
        if health:
            values = {key: new[key] for key in health if key in new} | {"TargetGroupArn": made.physical_id}
            elb.modify_target_group(**parameters_for(elb, "modify_target_group", values))
        self._members(elb, made.physical_id, old, new)
        return made

    @staticmethod
    def _members(elb: Any, arn: str, old: Properties, new: Properties) -> None:
        before, after = old.get("Targets", []), new.get("Targets", [])
        for call, members in (
            ("deregister_targets", [item for item in before if item not in after]),
            ("register_targets", [item for item in after if item not in before]),
        ):
            if members:
                values = {"TargetGroupArn": arn, "Targets": members}
                getattr(elb, call)(**parameters_for(elb, call, values))
        if pairs := new.get("TargetGroupAttributes"):
            values = {"TargetGroupArn": arn, "Attributes": pairs}
            elb.modify_target_group_attributes(**parameters_for(elb, "modify_target_group_attributes", values))

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("elbv2").delete_target_group(TargetGroupArn=made.physical_id)


class HostedZone(ResourceType):
    """Ref gives the id. A zone with VPCs is private."""

    name = "AWS::Route53::HostedZone"

    def create(self, request: Request, properties: Properties) -> Made:
        dns, networks = request.client("route53"), properties.get("VPCs", [])
        values: dict[str, Any] = {"Name": properties["Name"], "CallerReference": request.generated_name()}
        values["HostedZoneConfig"] = {
            "Comment": (properties.get("HostedZoneConfig") or {}).get("Comment", ""),
            "PrivateZone": bool(networks),
        }
        if networks:
            values["VPC"] = networks[0]
        answer = dns.create_hosted_zone(**values)
        identifier = answer["HostedZone"]["Id"].split("/")[-1]
        for network in networks[1:]:
            dns.associate_vpc_with_hosted_zone(HostedZoneId=identifier, VPC=network)
        servers = (answer.get("DelegationSet") or {}).get("NameServers", [])
        return Made(identifier, {"Id": identifier, "NameServers": servers})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if changed(old, new) - {"HostedZoneConfig", "VPCs", "HostedZoneTags"}:
            return None
        dns = request.client("route53")
        for network in new.get("VPCs", []):
            if network not in old.get("VPCs", []):
                dns.associate_vpc_with_hosted_zone(HostedZoneId=made.physical_id, VPC=network)
        for network in old.get("VPCs", []):
            if network not in new.get("VPCs", []):
                dns.disassociate_vpc_from_hosted_zone(HostedZoneId=made.physical_id, VPC=network)
        return made

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("route53").delete_hosted_zone(Id=made.physical_id)


class RecordSet(ResourceType):
    name = "AWS::Route53::RecordSet"

    def create(self, request: Request, properties: Properties) -> Made:
        self._change(request, "CREATE", properties)
        return Made(properties["Name"])

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if changed(old, new) & {"Name", "HostedZoneId", "HostedZoneName", "SetIdentifier"}:
            return None
        self._change(request, "UPSERT", new)
        return made

    @staticmethod
    def _change(request: Request, action: str, properties: Properties) -> None:
        dns = request.client("route53")
        record = {
            key: properties[key]
            for key in ("Name", "Type", "TTL", "Weight", "SetIdentifier", "AliasTarget")
            if key in properties
        }
        if "ResourceRecords" in properties:
            record["ResourceRecords"] = [{"Value": value} for value in properties["ResourceRecords"]]
        if "AliasTarget" in record:
            record["AliasTarget"] = {"EvaluateTargetHealth": False, **record["AliasTarget"]}
        zone = properties.get("HostedZoneId")
        if zone is None:
            zones = dns.list_hosted_zones_by_name(DNSName=properties["HostedZoneName"])["HostedZones"]
            zone = zones[0]["Id"].split("/")[-1]
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        dns.change_resource_record_sets(
            **parameters_for(dns, "change_resource_record_sets", {"HostedZoneId": zone, "ChangeBatch": batch})
        )

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        self._change(request, "DELETE", properties)


def _certificate(request: Request, properties: Properties) -> Properties:
    """The API's options name a domain, the template's may also name the zone to write into."""
    options = [
        {"DomainName": item["DomainName"], "ValidationDomain": item.get("ValidationDomain", item["DomainName"])}
        for item in properties.get("DomainValidationOptions", [])
    ]
    values = {key: item for key, item in properties.items() if key != "DomainValidationOptions"}
    return values | ({"DomainValidationOptions": options} if options else {})


LISTENER = names("Port", "Protocol", "SslPolicy", "Certificates", "DefaultActions", "AlpnPolicy")
register(
    LoadBalancer(),
    TargetGroup(),
    ApiType(
        "AWS::ElasticLoadBalancingV2::Listener", "elbv2", "create_listener", "ListenerArn", "Listeners.0", tags="",
        attributes={"ListenerArn": "ListenerArn"}, left_out=names("ListenerAttributes"),
        update_call="modify_listener", update_by="ListenerArn", mutable=LISTENER,
        delete_call="delete_listener", delete_by="ListenerArn",
    ),
    ApiType(
        "AWS::ElasticLoadBalancingV2::ListenerRule", "elbv2", "create_rule", "RuleArn", "Rules.0", tags="",
        attributes={"RuleArn": "RuleArn"}, update_call="modify_rule", update_by="RuleArn",
        mutable=names("Actions", "Conditions"), delete_call="delete_rule", delete_by="RuleArn",
    ),
    ApiType(
        "AWS::CertificateManager::Certificate", "acm", "request_certificate", "CertificateArn",
        before=_certificate, left_out=names("CertificateTransparencyLoggingPreference"),
        delete_call="delete_certificate", delete_by="CertificateArn",
    ),
    HostedZone(),
    RecordSet(),
)  # fmt: skip
