//! What a policy comes to, for one change among the others.

use serde::Serialize;
use serde_json::Value;

use super::compare::Found;

/// What a change does to the cluster. Ordered by how much it disturbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing is interrupted.
    InPlace,
    /// Nodes of the queue are replaced when their jobs have ended.
    DrainsNodes,
    /// Nodes of the queue are replaced at once; their jobs end.
    EndsNodes,
    /// Every compute node stops for it; all jobs end.
    StopsFleet,
    /// Login nodes must be gone first.
    StopsLogin,
    /// ParallelCluster cannot change it: the cluster must be made anew.
    Recreates,
}

impl Effect {
    /// As people say it.
    pub fn says(self) -> &'static str {
        match self {
            Self::InPlace => "in place: nothing is interrupted",
            Self::DrainsNodes => "nodes are replaced once their jobs have ended",
            Self::EndsNodes => "nodes are replaced at once: their jobs end",
            Self::StopsFleet => "the fleet stops for it: all jobs end",
            Self::StopsLogin => "login nodes must be gone first",
            Self::Recreates => "the cluster is made anew: head, nodes and jobs go",
        }
    }

    /// Whether something that runs is ended, or something is lost.
    pub fn interrupts(self) -> bool {
        self >= Self::EndsNodes
    }
}

/// What a change's effect depends on.
pub struct Context<'a> {
    old: &'a Value,
    new: &'a Value,
    all: &'a [Found<'a>],
    strategy: &'a str,
}

impl<'a> Context<'a> {
    pub fn new(old: &'a Value, new: &'a Value, all: &'a [Found<'a>]) -> Self {
        let strategy = new["Scheduling"]["SlurmSettings"]["QueueUpdateStrategy"].as_str();
        Self { old, new, all, strategy: strategy.unwrap_or("COMPUTE_FLEET_STOP") }
    }

    /// The effect on a cluster whose fleet and login nodes run.
    pub fn effect(&self, change: &Found<'_>) -> Effect {
        let in_queues = change.sections.iter().any(|section| section.starts_with("SlurmQueues["));
        let by_strategy = if in_queues { self.by_strategy() } else { Effect::StopsFleet };
        let comes = change.is_item && change.old.is_none();
        match change.policy {
            "SUPPORTED" | "IGNORED" | "SUPPORTED_UNLESS_ADC" => Effect::InPlace,
            // File systems are never ParallelCluster's own here, so that its refusal of `MANAGED_FSX` does not apply.
            "MANAGED_FSX" if adds_only(change) => Effect::InPlace,
            "COMPUTE_FLEET_STOP_ON_REMOVE" | "LOGIN_NODES_POOLS_UPDATE_POLICY" if comes => Effect::InPlace,
            "MANAGED_PLACEMENT_GROUP" if self.group_goes(change) => Effect::StopsFleet,
            "QUEUE_UPDATE_STRATEGY" | "MANAGED_PLACEMENT_GROUP" | "MANAGED_FSX" => by_strategy,
            "RESIZE_UPDATE_STRATEGY_ON_REMOVE" => self.resize(change, in_queues),
            "SHARED_STORAGE_UPDATE_POLICY" => self.storage(change),
            "LOGIN_NODES_POOLS_UPDATE_POLICY" | "LOGIN_NODES_POOL_STOP" | "LOGIN_NODES_STOP" => self.login(change),
            "COMPUTE_AND_LOGIN_NODES_STOP" if self.has_login() => Effect::StopsLogin,
            "COMPUTE_FLEET_STOP_ON_REMOVE" | "COMPUTE_FLEET_STOP" | "COMPUTE_AND_LOGIN_NODES_STOP" => {
                Effect::StopsFleet
            }
            _ => Effect::Recreates,
        }
    }

    /// `QueueUpdateStrategy` may spare the fleet.
    fn by_strategy(&self) -> Effect {
        match self.strategy {
            "DRAIN" => Effect::DrainsNodes,
            "TERMINATE" => Effect::EndsNodes,
            _ => Effect::StopsFleet,
        }
    }

    /// More nodes are fine; fewer end some.
    fn resize(&self, change: &Found<'_>, in_queues: bool) -> Effect {
        let comes = change.is_item && change.old.is_none();
        let grows = match change.key.as_str() {
            "MaxCount" => number(change.new, 10) >= number(change.old, 10),
            "MinCount" => self
                .max_count_beside(change)
                .is_some_and(|(before, after)| after - before >= number(change.new, 0) - number(change.old, 0)),
            _ => false,
        };
        let of_queues = in_queues || change.key == "SlurmQueues";
        match () {
            () if comes && of_queues || grows => Effect::InPlace,
            () if of_queues && self.strategy == "TERMINATE" => Effect::EndsNodes,
            () => Effect::StopsFleet,
        }
    }

    fn max_count_beside(&self, change: &Found<'_>) -> Option<(i64, i64)> {
        let max = self.all.iter().find(|other| other.key == "MaxCount" && other.sections == change.sections)?;
        Some((number(max.old, 10), number(max.new, 10)))
    }

    /// Whether ParallelCluster would delete a placement group of its own.
    fn group_goes(&self, change: &Found<'_>) -> bool {
        is_managed(self.old, &change.sections) && !is_managed(self.new, &change.sections)
    }

    /// Whatever is mounted from outside is mounted on the nodes that run; only volumes are not.
    fn storage(&self, change: &Found<'_>) -> Effect {
        let either = [change.old, change.new];
        let is = |key: &str, wanted: &[&str]| {
            either.iter().flatten().any(|item| item[key].as_str().is_some_and(|text| wanted.contains(&text)))
        };
        if is("MountDir", &["home", "/home"]) {
            return Effect::Recreates;
        }
        if !is("StorageType", &["Ebs"]) {
            return Effect::InPlace;
        }
        match (self.has_login(), self.strategy) {
            (true, _) => Effect::StopsLogin,
            (false, "COMPUTE_FLEET_STOP") => Effect::StopsFleet,
            (false, _) => self.by_strategy(),
        }
    }

    fn login(&self, change: &Found<'_>) -> Effect {
        let pool = change.sections.iter().find_map(|section| section.strip_prefix("Pools["));
        let pool = pool.map(|rest| rest.trim_end_matches(']'));
        let runs = |one: &Value| pool.is_none_or(|pool| one["Name"] == pool) && number(one.get("Count"), 1) > 0;
        let any = self.old["LoginNodes"]["Pools"].as_array().is_some_and(|pools| pools.iter().any(runs));
        if any { Effect::StopsLogin } else { Effect::InPlace }
    }

    fn has_login(&self) -> bool {
        let pools = self.old["LoginNodes"]["Pools"].as_array();
        pools.is_some_and(|pools| pools.iter().any(|pool| number(pool.get("Count"), 1) > 0))
    }
}

