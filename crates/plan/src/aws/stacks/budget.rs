//! A budget with an alarm, on what carries the cluster's tag.

use serde_json::json;

use super::StackKind;
use crate::aws::cloudformation::Template;
use crate::aws::cloudformation::resources::observability::{
    Budget, BudgetData, Notification, NotificationRule, Spend, Subscriber,
};
use crate::aws::{Context, region};

pub(super) static STACK: StackKind = StackKind {
    name: "budget",
    about: "Budget: an alarm before the money is spent.",
    stays: Some("what is retained still costs"),
    seconds: 20,
    fill,
};

/// Percent of the budget: forecast to be passed, nearly spent, spent.
const ALARMS: [(&str, f64); 3] = [("FORECASTED", 100.0), ("ACTUAL", 80.0), ("ACTUAL", 100.0)];

fn fill(context: &Context<'_>, template: &mut Template) {
    let Some(budget) = &context.spec.budget else { return };
    let filter = format!("user:trainyard:cluster${}", context.spec.name);
    let filters =
        json!({ "TagKeyValue": [filter], "Region": [region(context.spec)] }).as_object().cloned().unwrap_or_default();
    let limit = Spend::new().amount(budget.usd_per_month).unit("USD");
    let data = BudgetData::new().budget_type("COST");
    // Without a name of ours: other alarms are another budget, and two of one name cannot be.
    let data = data.time_unit("MONTHLY").budget_limit(limit).cost_filters(filters);
    let subscribers: Vec<Subscriber> = budget
        .notify
        .iter()
        .map(|address| Subscriber::new().subscription_type("EMAIL").address(address.as_str()))
        .collect();
    let alarm = |(kind, percent): (&str, f64)| {
        let rule = NotificationRule::new().notification_type(kind).comparison_operator("GREATER_THAN");
        let rule = rule.threshold(percent).threshold_type("PERCENTAGE");
        Notification::new().notification(rule).subscribers(subscribers.clone())
    };
    let alarms: Vec<Notification> = ALARMS.into_iter().map(alarm).collect();
    template.add("Budget", Budget::new().budget(data).notifications_with_subscribers(alarms));
}
