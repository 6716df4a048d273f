"""Logs, alarms, dashboards, notifications and budgets."""

from __future__ import annotations

import json
from typing import Any

from ..engine.resource import Made, Properties, PropertyError, Request, ResourceType, changed, register
from ..engine.shapes import parameters_for
from .api_type import ApiType, names, tag_list, tag_map

DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


class LogGroup(ResourceType):
    name = "AWS::Logs::LogGroup"

    def create(self, request: Request, properties: Properties) -> Made:
        logs = request.client("logs")
        name = properties.get("LogGroupName") or request.generated_name(512)
        values: dict[str, Any] = {"logGroupName": name}
        if "KmsKeyId" in properties:
            values["kmsKeyId"] = properties["KmsKeyId"]
        if labels := tag_map(properties, request):
            values["tags"] = labels
        logs.create_log_group(**values)
        self._retention(logs, name, properties)
        arn = f"arn:aws:logs:{request.region}:{request.account}:log-group:{name}:*"
        return Made(name, {"Arn": arn})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if "LogGroupName" in changed(old, new):
            return None
        self._retention(request.client("logs"), made.physical_id, new)
        return made

    @staticmethod
    def _retention(logs: Any, name: str, properties: Properties) -> None:
        if "RetentionInDays" not in properties:
            return
        days = int(properties["RetentionInDays"])
        if days not in DAYS:
            raise PropertyError(f"RetentionInDays: {days} is not one of {DAYS}")
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("logs").delete_log_group(logGroupName=made.physical_id)


class MetricFilter(ResourceType):
    name = "AWS::Logs::MetricFilter"

    def create(self, request: Request, properties: Properties) -> Made:
        name = properties.get("FilterName") or request.generated_name(512)
        self._put(request, name, properties)
        return Made(name)

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if changed(old, new) & {"FilterName", "LogGroupName"}:
            return None
        self._put(request, made.physical_id, new)
        return made

    @staticmethod
    def _put(request: Request, name: str, properties: Properties) -> None:
        logs = request.client("logs")
        values = {**properties, "FilterName": name}
        logs.put_metric_filter(**parameters_for(logs, "put_metric_filter", values))

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("logs").delete_metric_filter(
            logGroupName=properties["LogGroupName"], filterName=made.physical_id
        )


class Alarm(ResourceType):
    """An alarm on a metric, or on other alarms."""

    def __init__(self, name: str, call: str):
        self.name, self.call = name, call

    def create(self, request: Request, properties: Properties) -> Made:
        return self._put(request, properties.get("AlarmName") or request.generated_name(255), properties)

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        return None if "AlarmName" in changed(old, new) else self._put(request, made.physical_id, new)

    def _put(self, request: Request, name: str, properties: Properties) -> Made:
        cloudwatch = request.client("cloudwatch")
        values = {**properties, "AlarmName": name}
        if labels := tag_list(properties, request):
            values["Tags"] = labels
        getattr(cloudwatch, self.call)(**parameters_for(cloudwatch, self.call, values))
        return Made(name, {"Arn": f"arn:aws:cloudwatch:{request.region}:{request.account}:alarm:{name}"})

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("cloudwatch").delete_alarms(AlarmNames=[made.physical_id])


class Dashboard(ResourceType):
    name = "AWS::CloudWatch::Dashboard"

    def create(self, request: Request, properties: Properties) -> Made:
        name = properties.get("DashboardName") or request.generated_name(255)
        self._put(request, name, properties)
        return Made(name)

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if "DashboardName" in changed(old, new):
            return None
        self._put(request, made.physical_id, new)
        return made

    @staticmethod
    def _put(request: Request, name: str, properties: Properties) -> None:
        body = properties["DashboardBody"]
        request.client("cloudwatch").put_dashboard(
            DashboardName=name, DashboardBody=body if isinstance(body, str) else json.dumps(body)
        )

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("cloudwatch").delete_dashboards(DashboardNames=[made.physical_id])