fn number(value: Option<&Value>, otherwise: i64) -> i64 {
    let value = value.filter(|value| !value.is_null());
    value.and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok())).unwrap_or(otherwise)
}

/// Whether every item of the old list is in the new one.
fn adds_only(change: &Found<'_>) -> bool {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned();
    match (list(change.old), list(change.new)) {
        (Some(old), Some(new)) => old.iter().all(|item| new.contains(item)),
        _ => false,
    }
}

/// Whether the queue or compute resource of these sections has a placement group that ParallelCluster makes.
fn is_managed(configuration: &Value, sections: &[String]) -> bool {
    let named = |list: &Value, section: &str, prefix: &str| -> Option<Value> {
        let name = section.strip_prefix(prefix)?.trim_end_matches(']');
        list.as_array()?.iter().find(|item| item["Name"] == name).cloned()
    };
    let queue = sections.iter().find_map(|s| named(&configuration["Scheduling"]["SlurmQueues"], s, "SlurmQueues["));
    let Some(queue) = queue else { return false };
    let resource = sections.iter().find_map(|s| named(&queue["ComputeResources"], s, "ComputeResources["));
    let own =
        resource.map(|resource| resource["Networking"]["PlacementGroup"].clone()).filter(|group| !group.is_null());
    let group = own.unwrap_or_else(|| queue["Networking"]["PlacementGroup"].clone());
    let is_on = group["Enabled"] == true || group["Enabled"] == "true";
    is_on && group["Name"].is_null() && group["Id"].is_null()
}
