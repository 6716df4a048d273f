//! Random queues: every way to buy capacity, with types that are sold so.

use serde_json::{Map, Value, json};

use crate::aws::{Draft, maybe};

static CPUS: &[&str] = &[
    "c5.large",
    "c6i.8xlarge",
    "c7i.8xlarge",
    "c6a.8xlarge",
    "m6i.8xlarge",
    "m5n.8xlarge",
    "c6in.32xlarge",
    "r6i.4xlarge",
];
static ARM_CPUS: &[&str] = &["c7g.16xlarge", "m7g.4xlarge", "c6g.8xlarge"];
/// Alike in cores, without EFA.
static ALIKE: &[&str] = &["m5.8xlarge", "m6i.8xlarge", "c6i.8xlarge"];
static ALIKE_ARM: &[&str] = &["c7g.8xlarge", "m7g.8xlarge", "c6g.8xlarge"];

impl Draft {
    pub fn queues(&mut self) -> Value {
        (0..self.dice.between(1, 4)).map(|number| self.queue(number)).collect()
    }

    fn queue(&mut self, number: u32) -> Value {
        let mut map = Map::new();
        map.insert("name".into(), format!("q{number}").into());
        let shape = self.dice.between(0, 9);
        if shape <= 2 {
            self.flexible(&mut map);
        } else {
            self.plain(&mut map);
        }
        maybe!(self, map, 40, "exclusive", true.into());
        maybe!(self, map, 20, "root_volume_gib", self.dice.between(60, 2000).into());
        maybe!(self, map, 12, "root_volume_speed", self.speed());
        maybe!(self, map, 10, "image", self.id("ami"));
        maybe!(self, map, 15, "settings", json!({ "MaxTime": "2-00:00:00", "GraceTime": 30 }));
        maybe!(self, map, 15, "tags", json!({ "stage": "test" }));
        map.into()
    }

    /// Several instance types of one shape, perhaps in two zones.
    fn flexible(&mut self, map: &mut Map<String, Value>) {
        let types = if self.is_arm { ALIKE_ARM } else { ALIKE };
        let is_spot = self.dice.chance(50);
        let capacity =
            if is_spot { json!({ "kind": "spot" }) } else { json!({ "kind": "on_demand", "placement_group": false }) };
        map.insert("capacity".into(), capacity);
        let strategies: &[&str] = if is_spot {
            &["lowest_price", "capacity_optimized", "price_capacity_optimized", "capacity_optimized_prioritized"]
        } else {
            &["lowest_price", "prioritized"]
        };
        if self.dice.chance(70) {
            map.insert("allocation".into(), (*self.dice.pick(strategies)).into());
        }
        if self.has_two_zones && !self.has_network && self.dice.chance(70) {
            map.insert("zones".into(), json!(self.site.zones));
        }
        let mut resource =
            json!({ "name": "any", "instances": types, "max": self.dice.between(1, 20), "efa": "disabled" });
        self.weights(&mut resource);
        map.insert("compute".into(), json!([resource]));
    }

    /// One instance type in one zone, bought in one of the ways.
    fn plain(&mut self, map: &mut Map<String, Value>) {
        let is_accelerated = !self.is_arm && self.dice.chance(65);
        let instance = match (is_accelerated, self.is_arm) {
            (true, _) => *self.dice.pick(self.site.accelerated),
            (false, true) => *self.dice.pick(ARM_CPUS),
            (false, false) => *self.dice.pick(CPUS),
        };
        let capacity = self.capacity(instance);
        let is_block = capacity["kind"] == "capacity_block";
        map.insert("capacity".into(), capacity);
        if self.has_network && self.dice.chance(35) {
            map.insert("subnets".into(), json!([self.id("subnet")]));
        }
        let compute: Value =
            (0..self.dice.between(1, 2)).map(|number| self.resource(number, instance, is_block)).collect();
        map.insert("compute".into(), compute);
    }

    fn capacity(&mut self, instance: &str) -> Value {
        let has_blocks = instance.starts_with('p') || instance.starts_with("trn");
        match self.dice.between(0, 11) {
            0 => json!({ "kind": "on_demand", "placement_group": false }),
            1 => json!({ "kind": "spot" }),
            2 | 3 => json!({ "kind": "spot", "max_price_cents": self.dice.between(1, 9999) }),
            4 => json!({ "kind": "targeted_reservation", "reservation": self.id("cr") }),
            5 | 6 => json!({ "kind": "own_reservation", "reservation": self.id("cr"), "placement_group": "my-group" }),
            7 => {
                let arn =
                    format!("arn:aws:resource-groups:{}:111122223333:group/{}", self.site.region, self.dice.hex(8));
                json!({ "kind": "reservation_group", "group": arn })
            }
            8..=10 if has_blocks => json!({ "kind": "capacity_block", "reservation": self.id("cr") }),
            _ => json!({ "kind": "on_demand" }),
        }
    }

    fn resource(&mut self, number: u32, instance: &str, is_block: bool) -> Value {
        let max = self.dice.between(1, 20);
        let min = if is_block { max } else { self.dice.between(0, max.min(4)) };
        let mut resource = json!({ "name": format!("r{number}"), "instance": instance, "min": min, "max": max });
        let known = trainyard_spec::catalog::find(instance);
        let has_efa = known.is_some_and(|known| known.efa_interfaces > 0);
        if self.dice.chance(15) {
            resource["efa"] = if has_efa && self.dice.chance(50) { "enabled" } else { "disabled" }.into();
        }
        if !self.is_arm && self.dice.chance(20) {
            resource["hyperthreads"] = "disabled".into();
        }
        let has_gpus = known.is_some_and(|known| known.gpus > 0) && !instance.starts_with("trn");
        if has_gpus && self.dice.chance(25) {
            resource["gpu_health_check"] = (*self.dice.pick(&["enabled", "disabled"])).into();
        }
        self.weights(&mut resource);
        resource
    }

    fn weights(&mut self, resource: &mut Value) {
        if self.dice.chance(10) {
            resource["static_weight"] = self.dice.between(1, 500).into();
        }
        if self.dice.chance(10) {
            resource["dynamic_weight"] = self.dice.between(500, 9000).into();
        }
        if self.dice.chance(10) {
            resource["schedulable_memory_mib"] = self.dice.between(1024, 3000).into();
        }
        if self.dice.chance(10) {
            resource["settings"] = json!({ "Feature": "fast" });
        }
    }
}
