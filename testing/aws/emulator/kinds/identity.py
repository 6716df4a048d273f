"""IAM roles, policies and instance profiles."""

from __future__ import annotations

import json
from typing import Any

from ..engine.resource import Made, Properties, PropertyError, Request, ResourceType, changed, register
from .api_type import tag_list

MOST_VERSIONS = 5


def document(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class Role(ResourceType):
    name = "AWS::IAM::Role"

    def create(self, request: Request, properties: Properties) -> Made:
        iam = request.client("iam")
        name = properties.get("RoleName") or request.generated_name(64)
        values: dict[str, Any] = {
            "RoleName": name,
            "AssumeRolePolicyDocument": document(properties["AssumeRolePolicyDocument"]),
        }
        for key in ("Path", "Description", "PermissionsBoundary"):
            if key in properties:
                values[key] = properties[key]
        if "MaxSessionDuration" in properties:
            values["MaxSessionDuration"] = int(properties["MaxSessionDuration"])
        if labels := tag_list(properties, request):
            values["Tags"] = labels
        role = iam.create_role(**values)["Role"]
        try:
            self._policies(iam, name, {}, properties)
        except Exception:
            self._remove(iam, name)
            raise
        return Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        moved, iam = changed(old, new), request.client("iam")
        if moved & {"RoleName", "Path"}:
            return None
        if "AssumeRolePolicyDocument" in moved:
            iam.update_assume_role_policy(
                RoleName=made.physical_id, PolicyDocument=document(new["AssumeRolePolicyDocument"])
            )
        if moved & {"Description", "MaxSessionDuration"}:
            iam.update_role(
                RoleName=made.physical_id, Description=new.get("Description", ""),
                MaxSessionDuration=int(new.get("MaxSessionDuration", 3600)),
            )  # fmt: skip
        self._policies(iam, made.physical_id, old, new)
        if labels := tag_list(new, request):
            iam.tag_role(RoleName=made.physical_id, Tags=labels)
        return made

    @staticmethod
    def _policies(iam: Any, role: str, old: Properties, new: Properties) -> None:
        before, after = set(old.get("ManagedPolicyArns", [])), set(new.get("ManagedPolicyArns", []))
        for arn in before - after:
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        for arn in after - before:
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        inline = {item["PolicyName"]: item["PolicyDocument"] for item in new.get("Policies", [])}
        for item in old.get("Policies", []):
            if item["PolicyName"] not in inline:
                iam.delete_role_policy(RoleName=role, PolicyName=item["PolicyName"])
        for policy, body in inline.items():
            iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document(body))

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        iam = request.client("iam")
        if iam.list_instance_profiles_for_role(RoleName=made.physical_id)["InstanceProfiles"]:
            raise PropertyError("Cannot delete entity, must remove roles from instance profile first.")
        self._remove(iam, made.physical_id)

    @staticmethod
    def _remove(iam: Any, role: str) -> None:
        for item in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=role, PolicyArn=item["PolicyArn"])
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
        iam.delete_role(RoleName=role)


HOLDERS = (("Roles", "role", "RoleName"), ("Users", "user", "UserName"), ("Groups", "group", "GroupName"))


