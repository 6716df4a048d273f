"""Service Quotas of EC2 and of VPCs, with values that a test may set.

Nothing is counted against a quota: it is what the account would be allowed.
"""

from __future__ import annotations

from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.servicequotas.responses import ServiceQuotasResponse

from ..errors import Refusal
from ..extension import extend

# service, code: name and value; those of instances count vCPUs
QUOTAS: dict[tuple[str, str], tuple[str, float]] = {
    ("ec2", "L-1216C47A"): ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 1152.0),
    ("ec2", "L-417A185B"): ("Running On-Demand P instances", 1920.0),
    ("ec2", "L-DB2E81BA"): ("Running On-Demand G and VT instances", 768.0),
    ("ec2", "L-2C3B7624"): ("Running On-Demand Trn instances", 512.0),
    ("ec2", "L-1945791B"): ("Running On-Demand Inf instances", 128.0),
    ("ec2", "L-34B43A08"): ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 1440.0),
    ("ec2", "L-7212CCBC"): ("All P4, P3 and P2 Spot Instance Requests", 768.0),
    ("ec2", "L-C4BD4855"): ("All P5 Spot Instance Requests", 1920.0),
    ("ec2", "L-3819A6DF"): ("All G and VT Spot Instance Requests", 768.0),
    ("ec2", "L-6B0D517C"): ("All Trn Spot Instance Requests", 512.0),
    ("ec2", "L-B5D1601B"): ("All Inf Spot Instance Requests", 128.0),
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", 5.0),
    ("vpc", "L-F678F1CE"): ("VPCs per Region", 5.0),
    ("vpc", "L-FE5A380F"): ("NAT gateways per Availability Zone", 5.0),
    ("vpc", "L-A4707A72"): ("Internet gateways per Region", 5.0),
    ("vpc", "L-E79EC296"): ("VPC security groups per Region", 2500.0),
    ("fsx", "L-EF0AF23D"): ("Lustre Persistent_2 file systems", 100.0),
}
SERVICES = {"ec2": "Amazon Elastic Compute Cloud (Amazon EC2)", "vpc": "Amazon Virtual Private Cloud (Amazon VPC)",
            "fsx": "Amazon FSx"}  # fmt: skip
GIVEN: dict[tuple[str, str], float] = {}


def _quota(region: str, service: str, code: str, is_default: bool) -> dict[str, Any]:
    name, value = QUOTAS.get((service, code), (code, 0.0))
    if not is_default:
        value = GIVEN.get((service, code), value)
    return {
        "ServiceCode": service,
        "ServiceName": SERVICES.get(service, service),
        "QuotaArn": f"arn:aws:servicequotas:{region}:{DEFAULT_ACCOUNT_ID}:{service}/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }


def _one(self: Any, is_default: bool) -> ActionResult:
    key = self._get_param("ServiceCode"), self._get_param("QuotaCode")
    if key not in QUOTAS and key not in GIVEN:
        raise Refusal("NoSuchResourceException", "The request failed because the specified service does not exist.")
    return ActionResult({"Quota": _quota(self.region, *key, is_default)})


def _all(self: Any, is_default: bool) -> ActionResult:
    service = self._get_param("ServiceCode")
    keys = [key for key in {**QUOTAS, **GIVEN} if key[0] == service]
    start, size = int(self._get_param("NextToken") or 0), int(self._get_param("MaxResults") or 100)
    page = {"Quotas": [_quota(self.region, *key, is_default) for key in keys[start : start + size]]}
    return ActionResult(page | ({"NextToken": str(start + size)} if start + size < len(keys) else {}))


@extend(ServiceQuotasResponse)
def get_service_quota(self: Any) -> ActionResult:
    return _one(self, is_default=False)


@extend(ServiceQuotasResponse)
def get_aws_default_service_quota(self: Any) -> ActionResult:
    return _one(self, is_default=True)


@extend(ServiceQuotasResponse)
def list_service_quotas(self: Any) -> ActionResult:
    return _all(self, is_default=False)


@extend(ServiceQuotasResponse)
def list_aws_default_service_quotas(self: Any) -> ActionResult:
    return _all(self, is_default=True)
