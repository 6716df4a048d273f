"""A resource type that one call of an API makes, one call changes and one call deletes.

Most types are that, so they are written as data. What does not fit goes into the hooks: before
rewrites the properties for the call, after finishes what the call cannot do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..engine.resource import Made, Properties, Request, ResourceType, changed
from ..engine.shapes import parameters_for

Hook = Callable[[Request, Made, Properties, Properties | None], None]


def pick(document: Any, path: str) -> Any:
    """The value at a dotted path of an answer; a number selects from a list; None where absent."""
    for part in path.split(".") if path else ():
        if isinstance(document, list):
            document = document[int(part)] if int(part) < len(document) else None
        elif isinstance(document, dict):
            document = document.get(part)
        else:
            return None
    return document


def tag_list(properties: Properties, request: Request) -> list[dict[str, str]]:
    """The stack's tags and the resource's own, as Key and Value pairs."""
    return [{"Key": key, "Value": value} for key, value in tag_map(properties, request).items()]


def tag_map(properties: Properties, request: Request) -> dict[str, str]:
    own = properties.get("Tags") or {}
    if isinstance(own, list):
        own = {item["Key"]: str(item["Value"]) for item in own}
    return {**request.tags, **own}


@dataclass(frozen=True)
class ApiType(ResourceType):
    """The type as data.

    answer is the path of the new object in the create call's answer, identifier the path of the
    physical id in that object. tags is "list", "map", "" for none, or an EC2 resource type.
    """

    name: str
    service: str
    create_call: str
    identifier: str
    answer: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    tags: str = "list"
    tag_parameter: str = "Tags"
    reference: str | None = None
    before: Callable[[Request, Properties], Properties] | None = None
    after: Hook | None = None
    describe: Callable[[Any, str], Any] | None = None
    delete_call: str = ""
    delete_by: str = ""
    update_call: str = ""
    update_by: str = ""
    mutable: frozenset[str] = frozenset()
    retag: Callable[[Request, Made, list[dict[str, str]]], None] | None = None

    def create(self, request: Request, properties: Properties) -> Made:
        client = request.client(self.service)
        answer = getattr(client, self.create_call)(**self.parameters(request, properties))
        document = pick(answer, self.answer)
        identifier = pick(document, self.identifier)
        made = self._made(client, str(identifier), document)
        if self.after:
            self.after(request, made, properties, None)
        return made

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        moved = changed(old, new)
        if moved - self.mutable - {"Tags"}:
            return None
        client = request.client(self.service)
        if self.update_call and moved - {"Tags"} - self.left_out:
            prepared = self.before(request, new) if self.before else dict(new)
            values = {key: value for key, value in prepared.items() if key in moved and key not in self.left_out}
            values.pop("Tags", None)
            values = {self.renames.get(key, key): value for key, value in values.items()}
            values[self.update_by] = made.physical_id
            getattr(client, self.update_call)(**parameters_for(client, self.update_call, values))
        if self.after:
            self.after(request, made, new, old)
        if "Tags" in moved and self.tags:
            self._retag(request, made, new)
        return self._made(client, made.physical_id, None) if self.describe else made

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        client = request.client(self.service)
        getattr(client, self.delete_call)(**{self.delete_by: made.physical_id})

    def parameters(self, request: Request, properties: Properties) -> dict[str, Any]:
        """What the create call gets."""
        prepared = self.before(request, properties) if self.before else dict(properties)
        values = {
            self.renames.get(key, key): value
            for key, value in prepared.items()
            if key not in self.left_out and key != "Tags"
        }
        if self.tags == "list":
            values[self.tag_parameter] = tag_list(properties, request)
        elif self.tags == "map":
            values[self.tag_parameter] = tag_map(properties, request)
        elif self.tags and (labels := tag_list(properties, request)):
            values["TagSpecifications"] = [{"ResourceType": self.tags, "Tags": labels}]
        if self.tags in ("list", "map") and not values[self.tag_parameter]:
            del values[self.tag_parameter]
        client = request.client(self.service)
        return parameters_for(client, self.create_call, values)

    def _made(self, client: Any, identifier: str, document: Any) -> Made:
        if self.describe:
            document = self.describe(client, identifier)
        attributes = {name: pick(document, path) for name, path in self.attributes.items()}
        reference = pick(document, self.reference) if self.reference else None
        known = {name: value for name, value in attributes.items() if value is not None}
        return Made(identifier, known, reference)

    def _retag(self, request: Request, made: Made, properties: Properties) -> None:
        labels = tag_list(properties, request)
        if self.retag:
            self.retag(request, made, labels)
        elif self.service == "ec2" and labels:
            request.client("ec2").create_tags(Resources=[made.physical_id], Tags=labels)


def names(*values: str) -> frozenset[str]:
    return frozenset(values)
