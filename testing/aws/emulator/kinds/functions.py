"""Lambda functions and layers. They are records: nothing runs their code."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from ..engine.resource import Made, Properties, Request, ResourceType, changed, register
from ..engine.shapes import parameters_for
from .api_type import tag_map

CODE = {"Code", "Architectures"}
UPDATABLE = CODE | {
    "Description", "Environment", "Handler", "Layers", "MemorySize", "Role", "Runtime", "Tags", "Timeout",
    "TracingConfig", "VpcConfig", "ReservedConcurrentExecutions", "LoggingConfig",
}  # fmt: skip
PUBLISHED_BUCKET = "-aws-parallelcluster"


def zipped(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", text)
    return packed.getvalue()


class Function(ResourceType):
    name = "AWS::Lambda::Function"

    def create(self, request: Request, properties: Properties) -> Made:
        functions = request.client("lambda")
        values = {key: item for key, item in properties.items() if key != "ReservedConcurrentExecutions"}
        values.setdefault("FunctionName", request.generated_name(64))
        values["Code"] = self._code(properties)
        if tags := tag_map(properties, request):
            values["Tags"] = tags
        answer = functions.create_function(**parameters_for(functions, "create_function", values))
        if "ReservedConcurrentExecutions" in properties:
            functions.put_function_concurrency(
                FunctionName=answer["FunctionName"],
                ReservedConcurrentExecutions=int(properties["ReservedConcurrentExecutions"]),
            )
        return Made(answer["FunctionName"], {"Arn": answer["FunctionArn"]})

    @staticmethod
    def _code(properties: Properties) -> dict[str, Any]:
        code = dict(properties["Code"])
        if "ZipFile" in code:
            code["ZipFile"] = zipped(code["ZipFile"])
        return code

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        moved, functions = changed(old, new), request.client("lambda")
        if moved - UPDATABLE:
            return None
        if "Code" in moved:
            values = {"FunctionName": made.physical_id, **self._code(new)}
            functions.update_function_code(**parameters_for(functions, "update_function_code", values))
        if settings := {key: new[key] for key in moved - CODE - {"Tags", "ReservedConcurrentExecutions"} if key in new}:
            settings["FunctionName"] = made.physical_id
            functions.update_function_configuration(
                **parameters_for(functions, "update_function_configuration", settings)
            )
        if tags := tag_map(new, request):
            functions.tag_resource(Resource=made.attributes["Arn"], Tags=tags)
        return made

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("lambda").delete_function(FunctionName=made.physical_id)


class LayerVersion(ResourceType):
    """Ref gives the ARN of the version. A layer that AWS publishes has no content here."""

    name = "AWS::Lambda::LayerVersion"

    def create(self, request: Request, properties: Properties) -> Made:
        functions = request.client("lambda")
        values = {"LayerName": request.generated_name(64), **properties}
        if str(properties["Content"].get("S3Bucket", "")).endswith(PUBLISHED_BUCKET):
            values["Content"] = {"ZipFile": zipped("")}
        answer = functions.publish_layer_version(**parameters_for(functions, "publish_layer_version", values))
        return Made(answer["LayerVersionArn"], {"LayerVersionArn": answer["LayerVersionArn"]})

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        layer, _, version = made.physical_id.rpartition(":")
        request.client("lambda").delete_layer_version(LayerName=layer, VersionNumber=int(version))


register(Function(), LayerVersion())
