"""Amazon Managed Grafana: workspaces, their authentication, API keys and service accounts.

The dashboard server behind a workspace's address does not exist.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult

from .. import identifiers
from ..errors import Refusal
from ..extension import store
from .own_service import OwnResponse, add_service

PASSED_ON = (
    "accountAccessType", "configuration", "kmsKeyId", "networkAccessControl", "organizationRoleName",
    "permissionType", "stackSetName", "vpcConfiguration", "workspaceDataSources", "workspaceDescription",
    "workspaceNotificationDestinations", "workspaceOrganizationalUnits", "workspaceRoleArn",
)  # fmt: skip


def now() -> datetime:
    return datetime.now(UTC)


def not_found(identifier: str) -> Refusal:
    return Refusal("ResourceNotFoundException", f"Workspace {identifier} not found")


class GrafanaResponse(OwnResponse):
    def __init__(self) -> None:
        super().__init__(service_name="grafana")

    @property
    def workspaces(self) -> dict[str, dict[str, Any]]:
        return store(self.backend, "workspaces")

    def _workspace(self) -> dict[str, Any]:
        identifier = self.given["workspaceId"]
        if identifier not in self.workspaces:
            raise not_found(identifier)
        return self.workspaces[identifier]

    def create_workspace(self) -> ActionResult:
        given, identifier = self.given, identifiers.new("g-", lambda: "g-" + uuid.uuid4().hex[:10])
        providers = list(given["authenticationProviders"])
        workspace = {
            "id": identifier,
            "name": given.get("workspaceName", ""),
            "description": given.get("workspaceDescription", ""),
            "endpoint": f"{identifier}.grafana-workspace.{self.region}.amazonaws.com",
            "status": "ACTIVE",
            "grafanaVersion": given.get("grafanaVersion", "10.4"),
            "created": now(),
            "modified": now(),
            "dataSources": list(given.get("workspaceDataSources", [])),
            "notificationDestinations": list(given.get("workspaceNotificationDestinations", [])),
            "organizationalUnits": list(given.get("workspaceOrganizationalUnits", [])),
            "authentication": {
                "providers": providers,
                "samlConfigurationStatus": "NOT_CONFIGURED" if "SAML" in providers else None,
            },
            "tags": dict(given.get("tags", {})),
            "EmulatorConfiguration": given.get("configuration", "{}"),
        }
        workspace |= {key: given[key] for key in PASSED_ON if key in given and not key.startswith("workspace")}
        if "workspaceRoleArn" in given:
            workspace["workspaceRoleArn"] = given["workspaceRoleArn"]
        self.workspaces[identifier] = workspace
        return ActionResult({"workspace": workspace})

    def describe_workspace(self) -> ActionResult:
        return ActionResult({"workspace": self._workspace()})

    def list_workspaces(self) -> ActionResult:
        return ActionResult({"workspaces": list(self.workspaces.values())})

    def update_workspace(self) -> ActionResult:
        workspace, given = self._workspace(), self.given
        renamed = {
            "workspaceName": "name",
            "workspaceDescription": "description",
            "workspaceDataSources": "dataSources",
            "workspaceNotificationDestinations": "notificationDestinations",
            "workspaceOrganizationalUnits": "organizationalUnits",
        }
        for key, value in given.items():
            if key not in ("workspaceId", "removeNetworkAccessConfiguration", "removeVpcConfiguration"):
                workspace[renamed.get(key, key)] = value
        workspace["modified"] = now()
        return ActionResult({"workspace": workspace})

    def delete_workspace(self) -> ActionResult:
        workspace = self._workspace()
        del self.workspaces[workspace["id"]]
        return ActionResult({"workspace": workspace | {"status": "DELETING"}})

    def describe_workspace_authentication(self) -> ActionResult:
        return ActionResult({"authentication": self._authentication(self._workspace())})

    def update_workspace_authentication(self) -> ActionResult:
        workspace, given = self._workspace(), self.given
        workspace["authentication"]["providers"] = list(given["authenticationProviders"])
        if "samlConfiguration" in given:
            workspace["EmulatorSaml"] = given["samlConfiguration"]
            workspace["authentication"]["samlConfigurationStatus"] = "CONFIGURED"
        return ActionResult({"authentication": self._authentication(workspace)})

    @staticmethod
    def _authentication(workspace: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {"providers": workspace["authentication"]["providers"]}
        if "SAML" in result["providers"]:
            result["saml"] = {"status": workspace["authentication"]["samlConfigurationStatus"]}
            if "EmulatorSaml" in workspace:
                result["saml"]["configuration"] = workspace["EmulatorSaml"]
        if "AWS_SSO" in result["providers"]:
            result["awsSso"] = {"ssoClientId": workspace["id"]}
        return result

    def describe_workspace_configuration(self) -> ActionResult:
        workspace = self._workspace()
        return ActionResult(
            {"configuration": workspace["EmulatorConfiguration"], "grafanaVersion": workspace["grafanaVersion"]}
        )

    def update_workspace_configuration(self) -> ActionResult:
        workspace = self._workspace()
        workspace["EmulatorConfiguration"] = self.given["configuration"]
        workspace["grafanaVersion"] = self.given.get("grafanaVersion", workspace["grafanaVersion"])
        return ActionResult({})

    def create_workspace_api_key(self) -> ActionResult:
        workspace = self._workspace()
        return ActionResult(
            {"keyName": self.given["keyName"], "key": secrets.token_urlsafe(32), "workspaceId": workspace["id"]}
        )

    def delete_workspace_api_key(self) -> ActionResult:
        return ActionResult({"keyName": self.given["keyName"], "workspaceId": self._workspace()["id"]})

    def create_workspace_service_account(self) -> ActionResult:
        workspace = self._workspace()
        accounts = workspace.setdefault("EmulatorAccounts", {})
        account = {
            "id": str(len(accounts) + 1),
            "name": self.given["name"],
            "grafanaRole": self.given["grafanaRole"],
            "isDisabled": "false",
        }
        accounts[account["id"]] = account
        return ActionResult(account | {"workspaceId": workspace["id"]})

    def list_workspace_service_accounts(self) -> ActionResult:
        workspace = self._workspace()
        accounts = list(workspace.get("EmulatorAccounts", {}).values())
        return ActionResult({"serviceAccounts": accounts, "workspaceId": workspace["id"]})

    def delete_workspace_service_account(self) -> ActionResult:
        workspace, identifier = self._workspace(), self.given["serviceAccountId"]
        if workspace.get("EmulatorAccounts", {}).pop(identifier, None) is None:
            raise Refusal("ResourceNotFoundException", f"Service account {identifier} not found")
        return ActionResult({"serviceAccountId": identifier, "workspaceId": workspace["id"]})

    def create_workspace_service_account_token(self) -> ActionResult:
        workspace = self._workspace()
        token = {"id": uuid.uuid4().hex[:8], "name": self.given["name"], "key": "glsa_" + secrets.token_urlsafe(32)}
        workspace.setdefault("EmulatorTokens", {})[token["id"]] = token | {
            "expiresAt": now() + timedelta(seconds=int(self.given["secondsToLive"]))
        }
        return ActionResult(
            {
                "serviceAccountToken": token,
                "serviceAccountId": self.given["serviceAccountId"],
                "workspaceId": workspace["id"],
            }
        )

    def tag_resource(self) -> ActionResult:
        self._tagged()["tags"].update(self.given["tags"])
        return ActionResult({})

    def untag_resource(self) -> ActionResult:
        workspace = self._tagged()
        for key in self.given["tagKeys"]:
            workspace["tags"].pop(key, None)
        return ActionResult({})

    def list_tags_for_resource(self) -> ActionResult:
        return ActionResult({"tags": self._tagged()["tags"]})

    def _tagged(self) -> dict[str, Any]:
        identifier = self.given["resourceArn"].split("/")[-1]
        if identifier not in self.workspaces:
            raise not_found(identifier)
        return self.workspaces[identifier]


grafana_backends = add_service(
    "grafana",
    "grafana",
    GrafanaResponse,
    (
        "/workspaces$",
        "/workspaces/(?P<id>[^/]+)$",
        "/workspaces/(?P<id>[^/]+)/(?P<part>[^/]+)$",
        "/workspaces/(?P<id>[^/]+)/(?P<part>[^/]+)/(?P<item>[^/]+)$",
        "/workspaces/(?P<id>[^/]+)/(?P<part>[^/]+)/(?P<item>[^/]+)/(?P<more>[^/]+)$",
        "/tags/(?P<arn>.+)$",
    ),
)
