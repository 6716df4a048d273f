"""One stack: create, update and delete its resources, roll back, and remember every event.

Each operation has two halves. The first checks and records that it has begun, within the caller's
request; the second does the work, at once or in the background (world.py).
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ..world import world
from . import dynamic, failures, parameters
from .look_ups import LookUps
from .records import ResourceFailure, Settings, StackResource, Superseded, is_gone, is_known, kind_of, now, reason_of
from .resource import Made, Properties, Request, Said, Unfinished
from .template import TemplateError, creation_order, parse

INITIATED = "Resource creation Initiated"
REPLACES = "Requested update requires the creation of a new physical resource; hence creating one."


class Stack(LookUps):
    """The name is what the serializer expects: StackName is read from name, StackStatus from status."""

    def __init__(self, name: str, account: str, region: str, exports: Callable[[], dict[str, Any]], settings: Settings):
        self.name, self.account, self.region = name, account, region
        self.stack_id = f"arn:aws:cloudformation:{region}:{account}:stack/{name}/{uuid.uuid4()}"
        self.settings = settings
        self.parent_id: str | None = None
        self.root_id: str | None = None
        self.created_at = now()
        self.updated_at: datetime | None = None
        self.deleted_at: datetime | None = None
        self.fading = False
        self.status, self.reason = "REVIEW_IN_PROGRESS", None
        self.body, self.template = "", {}
        self.given: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self.resources: dict[str, StackResource] = {}
        self.outputs: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.token: str | None = None
        self.drift: dict[str, Any] = {}
        self._busy = self._superseded = self._cancelled = False
        self._way_back: Callable[[list[str]], None] | None = None
        self._all_exports = exports

    @property
    def tags(self) -> dict[str, str]:
        return self.settings.tags

    def carry_out(self, work: Callable[[], None]) -> None:
        """The second half of an operation, after whatever is still running for this stack."""

        def alone() -> None:
            world.wait_for(lambda: not self._busy, float("inf"))
            self._busy, self._superseded, self._cancelled = True, False, False
            try:
                work()
            except Superseded:
                pass
            finally:
                self._busy = False

        world.start(alone)

    # -- the operations -----------------------------------------------------------------------

    def begin_create(self, body: str, given: dict[str, str]) -> None:
        self.load(body, given)
        self._record(None, "CREATE_IN_PROGRESS", "User Initiated")

    def create(self) -> None:
        try:
            for name in creation_order(self.template):
                self._create(name)
            self.outputs = self._evaluate_outputs()
        except (ResourceFailure, TemplateError) as failure:
            self._create_failed(str(failure))
            return
        self._record(None, "CREATE_COMPLETE")

    def begin_update(
        self, body: str, given: dict[str, str], tags: dict[str, str] | None = None, keep_failures: bool = False
    ) -> Callable[[], None]:
        before = (self.body, self.template, self.given, self.values, self.settings.tags)
        snapshot = {name: (item.definition, item.properties) for name, item in self.resources.items()}
        self.load(body, given)
        self.settings.tags = tags or self.settings.tags
        self.updated_at = now()
        self._record(None, "UPDATE_IN_PROGRESS", "User Initiated")
        return lambda: self._update(before, snapshot, keep_failures)

    def _update(self, before: tuple[Any, ...], snapshot: dict[str, Any], keep_failures: bool) -> None:
        replaced: list[StackResource] = []
        try:
            for name in creation_order(self.template):
                self._create_or_update(name, replaced)
            self.outputs = self._evaluate_outputs()
        except (ResourceFailure, TemplateError) as failure:
            if keep_failures:
                self._way_back = lambda _: self._go_back(before, snapshot, replaced)
                self._record(None, "UPDATE_FAILED", str(failure))
                return
            self._record(None, "UPDATE_ROLLBACK_IN_PROGRESS", str(failure))
            self._go_back(before, snapshot, replaced)
            return
        self._record(None, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        gone = [item for name, item in self.resources.items() if name not in self.template["Resources"]]
        self._remove(replaced, keep=True, policy="UpdateReplacePolicy")
        self._remove(gone, keep=True)
        for item in gone:
            self.resources.pop(item.logical_id, None)
        self._record(None, "UPDATE_COMPLETE")

    def cancel_update(self) -> None:
        self._cancelled = True

    def begin_delete(self, retained: list[str]) -> Callable[[], None]:
        self._superseded = self._busy
        self._record(None, "DELETE_IN_PROGRESS", "User Initiated")
        return lambda: self._delete(retained)

    def _delete(self, retained: list[str]) -> None:
        left = self._remove(list(self.resources.values()), keep=True, also_keep=retained)
        if left:
            names = ", ".join(item.logical_id for item in left)
            self._record(None, "DELETE_FAILED", f"The following resource(s) failed to delete: [{names}]. ")
            return
        self.deleted_at, self.fading = now(), not world.options.clusters
        self.outputs = []
        self._record(None, "DELETE_COMPLETE")

    def begin_rollback(self, skipped: list[str]) -> Callable[[], None]:
        """Continue a rollback that failed, or roll back what was left as it was."""
        if self.status in ("UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED") and (way_back := self._way_back):
            self._record(None, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
            return lambda: way_back(skipped)
        self._record(None, "ROLLBACK_IN_PROGRESS", "User Initiated")
        return lambda: self._roll_back("ROLLBACK")

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

    def _breathe(self) -> None:
        """Let readers see the progress; stop where the operation is no longer wanted."""
        world.pause(world.options.pace)
        if self._superseded:
            raise Superseded
        if self._cancelled:
            self._cancelled = False
            raise ResourceFailure("Update cancelled by user.")

    def _create(self, name: str) -> None:
        definition = self.template["Resources"][name]
        properties = self.evaluated(name)
        if properties is None:
            return
        item = StackResource(name, definition["Type"], definition, properties)
        self.resources[name] = item
        self._record(item, "CREATE_IN_PROGRESS")
        self._breathe()
        self._guarded(item, "CREATE_FAILED", lambda: self._make(item))
        self._record(item, "CREATE_COMPLETE")

    def _make(self, item: StackResource) -> None:
        def begun(physical_id: str) -> None:
            item.made = Made(physical_id)
            self._record(item, "CREATE_IN_PROGRESS", INITIATED)

        failures.check(self.name, item, "create")
        request = self._request(item, begun)
        try:
            made = kind_of(item.type_name).create(request, dynamic.resolve(item.properties, request))
        except Unfinished as unfinished:
            item.made = unfinished.made
            raise
        if not made.physical_id:
            raise ResourceFailure(f"{item.type_name} was made without a physical id")
        is_told, item.made = item.made is not None, made
        if not is_told:
            self._record(item, "CREATE_IN_PROGRESS", INITIATED)

    def _create_or_update(self, name: str, replaced: list[StackResource]) -> None:
        item = self.resources.get(name)
        if item is None or item.made is None:
            self._create(name)
            return
        properties = self.evaluated(name)
        definition = self.template["Resources"][name]
        if properties is None or definition["Type"] != item.type_name or item.status == "CREATE_FAILED":
            replaced.append(self.resources.pop(name))
            self._create(name)
            return
        if properties == item.properties and item.status != "UPDATE_FAILED":
            item.definition = definition
            return
        self._record(item, "UPDATE_IN_PROGRESS")
        self._breathe()
        item.attempted = properties
        old = StackResource(name, item.type_name, item.definition, item.properties, item.made)
        self._guarded(item, "UPDATE_FAILED", lambda: self._change(item, old, properties, replaced))
        item.definition, item.properties = definition, properties
        self._record(item, "UPDATE_COMPLETE")

    def _change(
        self, item: StackResource, old: StackResource, properties: Properties, replaced: list[StackResource]
    ) -> None:
        assert item.made
        failures.check(self.name, item, "update")
        kind = kind_of(item.type_name)
        request = self._request(item)
        resolved = dynamic.resolve(properties, request)
        made = kind.update(request, item.made, dynamic.resolve(old.properties, request), resolved)
        if made is None:
            self._record(item, "UPDATE_IN_PROGRESS", REPLACES)
            made = kind.create(request, resolved)
            item.made = made
            self._record(item, "UPDATE_IN_PROGRESS", INITIATED)
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
        asked = "Delete" if final == "DELETE" else "Rollback"
        self._record(None, f"{final}_IN_PROGRESS", f"{reason}{asked} requested by user.")
        self._roll_back(final)

    def _roll_back(self, final: str) -> None:
        left = self._remove(list(self.resources.values()), keep=True, creating=True)
        self.outputs = []
        names = ", ".join(item.logical_id for item in left)
        reason = f"The following resource(s) failed to delete: [{names}]. " if left else None
        if final == "DELETE" and not left:
            self.deleted_at = now()
        self._record(None, f"{final}_FAILED" if left else f"{final}_COMPLETE", reason)

    def _go_back(
        self, before: tuple[Any, ...], snapshot: dict[str, Any], replaced: list[StackResource]
    ) -> None:
        self.body, self.template, self.given, self.values, self.settings.tags = before
        self._undo_update(snapshot, replaced)

    def _undo_update(self, snapshot: dict[str, Any], replaced: list[StackResource]) -> None:
        leftover: list[StackResource] = []
        for old in replaced:
            current = self.resources.pop(old.logical_id, None)
            if current is not None:
                leftover.append(current)
            self.resources[old.logical_id] = old
        leftover += [item for name, item in self.resources.items() if name not in snapshot]
        for item in leftover:
            if self.resources.get(item.logical_id) is item:
                del self.resources[item.logical_id]
        self._way_back = lambda skipped: self._finish_undo(snapshot, leftover, skipped)
        self._way_back([])

    def _finish_undo(self, snapshot: dict[str, Any], leftover: list[StackResource], skipped: list[str]) -> None:
        failed = []
        for name, (definition, properties) in snapshot.items():
            item = self.resources[name]
            if name in skipped:  # taken for what it was, whatever it is
                item.definition, item.properties, item.attempted = definition, properties, None
                self._record(item, "UPDATE_COMPLETE")
                continue
            try:
                self._restore(item, definition, properties)
            except Exception as error:
                failed.append(item)
                self._record(item, "UPDATE_FAILED", reason_of(error))
        self.outputs = self._evaluate_outputs()
        if failed:
            names = ", ".join(item.logical_id for item in failed)
            reason = f"The following resource(s) failed to update: [{names}]. "
            self._record(None, "UPDATE_ROLLBACK_FAILED", reason)
            return
        self._record(None, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._remove(leftover, keep=False)
        self._way_back = None
        self._record(None, "UPDATE_ROLLBACK_COMPLETE")

    def _restore(self, item: StackResource, definition: dict[str, Any], properties: Properties) -> None:
        """Send the old properties again, also to a custom resource whose update failed."""
        kind, tried = kind_of(item.type_name), item.attempted
        failed_halfway = item.status == "UPDATE_FAILED" and kind.asks_again_after_failure and tried is not None
        if item.made is None or (item.properties == properties and not failed_halfway):
            return
        self._record(item, "UPDATE_IN_PROGRESS")
        self._breathe()
        failures.check(self.name, item, "update")
        current = tried if failed_halfway and tried is not None else item.properties
        made = kind.update(self._request(item), item.made, current, properties)
        item.made, item.definition, item.properties = made or item.made, definition, properties
        item.attempted = None
        self._record(item, "UPDATE_COMPLETE")

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
        final: set[int] = set()
        progress = True
        while waiting and progress:
            progress = False
            for item in [item for item in waiting if id(item) not in final]:
                if id(item) not in reasons:
                    self._record(item, "DELETE_IN_PROGRESS")
                    world.pause(world.options.pace)
                try:
                    assert item.made
                    failures.check(self.name, item, "delete")
                    kind_of(item.type_name).delete(self._request(item), item.made, item.properties)
                except Exception as error:
                    # What is gone already counts as deleted, as handlers of types have to answer it.
                    if not is_gone(error):
                        reasons[id(item)] = reason_of(error)
                        final |= {id(item)} if isinstance(error, Said) else set()
                        continue
                self._record(item, "DELETE_COMPLETE")
                waiting.remove(item)
                progress = True
        for item in waiting:
            self._record(item, "DELETE_FAILED", reasons[id(item)])
        return waiting

    def _deletion_order(self, items: list[StackResource]) -> list[StackResource]:
        order = list(self.resources)
        with contextlib.suppress(TemplateError):
            order = creation_order(self.template)
        position = {name: index for index, name in enumerate(order)}
        return sorted(items, key=lambda item: -position.get(item.logical_id, len(position)))

    @staticmethod
    def _kept(item: StackResource, policy: str, creating: bool) -> bool:
        chosen = item.definition.get(policy, "Delete")
        return chosen == "Retain" or (chosen == "RetainExceptOnCreate" and not creating)

    def _request(self, item: StackResource, begun: Callable[[str], None] | None = None) -> Request:
        return Request(
            self.account, self.region, self.name, self.stack_id, item.logical_id, item.type_name,
            self.tags, item.definition.get("DeletionPolicy", "Delete"), begun or (lambda _: None),
        )  # fmt: skip

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
        if self.token:
            event["ClientRequestToken"] = self.token
        self.events.append(event)
