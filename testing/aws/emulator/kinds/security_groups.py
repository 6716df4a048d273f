"""Security groups and their rules."""

from __future__ import annotations

import json
from typing import Any

from ..engine.resource import Made, Properties, PropertyError, Request, ResourceType, changed, register
from .api_type import tag_list

SOURCES = (
    "CidrIp",
    "CidrIpv6",
    "SourceSecurityGroupId",
    "DestinationSecurityGroupId",
    "SourcePrefixListId",
    "DestinationPrefixListId",
    "SourceSecurityGroupName",
)
OPEN = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def permission(rule: Properties) -> dict[str, Any]:
    """A rule of a template as the API writes it."""
    if not any(rule.get(name) for name in SOURCES):
        raise PropertyError(f"A rule needs one of {', '.join(SOURCES)}")
    result: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
    if result["IpProtocol"] != "-1":
        result |= {name: int(rule[name]) for name in ("FromPort", "ToPort") if name in rule}
    extra = {"Description": rule["Description"]} if "Description" in rule else {}
    if "CidrIp" in rule:
        result["IpRanges"] = [{"CidrIp": rule["CidrIp"], **extra}]
    elif "CidrIpv6" in rule:
        result["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **extra}]
    elif prefix := rule.get("SourcePrefixListId") or rule.get("DestinationPrefixListId"):
        result["PrefixListIds"] = [{"PrefixListId": prefix, **extra}]
    else:
        group = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
        result["UserIdGroupPairs"] = [{"GroupId": group, **extra}]
    return result


def same(rule: Properties) -> str:
    return json.dumps(rule, sort_keys=True)


class SecurityGroup(ResourceType):
    """A group with the rules written inside it. Without SecurityGroupEgress everything may leave."""

    name = "AWS::EC2::SecurityGroup"

    def create(self, request: Request, properties: Properties) -> Made:
        ec2 = request.client("ec2")
        values = {
            "GroupName": properties.get("GroupName") or request.generated_name(255),
            "Description": properties["GroupDescription"],
        }
        if "VpcId" in properties:
            values["VpcId"] = properties["VpcId"]
        if labels := tag_list(properties, request):
            values["TagSpecifications"] = [{"ResourceType": "security-group", "Tags": labels}]
        group = ec2.create_security_group(**values)["GroupId"]
        if properties.get("SecurityGroupEgress"):
            ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[OPEN])
        self._rules(ec2, group, {}, properties)
        return Made(group, {"GroupId": group, "Id": group, "VpcId": properties.get("VpcId", "")})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        moved = changed(old, new)
        if moved - {"SecurityGroupIngress", "SecurityGroupEgress", "Tags"}:
            return None
        ec2 = request.client("ec2")
        self._rules(ec2, made.physical_id, old, new)
        if labels := tag_list(new, request):
            ec2.create_tags(Resources=[made.physical_id], Tags=labels)
        return made

    @staticmethod
    def _rules(ec2: Any, group: str, old: Properties, new: Properties) -> None:
        for kind, authorize, revoke in (
            ("SecurityGroupIngress", ec2.authorize_security_group_ingress, ec2.revoke_security_group_ingress),
            ("SecurityGroupEgress", ec2.authorize_security_group_egress, ec2.revoke_security_group_egress),
        ):
            before = {same(rule): rule for rule in old.get(kind, [])}
            after = {same(rule): rule for rule in new.get(kind, [])}
            for key in before.keys() - after.keys():
                revoke(GroupId=group, IpPermissions=[permission(before[key])])
            for key, rule in after.items():
                if key not in before:
                    authorize(GroupId=group, IpPermissions=[permission(rule)])

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("ec2").delete_security_group(GroupId=made.physical_id)


class Rule(ResourceType):
    """One rule of a group that stands on its own, so that two groups can name each other."""

    def __init__(self, direction: str):
        self.name = f"AWS::EC2::SecurityGroup{direction.capitalize()}"
        self.direction = direction

    def create(self, request: Request, properties: Properties) -> Made:
        ec2 = request.client("ec2")
        if self.direction == "egress":
            self._drop_default(ec2, properties["GroupId"])
        call = getattr(ec2, f"authorize_security_group_{self.direction}")
        answer = call(GroupId=properties["GroupId"], IpPermissions=[permission(properties)])
        rules = answer.get("SecurityGroupRules") or [{}]
        identifier = rules[0].get("SecurityGroupRuleId") or request.generated_name()
        return Made(identifier, {"Id": identifier})

    @staticmethod
    def _drop_default(ec2: Any, group: str) -> None:
        """The service removes the open default rule with the first egress rule of a template."""
        found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
        wide = [rule for rule in found if rule["IpProtocol"] == "-1"]
        for rule in wide:
            if [item["CidrIp"] for item in rule.get("IpRanges", [])] == ["0.0.0.0/0"] and not rule.get(
                "UserIdGroupPairs"
            ):
                ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[OPEN])

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        call = getattr(request.client("ec2"), f"revoke_security_group_{self.direction}")
        call(GroupId=properties["GroupId"], IpPermissions=[permission(properties)])


register(SecurityGroup(), Rule("ingress"), Rule("egress"))
