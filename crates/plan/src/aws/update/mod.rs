//! What a changed configuration does to a cluster that stands, by ParallelCluster's own policy for each key.

mod compare;
mod effect;

use serde::Serialize;
use serde_json::Value;

pub use effect::Effect;

/// One change of ParallelCluster's configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Where: `Scheduling.SlurmQueues[train].ComputeResources[p5].MaxCount`.
    pub path: String,
    /// What stands; `None` where it is new.
    pub old: Option<Value>,
    /// What is asked for; `None` where it goes.
    pub new: Option<Value>,
    /// ParallelCluster's policy.
    pub policy: &'static str,
    /// What that comes to.
    pub effect: Effect,
}

impl Change {
    /// In a line.
    pub fn summary(&self) -> String {
        let short = |value: &Value| {
            let text = value.get("Name").and_then(Value::as_str).map_or_else(|| value.to_string(), str::to_owned);
            if text.chars().count() > 48 { text.chars().take(45).chain("...".chars()).collect() } else { text }
        };
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => format!("{}: {} becomes {}", self.path, short(old), short(new)),
            (None, Some(new)) => format!("{}: {} is new", self.path, short(new)),
            (Some(old), None) => format!("{}: {} goes", self.path, short(old)),
            (None, None) => self.path.clone(),
        }
    }
}

/// Every change from the configuration that stands to the one that is asked for, in the order of ParallelCluster's
/// reference. Scalars may be text on one side: CloudFormation makes them so.
pub fn changes(version: &str, old: &Value, new: &Value) -> Vec<Change> {
    let release =
        trainyard_spec::parallelcluster::release(version).unwrap_or_else(trainyard_spec::parallelcluster::newest);
    let found = compare::compare(&release, old, new);
    let context = effect::Context::new(old, new, &found);
    found
        .iter()
        .map(|found| Change {
            path: found.path(),
            old: found.old.cloned(),
            new: found.new.cloned(),
            policy: found.policy,
            effect: context.effect(found),
        })
        .filter(|change| change.policy != "IGNORED")
        .collect()
}

/// Puts into the configuration that is asked for what only a head that is being made reads, as it stands. Time limits
/// follow from the spec and from whether a Capacity Block has started; ParallelCluster would rather have the cluster made
/// anew than change the head's.
pub fn keep_what_only_creation_reads(stands: &Value, asked: &mut Value) {
    const KEY: &str = "HeadNodeBootstrapTimeout";
    let is = &stands["DevSettings"]["Timeouts"][KEY];
    if let Some(timeouts) = asked.pointer_mut("/DevSettings/Timeouts").and_then(Value::as_object_mut)
        && !is.is_null()
    {
        timeouts.insert(KEY.to_owned(), is.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[allow(clippy::needless_pass_by_value)] // json! is written where it is used
    fn cluster(queues: Value) -> Value {
        json!({
            "HeadNode": { "InstanceType": "m5.large" },
            "Scheduling": { "Scheduler": "slurm", "SlurmSettings": {}, "SlurmQueues": queues },
        })
    }

    fn queue(name: &str, min: u32, max: u32) -> Value {
        json!({ "Name": name, "ComputeResources": [{ "Name": "r", "InstanceType": "c5.large", "MinCount": min, "MaxCount": max }] })
    }

    fn effects(old: &Value, new: &Value) -> Vec<(String, Effect)> {
        changes("3.16.1", old, new).into_iter().map(|change| (change.path, change.effect)).collect()
    }

    #[test]
    fn each_kind_of_change_has_its_effect() {
        let stands = cluster(json!([queue("a", 1, 4)]));
        let resource = "Scheduling.SlurmQueues[a].ComputeResources[r]";
        let mut strategy = cluster(json!([queue("a", 1, 2)]));
        strategy["Scheduling"]["SlurmSettings"]["QueueUpdateStrategy"] = "TERMINATE".into();
        let mut head = stands.clone();
        head["HeadNode"]["InstanceType"] = "m5.xlarge".into();
        let cases = [
            (cluster(json!([queue("a", 1, 4)])), vec![]),
            (cluster(json!([queue("a", 1, 9)])), vec![(format!("{resource}.MaxCount"), Effect::InPlace)]),
            (cluster(json!([queue("a", 1, 2)])), vec![(format!("{resource}.MaxCount"), Effect::StopsFleet)]),
            (cluster(json!([queue("a", 3, 4)])), vec![(format!("{resource}.MinCount"), Effect::StopsFleet)]),
            (
                cluster(json!([queue("a", 3, 6)])),
                vec![
                    (format!("{resource}.MinCount"), Effect::InPlace),
                    (format!("{resource}.MaxCount"), Effect::InPlace),
                ],
            ),
            (strategy, vec![(format!("{resource}.MaxCount"), Effect::EndsNodes)]),
            (
                cluster(json!([queue("a", 1, 4), queue("b", 0, 1)])),
                vec![("Scheduling.SlurmQueues[b]".to_owned(), Effect::InPlace)],
            ),
            (
                cluster(json!([queue("b", 1, 4)])),
                vec![
                    ("Scheduling.SlurmQueues[b]".to_owned(), Effect::InPlace),
                    ("Scheduling.SlurmQueues[a]".to_owned(), Effect::StopsFleet),
                ],
            ),
            (head, vec![("HeadNode.InstanceType".to_owned(), Effect::Recreates)]),
        ];
        for (asked, expected) in cases {
            let mut found = effects(&stands, &asked);
            found.sort();
            let mut expected = expected;
            expected.sort();
            assert_eq!(found, expected, "{asked}");
        }
    }

    /// A limit that follows from the clock must not have a cluster made anew.
    #[test]
    fn the_heads_time_limit_stays_what_it_was() {
        let with = |seconds: Value| json!({ "DevSettings": { "Timeouts": { "HeadNodeBootstrapTimeout": seconds } } });
        let mut asked = with(2400.into());
        keep_what_only_creation_reads(&with("2100".into()), &mut asked);
        assert_eq!(asked, with("2100".into()));
        let mut asked = json!({});
        keep_what_only_creation_reads(&with("2100".into()), &mut asked);
        assert_eq!(asked, json!({}));
    }

    /// CloudFormation hands everything on as text.
    #[test]
    fn a_number_and_its_text_are_the_same() {
        let numbers = cluster(json!([queue("a", 1, 4)]));
        let mut texts = numbers.clone();
        texts["Scheduling"]["SlurmQueues"][0]["ComputeResources"][0]["MaxCount"] = "4".into();
        assert_eq!(effects(&texts, &numbers), []);
    }
}
