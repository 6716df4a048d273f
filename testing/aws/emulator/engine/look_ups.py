"""What a template's functions see of a stack: its parameters, its resources, and the region's exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from .intrinsics import NO_VALUE, Scope, evaluate, text_of
from .records import Settings, StackResource
from .resource import Made, Properties, Request
from .template import TemplateError


class LookUps:
    """The reading half of a stack."""

    name: str
    account: str
    region: str
    stack_id: str
    settings: Settings
    template: dict[str, Any]
    values: dict[str, Any]
    resources: dict[str, StackResource]
    _all_exports: Callable[[], dict[str, Any]]

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