class ManagedPolicy(ResourceType):
    """A customer's policy; Ref gives its ARN."""

    name = "AWS::IAM::ManagedPolicy"

    def create(self, request: Request, properties: Properties) -> Made:
        iam = request.client("iam")
        values = {
            "PolicyName": properties.get("ManagedPolicyName") or request.generated_name(128),
            "PolicyDocument": document(properties["PolicyDocument"]),
            **{key: properties[key] for key in ("Path", "Description") if key in properties},
        }
        arn = iam.create_policy(**values)["Policy"]["Arn"]
        self._attach(iam, arn, {}, properties)
        return Made(arn, {"PolicyArn": arn})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        moved, iam = changed(old, new), request.client("iam")
        if moved & {"ManagedPolicyName", "Path", "Description"}:
            return None
        if "PolicyDocument" in moved:
            versions = iam.list_policy_versions(PolicyArn=made.physical_id)["Versions"]
            if len(versions) >= MOST_VERSIONS:
                oldest = min((item for item in versions if not item["IsDefaultVersion"]),
                             key=lambda item: item["CreateDate"])  # fmt: skip
                iam.delete_policy_version(PolicyArn=made.physical_id, VersionId=oldest["VersionId"])
            iam.create_policy_version(
                PolicyArn=made.physical_id, PolicyDocument=document(new["PolicyDocument"]), SetAsDefault=True
            )
        self._attach(iam, made.physical_id, old, new)
        return made

    @staticmethod
    def _attach(iam: Any, arn: str, old: Properties, new: Properties) -> None:
        for key, kind, parameter in HOLDERS:
            before, after = set(old.get(key, [])), set(new.get(key, []))
            for holder in before - after:
                getattr(iam, f"detach_{kind}_policy")(**{parameter: holder, "PolicyArn": arn})
            for holder in after - before:
                getattr(iam, f"attach_{kind}_policy")(**{parameter: holder, "PolicyArn": arn})

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        iam, arn = request.client("iam"), made.physical_id
        self._attach(iam, arn, properties, {})
        holders = iam.list_entities_for_policy(PolicyArn=arn)
        if any(holders[key] for key in ("PolicyRoles", "PolicyUsers", "PolicyGroups")):
            raise PropertyError(f"Cannot delete a policy attached to entities: {arn}")
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=arn)


class InlinePolicy(ResourceType):
    """A policy written into roles, users or groups."""

    def __init__(self, name: str, holders: tuple[tuple[str, str, str], ...]):
        self.name, self.holders = name, holders

    def create(self, request: Request, properties: Properties) -> Made:
        self._put(request, {}, properties)
        return Made(request.generated_name(), {"Id": request.generated_name()})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if "PolicyName" in changed(old, new):
            return None
        self._put(request, old, new)
        return made

    def _put(self, request: Request, old: Properties, new: Properties) -> None:
        iam, found = request.client("iam"), False
        for key, kind, parameter in self.holders:
            after = self._names(new, key)
            for holder in self._names(old, key) - after:
                getattr(iam, f"delete_{kind}_policy")(**{parameter: holder, "PolicyName": old["PolicyName"]})
            for holder in after:
                found = True
                getattr(iam, f"put_{kind}_policy")(
                    **{parameter: holder, "PolicyName": new["PolicyName"],
                       "PolicyDocument": document(new["PolicyDocument"])}
                )  # fmt: skip
        if new and not found:
            raise PropertyError("At least one of [Groups,Roles,Users] must be non-empty.")

    @staticmethod
    def _names(properties: Properties, key: str) -> set[str]:
        value = properties.get(key, [])
        return {value} if isinstance(value, str) else set(value)

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        self._put(request, properties, {})


class InstanceProfile(ResourceType):
    name = "AWS::IAM::InstanceProfile"

    def create(self, request: Request, properties: Properties) -> Made:
        iam = request.client("iam")
        name = properties.get("InstanceProfileName") or request.generated_name(128)
        profile = iam.create_instance_profile(InstanceProfileName=name, Path=properties.get("Path", "/"))
        for role in properties["Roles"]:
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        return Made(name, {"Arn": profile["InstanceProfile"]["Arn"]})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if changed(old, new) - {"Roles"}:
            return None
        iam = request.client("iam")
        for role in old["Roles"]:
            iam.remove_role_from_instance_profile(InstanceProfileName=made.physical_id, RoleName=role)
        for role in new["Roles"]:
            iam.add_role_to_instance_profile(InstanceProfileName=made.physical_id, RoleName=role)
        return made

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        iam = request.client("iam")
        for role in properties["Roles"]:
            iam.remove_role_from_instance_profile(InstanceProfileName=made.physical_id, RoleName=role)
        iam.delete_instance_profile(InstanceProfileName=made.physical_id)


register(
    Role(),
    ManagedPolicy(),
    InlinePolicy("AWS::IAM::Policy", HOLDERS),
    InlinePolicy("AWS::IAM::RolePolicy", (("RoleName", "role", "RoleName"),)),
    InstanceProfile(),
)