class Topic(ResourceType):
    """A topic; Ref gives its ARN."""

    name = "AWS::SNS::Topic"
    settings = {"DisplayName": "DisplayName", "KmsMasterKeyId": "KmsMasterKeyId"}

    def create(self, request: Request, properties: Properties) -> Made:
        sns = request.client("sns")
        name = properties.get("TopicName") or request.generated_name(256)
        values: dict[str, Any] = {"Name": name}
        if labels := tag_list(properties, request):
            values["Tags"] = labels
        arn = sns.create_topic(**values)["TopicArn"]
        self._settings(sns, arn, properties)
        for item in properties.get("Subscription", []):
            sns.subscribe(TopicArn=arn, Protocol=item["Protocol"], Endpoint=item["Endpoint"])
        return Made(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if changed(old, new) - {*self.settings, "Tags"}:
            return None
        self._settings(request.client("sns"), made.physical_id, new)
        return made

    def _settings(self, sns: Any, arn: str, properties: Properties) -> None:
        for key, attribute in self.settings.items():
            if key in properties:
                sns.set_topic_attributes(TopicArn=arn, AttributeName=attribute, AttributeValue=properties[key])

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("sns").delete_topic(TopicArn=made.physical_id)


class TopicPolicy(ResourceType):
    name = "AWS::SNS::TopicPolicy"

    def create(self, request: Request, properties: Properties) -> Made:
        self._put(request, properties)
        identifier = request.generated_name()
        return Made(identifier, {"Id": identifier})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        self._put(request, new)
        return made

    @staticmethod
    def _put(request: Request, properties: Properties) -> None:
        for arn in properties["Topics"]:
            request.client("sns").set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
            )

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        """The topic keeps its last policy, which nobody can see once the topic is gone."""


class Budget(ResourceType):
    name = "AWS::Budgets::Budget"

    def create(self, request: Request, properties: Properties) -> Made:
        budgets = request.client("budgets")
        name = properties["Budget"].get("BudgetName") or request.generated_name(100)
        values = {**properties, "AccountId": request.account, "Budget": {**properties["Budget"], "BudgetName": name}}
        values.pop("ResourceTags", None)
        budgets.create_budget(**parameters_for(budgets, "create_budget", values))
        return Made(name)

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if "NotificationsWithSubscribers" in changed(old, new):
            return None
        if old["Budget"].get("BudgetName") != new["Budget"].get("BudgetName"):
            return None
        budgets = request.client("budgets")
        values = {"AccountId": request.account, "NewBudget": {**new["Budget"], "BudgetName": made.physical_id}}
        budgets.update_budget(**parameters_for(budgets, "update_budget", values))
        return made

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("budgets").delete_budget(AccountId=request.account, BudgetName=made.physical_id)


class Replacing(Budget):
    """A budget whose notifications change is made anew under the same name, as the service does."""

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        same_name = old["Budget"].get("BudgetName") == new["Budget"].get("BudgetName")
        if same_name and "NotificationsWithSubscribers" in changed(old, new):
            self.delete(request, made, old)
            return self.create(request, {**new, "Budget": {**new["Budget"], "BudgetName": made.physical_id}})
        return super().update(request, made, old, new)


class Parameter(ResourceType):
    name = "AWS::SSM::Parameter"

    def create(self, request: Request, properties: Properties) -> Made:
        name = properties.get("Name") or "CFN-" + request.generated_name(128)
        self._put(request, name, properties, overwrite=False)
        return Made(name, {"Type": properties["Type"], "Value": properties["Value"]})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if "Name" in changed(old, new):
            return None
        self._put(request, made.physical_id, new, overwrite=True)
        return Made(made.physical_id, {"Type": new["Type"], "Value": new["Value"]})

    @staticmethod
    def _put(request: Request, name: str, properties: Properties, overwrite: bool) -> None:
        ssm = request.client("ssm")
        values = {**{key: item for key, item in properties.items() if key != "Tags"}, "Name": name}
        if overwrite:
            values["Overwrite"] = True
        elif labels := tag_list(properties, request):
            values["Tags"] = labels
        ssm.put_parameter(**parameters_for(ssm, "put_parameter", values))

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("ssm").delete_parameter(Name=made.physical_id)


register(
    LogGroup(),
    MetricFilter(),
    Alarm("AWS::CloudWatch::Alarm", "put_metric_alarm"),
    Alarm("AWS::CloudWatch::CompositeAlarm", "put_composite_alarm"),
    Dashboard(),
    Topic(),
    TopicPolicy(),
    ApiType(
        "AWS::SNS::Subscription", "sns", "subscribe", "SubscriptionArn", tags="",
        attributes={"Arn": "SubscriptionArn"}, left_out=names("Region", "FilterPolicy", "RawMessageDelivery"),
        before=lambda request, properties: {**properties, "ReturnSubscriptionArn": True},
        delete_call="unsubscribe", delete_by="SubscriptionArn",
    ),
    Replacing(),
    Parameter(),
)  # fmt: skip
