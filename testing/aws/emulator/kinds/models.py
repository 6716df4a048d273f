"""The types that the emulator underneath can make itself, for those that have no module here.

Its own way of making them is used as it is; it may drop properties that it does not know.
"""

from __future__ import annotations

from typing import Any

from moto.cloudformation.parsing import generate_resource_name, get_model_map

from ..engine.resource import REGISTRY, Made, Properties, PropertyError, Request, ResourceType, register


def stays(method: Any) -> bool:
    return hasattr(method, "__isabstractmethod__")


class ModelType(ResourceType):
    """One type of the emulator underneath."""

    def __init__(self, name: str, model: Any):
        self.name, self.model = name, model

    def create(self, request: Request, properties: Properties) -> Made:
        name = self._name(request, properties)
        made = self.model.create_from_cloudformation_json(
            name, {"Type": self.name, "Properties": dict(properties)}, request.account, request.region,
            LogicalId=request.logical_id, StackId=request.stack_id, ResourceType=self.name,
        )  # fmt: skip
        made.cf_resource_type, made.logical_resource_id = self.name, request.logical_id
        return Made(made.physical_resource_id, {}, None, made)

    def _name(self, request: Request, properties: Properties) -> str:
        key = self.model.cloudformation_name_type()
        if key and key in properties:
            return properties[key]
        return generate_resource_name(self.name, request.stack_name, request.logical_id)

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if stays(self.model.update_from_cloudformation_json):
            return None
        model = self.model.update_from_cloudformation_json(
            original_resource=made.model, new_resource_name=self._name(request, new),
            cloudformation_json={"Type": self.name, "Properties": dict(new)},
            account_id=request.account, region_name=request.region,
        )  # fmt: skip
        return Made(model.physical_resource_id, {}, None, model)

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        if hasattr(made.model, "delete") and self._deletes_itself(request, made):
            return
        if stays(self.model.delete_from_cloudformation_json):
            raise PropertyError(f"The emulator cannot delete {self.name}")
        self.model.delete_from_cloudformation_json(
            made.physical_id, {"Type": self.name, "Properties": dict(properties)}, request.account, request.region
        )

    @staticmethod
    def _deletes_itself(request: Request, made: Made) -> bool:
        try:
            made.model.delete(request.account, request.region)
        except (TypeError, AttributeError):
            return False
        return True


def register_rest() -> None:
    """Everything that no module of this package has registered."""
    placeholders = ("?", "AWS::SERVICE::RESOURCE")
    for name, model in get_model_map().items():
        if name not in REGISTRY and name not in placeholders:
            register(ModelType(name, model))
