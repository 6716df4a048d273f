"""Managed Prometheus, managed Grafana, logs, alarms, dashboards, notifications, budgets."""

from __future__ import annotations

import json
from typing import Any

from ..engine.resource import Made, Properties, Request, ResourceType, changed, register
from ..engine.shapes import parameters_for
from .api_type import names, tag_list


class Prometheus(ResourceType):
    """An AMP workspace; Ref gives its ARN."""

    name = "AWS::APS::Workspace"

    def create(self, request: Request, properties: Properties) -> Made:
        amp = request.client("amp")
        tags = {item["Key"]: item["Value"] for item in tag_list(properties, request)}
        answer = amp.create_workspace(alias=properties.get("Alias", request.logical_id), tags=tags)
        workspace = amp.describe_workspace(workspaceId=answer["workspaceId"])["workspace"]
        attributes = {
            "Arn": workspace["arn"],
            "WorkspaceId": workspace["workspaceId"],
            "PrometheusEndpoint": workspace["prometheusEndpoint"],
        }
        made = Made(workspace["arn"], attributes)
        self._logging(request, made, properties)
        return made

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        moved = changed(old, new)
        if moved - {"Alias", "Tags", "LoggingConfiguration", "AlertManagerDefinition", "WorkspaceConfiguration"}:
            return None
        if "Alias" in moved:
            request.client("amp").update_workspace_alias(
                workspaceId=made.attributes["WorkspaceId"], alias=new.get("Alias", request.logical_id)
            )
        return made

    @staticmethod
    def _logging(request: Request, made: Made, properties: Properties) -> None:
        group = (properties.get("LoggingConfiguration") or {}).get("LogGroupArn")
        if group:
            request.client("amp").create_logging_configuration(
                workspaceId=made.attributes["WorkspaceId"], logGroupArn=group
            )

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("amp").delete_workspace(workspaceId=made.attributes["WorkspaceId"])


class RuleGroups(ResourceType):
    """A namespace of Prometheus rules; Ref gives its ARN."""

    name = "AWS::APS::RuleGroupsNamespace"

    def create(self, request: Request, properties: Properties) -> Made:
        answer = request.client("amp").create_rule_groups_namespace(
            workspaceId=_workspace_id(properties["Workspace"]),
            name=properties["Name"],
            data=properties["Data"].encode(),
        )
        return Made(answer["arn"], {"Arn": answer["arn"]})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if changed(old, new) - {"Data", "Tags"}:
            return None
        request.client("amp").put_rule_groups_namespace(
            workspaceId=_workspace_id(new["Workspace"]), name=new["Name"], data=new["Data"].encode()
        )
        return made

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("amp").delete_rule_groups_namespace(
            workspaceId=_workspace_id(properties["Workspace"]), name=properties["Name"]
        )


def _workspace_id(arn: str) -> str:
    return arn.rsplit("/", maxsplit=1)[-1]


GRAFANA_NAMES = {
    "AccountAccessType": "accountAccessType",
    "AuthenticationProviders": "authenticationProviders",
    "DataSources": "workspaceDataSources",
    "Description": "workspaceDescription",
    "GrafanaVersion": "grafanaVersion",
    "Name": "workspaceName",
    "NetworkAccessControl": "networkAccessControl",
    "NotificationDestinations": "workspaceNotificationDestinations",
    "OrganizationRoleName": "organizationRoleName",
    "OrganizationalUnits": "workspaceOrganizationalUnits",
    "PermissionType": "permissionType",
    "RoleArn": "workspaceRoleArn",
    "StackSetName": "stackSetName",
    "VpcConfiguration": "vpcConfiguration",
}


class Grafana(ResourceType):
    """A Grafana workspace; Ref gives its id."""

    name = "AWS::Grafana::Workspace"
    separate = names("SamlConfiguration", "PluginAdminEnabled", "ClientToken")

    def create(self, request: Request, properties: Properties) -> Made:
        grafana = request.client("grafana")
        values = {GRAFANA_NAMES.get(key, key): item for key, item in properties.items() if key not in self.separate}
        if request.tags:
            values["tags"] = dict(request.tags)
        workspace = grafana.create_workspace(**parameters_for(grafana, "create_workspace", values))["workspace"]
        self._settings(grafana, workspace["id"], properties)
        return self._made(grafana, workspace["id"])

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if "ClientToken" in changed(old, new):
            return None
        grafana = request.client("grafana")
        fixed = {"AuthenticationProviders", "GrafanaVersion"} | self.separate
        values = {GRAFANA_NAMES.get(key, key): new[key] for key in changed(old, new) - fixed if key in new}
        if values:
            values["workspaceId"] = made.physical_id
            grafana.update_workspace(**parameters_for(grafana, "update_workspace", values))
        self._settings(grafana, made.physical_id, new)
        return self._made(grafana, made.physical_id)

    @staticmethod
    def _settings(grafana: Any, identifier: str, properties: Properties) -> None:
        if saml := properties.get("SamlConfiguration"):
            values = {
                "workspaceId": identifier,
                "authenticationProviders": properties["AuthenticationProviders"],
                "samlConfiguration": saml,
            }
            grafana.update_workspace_authentication(
                **parameters_for(grafana, "update_workspace_authentication", values)
            )
        if "PluginAdminEnabled" in properties:
            enabled = str(properties["PluginAdminEnabled"]).lower() == "true"
            grafana.update_workspace_configuration(
                workspaceId=identifier, configuration=json.dumps({"plugins": {"pluginAdminEnabled": enabled}})
            )

    @staticmethod
    def _made(grafana: Any, identifier: str) -> Made:
        workspace = grafana.describe_workspace(workspaceId=identifier)["workspace"]
        return Made(
            identifier,
            {
                "Id": identifier,
                "Endpoint": workspace["endpoint"],
                "Status": workspace["status"],
                "GrafanaVersion": workspace["grafanaVersion"],
                "CreationTimestamp": workspace["created"].isoformat(),
                "ModificationTimestamp": workspace["modified"].isoformat(),
                "SamlConfigurationStatus": workspace["authentication"].get("samlConfigurationStatus")
                or "NOT_CONFIGURED",
                "SsoClientId": identifier,
            },
        )

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("grafana").delete_workspace(workspaceId=made.physical_id)


register(Prometheus(), RuleGroups(), Grafana())
