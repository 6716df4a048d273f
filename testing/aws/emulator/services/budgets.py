"""Budgets: changing one, which the emulator underneath lacks."""

from __future__ import annotations

import json
from typing import Any

from moto.budgets.responses import BudgetsResponse

from ..extension import extend


@extend(BudgetsResponse)
def update_budget(self: Any) -> str:
    given = json.loads(self.body)
    name = given["NewBudget"]["BudgetName"]
    self.backend.describe_budget(account_id=given["AccountId"], budget_name=name)  # raises if it is not there
    self.backend.budgets[given["AccountId"]][name].budget.update(given["NewBudget"])
    return json.dumps({})
