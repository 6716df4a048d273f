"""One stack: create, update and delete its resources, roll back, and remember every event.

Everything happens within the call, so a caller sees a final status at once; the events still tell
the whole story in order.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from . import dynamic, parameters
from .intrinsics import NO_VALUE, Scope, evaluate, text_of
from .records import ResourceFailure, Settings, StackResource, is_known, kind_of, now, reason_of
from .resource import Made, Properties, Request
from .template import TemplateError, creation_order, parse


class Stack:
    """The name is what the serializer expects: StackName is read from name, StackStatus from status."""

    def __init__(
        self, name: str, account: str, region: str, exports: Callable[[], dict[str, Any]], settings: Settings
    ):
        self.name, self.account, self.region = name, account, region
        self.stack_id = f"arn:aws:cloudformation:{region}:{account}:stack/{name}/{uuid.uuid4()}"
        self.settings = settings
        self.created_at = now()
        self.updated_at: datetime | None = None
        self.deleted_at: datetime | None = None
        self.status, self.reason = "REVIEW_IN_PROGRESS", None
        self.body, self.template = "", {}
        self.given: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self.resources: dict[str, StackResource] = {}
        self.outputs: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self._all_exports = exports

    @property
    def tags(self) -> dict[str, str]:
        return self.settings.tags

    # -- the three operations ---------------------------------------------------------------

    def create(self, body: str, given: dict[str, str]) -> None:
        self.load(body, given)
        self._record(None, "CREATE_IN_PROGRESS", "User Initiated")
        try:
            for name in creation_order(self.template):
                self._create(name)
            self.outputs = self._evaluate_outputs()
        except (ResourceFailure, TemplateError) as failure:
            self._create_failed(str(failure))
            return
        self._record(None, "CREATE_COMPLETE")

    def update(self, body: str, given: dict[str, str]) -> None:
        before = (self.body, self.template, self.given, self.values)
        snapshot = {name: (item.definition, item.properties) for name, item in self.resources.items()}
        self.load(body, given)
        self.updated_at = now()
        self._record(None, "UPDATE_IN_PROGRESS", "User Initiated")
        replaced: list[StackResource] = []
        try:
            for name in creation_order(self.template):
                self._create_or_update(name, replaced)
            self.outputs = self._evaluate_outputs()
        except (ResourceFailure, TemplateError) as failure:
            self._record(None, "UPDATE_ROLLBACK_IN_PROGRESS", str(failure))
            self.body, self.template, self.given, self.values = before
            self._undo_update(snapshot, replaced)
            return
        self._record(None, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        gone = [item for name, item in self.resources.items() if name not in self.template["Resources"]]
        self._remove(replaced, keep=True, policy="UpdateReplacePolicy")
        self._remove(gone, keep=True)
        for item in gone:
            self.resources.pop(item.logical_id, None)
        self._record(None, "UPDATE_COMPLETE")

    def delete(self, retained: list[str]) -> None:
        self._record(None, "DELETE_IN_PROGRESS", "User Initiated")
        left = self._remove(list(self.resources.values()), keep=True, also_keep=retained)
        if left:
            names = ", ".join(item.logical_id for item in left)
            self._record(None, "DELETE_FAILED", f"The following resource(s) failed to delete: [{names}]. ")
            return
        self.deleted_at = now()
        self.outputs = []
        self._record(None, "DELETE_COMPLETE")

    # -- parts ------------------------------------------------------------------------------

    def load(self, body: str, given: dict[str, str]) -> None:
        """Read a template and its parameters; TemplateError leaves the stack as it was."""
        template = parse(body)
        creation_order(template)
        unknown = sorted({item["Type"] for item in template["Resources"].values() if not is_known(item["Type"])})
        if unknown:
            raise TemplateError(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
        values = parameters.resolve(template, given, self._system_parameter)
        self.body, self.template, self.given, self.values = body, template, given, values

    def scope(self) -> Scope:
        return Scope(
            reference=self._reference,
            attribute=self._attribute,
            imported=self._imported,
            zones=lambda region: [(region or self.region) + letter for letter in "abcdef"],
            mappings=self.template.get("Mappings", {}),
            conditions=self.template.get("Conditions", {}),
        )

    def evaluated(self, name: str) -> Properties | None:
        """A resource's properties, or None where its condition is false."""
        definition = self.template["Resources"][name]
        scope = self.scope()
        if "Condition" in definition and not scope.condition(definition["Condition"]):
            return None
        return evaluate(definition.get("Properties", {}), scope)

    def _create(self, name: str) -> None:
        definition = self.template["Resources"][name]
        properties = self.evaluated(name)
        if properties is None:
            return
        item = StackResource(name, definition["Type"], definition, properties)
        self.resources[name] = item
        self._record(item, "CREATE_IN_PROGRESS")
        self._guarded(item, "CREATE_FAILED", lambda: self._make(item))
        self._record(item, "CREATE_COMPLETE")

    def _make(self, item: StackResource) -> None:
        request = self._request(item)
        item.made = kind_of(item.type_name).create(request, dynamic.resolve(item.properties, request))
        if not item.made.physical_id:
            raise ResourceFailure(f"{item.type_name} was made without a physical id")

    def _create_or_update(self, name: str, replaced: list[StackResource]) -> None:
        item = self.resources.get(name)
        if item is None:
            self._create(name)
            return
        properties = self.evaluated(name)
        definition = self.template["Resources"][name]
        if properties is None or definition["Type"] != item.type_name:
            replaced.append(self.resources.pop(name))
            self._create(name)
            return
        if properties == item.properties:
            item.definition = definition
            return
        self._record(item, "UPDATE_IN_PROGRESS")
        old = StackResource(name, item.type_name, item.definition, item.properties, item.made)
        self._guarded(item, "UPDATE_FAILED", lambda: self._change(item, old, properties, replaced))
        item.definition, item.properties = definition, properties
        self._record(item, "UPDATE_COMPLETE")

    def _change(
        self, item: StackResource, old: StackResource, properties: Properties, replaced: list[StackResource]
    ) -> None:
        assert item.made
        kind = kind_of(item.type_name)
        request = self._request(item)
        resolved = dynamic.resolve(properties, request)
        made = kind.update(request, item.made, dynamic.resolve(old.properties, request), resolved)
        if made is None:
            self._record(item, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical "
                         "resource; hence creating one.")  # fmt: skip
            made = kind.create(request, resolved)
            replaced.append(old)
        item.made = made

    def _guarded(self, item: StackResource, failed: str, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # any failure of a type is a failed resource, never a broken server
            reason = reason_of(error)
            self._record(item, failed, reason)
            raise ResourceFailure(
                f"The following resource(s) failed to {'update' if failed.startswith('UPDATE') else 'create'}: "
                f"[{item.logical_id}]. "
            ) from error

    def _create_failed(self, reason: str) -> None:
        if self.settings.on_failure == "DO_NOTHING":
            self._record(None, "CREATE_FAILED", reason)
            return
        final = "DELETE" if self.settings.on_failure == "DELETE" else "ROLLBACK"
        self._record(None, f"{final}_IN_PROGRESS", reason + "Rollback requested by user.")
        left = self._remove(list(self.resources.values()), keep=True, creating=True)
        self.outputs = []
        self._record(None, f"{final}_FAILED" if left else f"{final}_COMPLETE")
        if final == "DELETE" and not left:
            self.deleted_at = now()

    def _undo_update(self, snapshot: dict[str, Any], replaced: list[StackResource]) -> None:
        failures: list[StackResource] = []
        for old in replaced:
            current = self.resources.pop(old.logical_id, None)
            if current is not None:
                failures += self._remove([current], keep=False)
            self.resources[old.logical_id] = old
        fresh = [item for name, item in self.resources.items() if name not in snapshot]
        failures += self._remove(fresh, keep=False)
        for item in fresh:
            self.resources.pop(item.logical_id, None)
        for name, (definition, properties) in snapshot.items():
            item = self.resources[name]
            if item.properties == properties or item.made is None:
                continue
            try:
                made = kind_of(item.type_name).update(self._request(item), item.made, item.properties, properties)
                item.made, item.definition, item.properties = made or item.made, definition, properties
                self._record(item, "UPDATE_COMPLETE")
            except Exception as error:
                failures.append(item)
                self._record(item, "UPDATE_FAILED", reason_of(error))
        self.outputs = self._evaluate_outputs()
        self._record(None, "UPDATE_ROLLBACK_FAILED" if failures else "UPDATE_ROLLBACK_COMPLETE")

    def _remove(
        self,
        items: list[StackResource],
        keep: bool,
        creating: bool = False,
        also_keep: list[str] | None = None,
        policy: str = "DeletionPolicy",
    ) -> list[StackResource]:
        """Delete resources, users before what they use; answer those that could not be deleted.

        The service tries a refused deletion again for minutes, since another resource of the same
        stack may still hold on to it. Here: again until a whole round removes nothing.
        """
        waiting = self._deletion_order(items)
        for item in list(waiting):
            if item.made is None or item.status == "DELETE_COMPLETE":
                waiting.remove(item)
            elif keep and (item.logical_id in (also_keep or []) or self._kept(item, policy, creating)):
                self._record(item, "DELETE_SKIPPED")
                waiting.remove(item)
        reasons: dict[int, str] = {}
        progress = True
        while waiting and progress:
            progress = False
            for item in list(waiting):
                try:
                    assert item.made
                    kind_of(item.type_name).delete(self._request(item), item.made, item.properties)
                except Exception as error:
                    reasons[id(item)] = reason_of(error)
                    continue
                self._record(item, "DELETE_COMPLETE")
                waiting.remove(item)
                progress = True
        for item in waiting:
            self._record(item, "DELETE_FAILED", reasons[id(item)])
        return waiting

    def _deletion_order(self, items: list[StackResource]) -> list[StackResource]:
        order = list(self.resources)
        try:
            order = creation_order(self.template)
        except TemplateError:
            pass
        position = {name: index for index, name in enumerate(order)}
        return sorted(items, key=lambda item: -position.get(item.logical_id, len(position)))

    @staticmethod
    def _kept(item: StackResource, policy: str, creating: bool) -> bool:
        chosen = item.definition.get(policy, "Delete")
        return chosen == "Retain" or (chosen == "RetainExceptOnCreate" and not creating)

    def _evaluate_outputs(self) -> list[dict[str, Any]]:
        outputs, scope = [], self.scope()
        for name, output in self.template.get("Outputs", {}).items():
            if "Condition" in output and not scope.condition(output["Condition"]):
                continue
            entry = {"OutputKey": name, "OutputValue": text_of(evaluate(output["Value"], scope))}
            if "Description" in output:
                entry["Description"] = output["Description"]
            if "Export" in output:
                entry["ExportName"] = text_of(evaluate(output["Export"]["Name"], scope))
                owner = self._all_exports().get(entry["ExportName"])
                if owner and owner["ExportingStackId"] != self.stack_id:
                    raise TemplateError(
                        f"Export with name {entry['ExportName']} is already exported by stack "
                        f"{owner['ExportingStackId'].split('/')[1]}. "
                    )
            outputs.append(entry)
        return outputs

    # -- look-ups ---------------------------------------------------------------------------

    def _request(self, item: StackResource) -> Request:
        return Request(
            self.account, self.region, self.name, self.stack_id, item.logical_id, item.type_name,
            self.tags, item.definition.get("DeletionPolicy", "Delete"),
        )  # fmt: skip

    def _reference(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        pseudo = {
            "AWS::AccountId": self.account,
            "AWS::NoValue": NO_VALUE,
            "AWS::NotificationARNs": self.settings.notification_arns,
            "AWS::Partition": "aws",
            "AWS::Region": self.region,
            "AWS::StackId": self.stack_id,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        made = self._existing(name)
        return made.reference if made.reference is not None else made.physical_id

    def _attribute(self, name: str, attribute: str) -> Any:
        made = self._existing(name)
        if attribute in made.attributes:
            return made.attributes[attribute]
        model_attribute = getattr(made.model, "get_cfn_attribute", None)
        if model_attribute:
            value = model_attribute(attribute)
            if value is not None:
                return value
        raise TemplateError(
            f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
        )

    def _existing(self, name: str) -> Made:
        item = self.resources.get(name)
        if item is None or item.made is None:
            raise TemplateError(f"Template error: resource {name} does not exist, so nothing can refer to it")
        return item.made

    def _imported(self, name: str) -> Any:
        export = self._all_exports().get(name)
        if export is None:
            raise TemplateError(f"No export named {name} found.")
        return export["Value"]

    def _system_parameter(self, name: str) -> str:
        request = Request(self.account, self.region, self.name, self.stack_id, "", "")
        try:
            return request.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
        except ClientError as error:
            raise TemplateError(f"Unable to fetch parameters [{name}] from parameter store") from error

    def _record(self, item: StackResource | None, status: str, reason: str | None = None) -> None:
        moment = now()
        if item is None:
            self.status, self.reason = status, reason
        else:
            item.status, item.reason, item.changed_at = status, reason, moment
        event = {
            "StackId": self.stack_id,
            "EventId": str(uuid.uuid4()),
            "StackName": self.name,
            "LogicalResourceId": item.logical_id if item else self.name,
            "PhysicalResourceId": (item.physical_id or "") if item else self.stack_id,
            "ResourceType": item.type_name if item else "AWS::CloudFormation::Stack",
            "Timestamp": moment,
            "ResourceStatus": status,
        }
        if reason:
            event["ResourceStatusReason"] = reason
        self.events.append(event)
